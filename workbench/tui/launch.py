"""Opening the screen in this terminal; importing this loads nothing."""

import sys
from collections.abc import Sequence
from pathlib import Path


def open_screen(
    session: Path | None = None, checkpoints: Sequence[Path] = (), runs: Path | None = None
) -> None:
    """Run the screen in this terminal; exits with code 2 where there is none.

    At the end it exits with 0, or with 128 and the number of the signal that ended it.
    """
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        print("error: the screen needs a terminal (ssh -t); else use replay", file=sys.stderr)
        sys.exit(2)
    from workbench.tui.app import WorkbenchApp

    app = WorkbenchApp(session, checkpoints=checkpoints, runs=runs)
    app.run()
    sys.exit(app.return_code)
