"""`ddib-workbench bench`: the benchmark on this machine."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from workbench.cli.console import data, narrate
from workbench.cli.options import DEVICE


def bench(
    full: Annotated[bool, typer.Option("--full", help="Every grid, every peer's setting.")] = False,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write the tables to this file as JSON.")
    ] = None,
    markdown: Annotated[
        Path | None, typer.Option(help="Write the tables to this file as Markdown.")
    ] = None,
    original: Annotated[
        Path | None,
        typer.Option(help="A checkout of openai/guided-diffusion or suxuann/ddib; its code runs."),
    ] = None,
    device: DEVICE = "auto",
    images: Annotated[int, typer.Option(min=1, help="How many held-out digits.")] = 16,
    repeats: Annotated[int, typer.Option(min=1, help="Of all that is timed.")] = 3,
    nfe: Annotated[
        list[int] | None,
        typer.Option(min=1, help="Evaluations each way in the solvers' table; repeatable."),
    ] = None,
) -> None:
    """Measure solvers, network and peers on this machine, with the shipped checkpoints.

    The tables go to stdout. When interrupted it keeps what was finished.
    """
    from workbench.benchmark import command

    outputs = command.check_outputs({"json": json_file, "markdown": markdown}, _may_replace)
    with command.exit_on_signals():
        from workbench.benchmark.run import Options, plan
        from workbench.engine.devices.device import pick_device

        chosen = Options(
            device=pick_device(device),
            images=images,
            full=full,
            repeats=repeats,
            evaluations=tuple(nfe or ()),
            original=original,
        )
        report, jobs = plan(chosen)
        try:
            command.follow(report, jobs, narrate)
        finally:
            command.show(report, data)
            command.write(report, outputs)


def _may_replace(path: Path) -> bool:
    return sys.stdin.isatty() and typer.confirm(f"replace {path}?", err=True)
