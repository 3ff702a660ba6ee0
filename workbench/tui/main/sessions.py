"""Sessions come and go: save, open, new, copy, the history, leaving the program."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from textual import work

from workbench.tui.main.start import checkpoint_options

if TYPE_CHECKING:
    from pathlib import Path

    from workbench.tui.main.screen import Bench


@work(exclusive=True, group="dialog")
async def save(bench: Bench) -> None:
    """Save to the session's file, or ask for one."""
    if bench.desk is not None and bench.files is not None:
        await bench.files.save(bench.desk.document)
        bench.refresh_views()


@work(exclusive=True, group="dialog")
async def save_as(bench: Bench) -> None:
    """Save to another file, and go on with that one."""
    if bench.desk is not None and bench.files is not None:
        await bench.files.save_as(bench.desk.document)
        bench.refresh_views()


@work(exclusive=True, group="dialog")
async def open_session(bench: Bench) -> None:
    """Open a session file, or one of the examples."""
    if bench.files is not None and (document := await bench.files.choose()) is not None:
        await _stop_auto(bench)
        bench.take_document(document)


@work(exclusive=True, group="dialog")
async def new(bench: Bench) -> None:
    """A new session with the defaults."""
    from workbench.tui.state.document import Document, new_session

    if bench.desk is not None and await may_leave(bench):
        await _stop_auto(bench)
        bench.take_document(Document(new_session(bench.desk.listed)))


@work(exclusive=True, group="dialog")
async def copy(bench: Bench) -> None:
    """The command that replays the session, or its YAML, to the clipboard."""
    from workbench.tui.screens.dialogs.copy import copy_session

    if bench.desk is not None and bench.files is not None:
        store = [] if bench.runs is None else ["--runs", str(bench.runs.resolve())]
        options = [*checkpoint_options(bench), *store]
        await copy_session(bench.app, bench.files, bench.desk.document, options)
        bench.refresh_views()


@work(exclusive=True, group="dialog")
async def history(bench: Bench) -> None:
    """The kept runs, to look at or to take up again."""
    from workbench.tui.screens.history.screen import take_up

    if bench.desk is not None:
        await take_up(bench, bench.desk.store)


async def take_run(bench: Bench, path: Path) -> None:
    """A kept run's session, with its results."""
    from ddib.errors import InputError
    from workbench.tui.state.reopen_run import reopen

    try:
        kept = await asyncio.to_thread(reopen, path)
    except InputError as error:
        bench.complain(str(error), "This run cannot be opened")
        return
    await _stop_auto(bench)
    bench.take_document(kept.document)
    if bench.desk is not None and kept.run is not None:
        bench.desk.queue.take_up(kept.run)
    bench.show_run()
    if kept.problems:
        words = "\n".join(kept.problems)
        bench.notify(
            words, title="Not all of it is there", severity="warning", timeout=12, markup=False
        )


async def may_leave(bench: Bench) -> bool:
    """Whether the present session may be put away."""
    if bench.desk is None or bench.files is None:
        return True
    return await bench.files.may_leave(bench.desk.document)


@work(exclusive=True, group="dialog")
async def leave_program(bench: Bench) -> None:
    """Leave, with a question when something is unsaved."""
    if not await may_leave(bench):
        return
    await leave(bench, keep=False)
    bench.app.exit()


async def leave(bench: Bench, *, keep: bool) -> None:
    """Put everything away; `keep`: what is unsaved is offered again at the next start."""
    if bench.save_soon is not None:
        bench.save_soon.stop()
    if keep:
        bench.keep()
    elif bench.files is not None:
        bench.files.forget()
    if bench.engine is not None:
        await bench.engine.stop()


async def _stop_auto(bench: Bench) -> None:
    """Runs go on when another session is opened, but for the auto-run."""
    if bench.running is not None:
        await bench.running.stop_auto()
