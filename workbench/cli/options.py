"""Options that several commands share."""

from pathlib import Path
from typing import Annotated, Literal

import typer

CHECKPOINTS = Annotated[
    list[Path] | None, typer.Option(help="A further folder of checkpoints; may be repeated.")
]
DEVICE = Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1, …")]
CHUNK = Annotated[
    int | None, typer.Option(min=1, help="Images solved together; else 16, or 256 on a GPU.")
]
MEMORY = Annotated[
    str | None, typer.Option(help="For network evaluations: 2G; else half of the device's.")
]
PRECISION = Annotated[
    Literal["float32", "bf16", "fp16", "auto"],
    typer.Option(help="Of network evaluations; auto: the fastest that is exact enough, measured."),
]
RAY = Annotated[
    str | None,
    typer.Option("--ray", help="Run on a Ray cluster: its address, auto, or local to start one."),
]
RUNS = Annotated[Path | None, typer.Option("--runs", help="Folder of the run store.")]
