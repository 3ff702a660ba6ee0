"""The program's door: the screen does not wait for the command line's parser to be loaded."""

import sys
from collections.abc import Sequence
from pathlib import Path


def main() -> None:
    """`ddib-workbench` and `ddib-workbench SESSION` open the screen, all else is a command."""
    arguments = sys.argv[1:]
    if not arguments or (len(arguments) == 1 and Path(arguments[0]).suffix in (".yaml", ".yml")):
        open_screen(Path(arguments[0]) if arguments else None)
    else:
        from workbench.cli.main import main as command_line

        command_line()


def open_screen(
    session: Path | None = None, checkpoints: Sequence[Path] = (), runs: Path | None = None
) -> None:
    """Run the screen in this terminal; exits with code 2 where there is none."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        print("error: the screen needs a terminal (ssh -t); else use replay", file=sys.stderr)
        sys.exit(2)
    from workbench.tui.app import WorkbenchApp

    WorkbenchApp(session, checkpoints=checkpoints, runs=runs).run()


def print_keys() -> None:
    """Print the screen's keys as they are configured; raises InputError."""
    from rich.console import Console
    from rich.table import Table

    from workbench.library.library import read_config
    from workbench.tui.terminal.keymap import key_table, make_keymap

    table = Table("action", "key", "what it does", box=None, pad_edge=False)
    for line in key_table(make_keymap(read_config().keys)):
        table.add_row(*line)
    Console(highlight=False, markup=False).print(table)


if __name__ == "__main__":
    main()
