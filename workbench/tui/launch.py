"""Opening the screen in this terminal; importing this loads nothing."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path


def open_screen(
    session: Path | None = None, checkpoints: Sequence[Path] = (), runs: Path | None = None
) -> None:
    """Run the screen in this terminal, and exit with its code: 1 where it crashed, 2 where it
    cannot be opened."""
    if refusal := _why_not_here():
        if sys.stderr is not None:
            print(f"error: {refusal}", file=sys.stderr)
        sys.exit(2)
    if sys.__stderr__ is None or not sys.__stderr__.isatty():  # which Textual draws on
        sys.__stderr__ = os.fdopen(os.dup(1), "w")  # type: ignore[misc]
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


def _why_not_here() -> str:
    """Why the screen cannot be shown in this terminal; empty when it can."""
    streams = (sys.stdin, sys.stdout)
    if not all(stream is not None and stream.isatty() for stream in streams):
        return "the screen needs a terminal (ssh -t); else use replay"
    if os.environ.get("TERM", "dumb") == "dumb":
        return "the screen cannot be drawn where TERM is dumb; set TERM, or use replay"
    return ""
