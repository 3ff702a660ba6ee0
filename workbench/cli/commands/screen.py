"""`ddib-workbench open` and `keys`: the screen, and what its keys do."""

from pathlib import Path
from typing import Annotated

import typer

from ddib.errors import InputError
from workbench.cli.console import data
from workbench.cli.options import CHECKPOINTS, RUNS


def open_session(
    session: Annotated[
        Path | None, typer.Argument(help="A session, or a run directory, to open.")
    ] = None,
    checkpoints: CHECKPOINTS = None,
    runs: RUNS = None,
    demo: Annotated[bool, typer.Option("--demo", help="Open a finished example.")] = False,
) -> None:
    """Open the workbench's screen; the default."""
    from workbench.demo import RUN
    from workbench.tui.launch import open_screen

    if demo and session is not None:
        raise InputError("--demo opens its own session; give one or the other")
    open_screen(RUN if demo else session, checkpoints or [], runs)


def list_keys() -> None:
    """Print the screen's keys; `keys:` in the configuration file changes them."""
    from rich.table import Table

    from workbench.library.configuration import read_config
    from workbench.tui.main.keymap import key_table, make_keymap

    table = Table("action", "key", "what it does", box=None, pad_edge=False)
    for line in key_table(make_keymap(read_config().keys)):
        table.add_row(*line)
    data.print(table)
