"""Opening the screen in this terminal; importing this loads nothing."""

import sys
from collections.abc import Sequence
from pathlib import Path


def open_screen(
    session: Path | None = None, checkpoints: Sequence[Path] = (), runs: Path | None = None
) -> None:
    """Run the screen in this terminal, and exit with its code: 1 where it crashed, 2 where it
    cannot be opened."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        print("error: the screen needs a terminal (ssh -t); else use replay", file=sys.stderr)
        sys.exit(2)
    from ddib.errors import InputError
    from ddib.paths import check_path
    from workbench.support.text import clean
    from workbench.tui.app import WorkbenchApp

    try:
        for path in filter(None, (session, *checkpoints, runs)):
            check_path(str(path))
    except InputError as error:
        print(clean(f"error: {error}"), file=sys.stderr)
        sys.exit(2)
    app = WorkbenchApp(session, checkpoints=checkpoints, runs=runs)
    app.run()
    sys.exit(app.return_code or 0)
