"""Actions on files: save, open, new, copy, and the history of stored runs."""

from __future__ import annotations

from pathlib import Path

from textual import work

from workbench.tui.actions import Action, key_of
from workbench.tui.main.actions.need import unless
from workbench.tui.main.base import MainBase
from workbench.tui.main.pictures import pictures
from workbench.tui.main.reopening import reopen_run


@work(exclusive=True, group="dialog")
async def save(main: MainBase) -> None:
    """Save to the session's file, or ask for one."""
    if main.opened is not None:
        document = main.opened.workspace.document
        before = document.session
        await main.opened.files.save(document)
        if document.session != before:
            main.session_changed()
        main.refresh_views()


@work(exclusive=True, group="dialog")
async def save_as(main: MainBase) -> None:
    """Save to another file, and go on with that one."""
    if main.opened is not None:
        await main.opened.files.save_as(main.opened.workspace.document)
        main.refresh_views()


@work(exclusive=True, group="dialog")
async def open_session(main: MainBase) -> None:
    """Open a session file, or one of the examples."""
    if (opened := main.opened) is None:
        return
    if (document := await opened.files.choose(opened.workspace.document)) is not None:
        await opened.running.stop_auto()
        main.open_document(document)


@work(exclusive=True, group="dialog")
async def new_session(main: MainBase) -> None:
    """Open a new session with the defaults."""
    from workbench.tui.state.session.document import Document
    from workbench.tui.state.session.document import new_session as default_session

    if (opened := main.opened) is None:
        return
    if await opened.files.may_leave(opened.workspace.document):
        await opened.running.stop_auto()
        main.open_document(Document(default_session(opened.workspace.library.listed)))


@work(exclusive=True, group="dialog")
async def copy(main: MainBase) -> None:
    """Copy the command that replays the session, or its YAML, to the clipboard."""
    from workbench.tui.screens.files.copy import copy_session

    if main.opened is None:
        return
    runs = main.options.runs
    store = [] if runs is None else ["--runs", str(runs.resolve())]
    options = [*main.options.checkpoint_arguments, *store]
    await copy_session(main.app, main.opened.files, main.opened.workspace.document, options)
    main.refresh_views()


@work(exclusive=True, group="dialog")
async def show_history(main: MainBase) -> None:
    """Let the user look at the stored runs, and open one in place of the session."""
    from workbench.tui.screens.history.screen import RunHistory

    if (opened := main.opened) is None:
        return
    rows, at = pictures(main, opened.workspace)
    history = RunHistory(opened.workspace.store, rows, at)
    path: Path | None = await main.app.push_screen_wait(history)
    if path is not None and await opened.files.may_leave(opened.workspace.document):
        await reopen_run(main, path)


ACTIONS = (
    Action(
        "save",
        "ctrl+s",
        "save",
        "Write the session to its file",
        title="Save",
        shown=True,
        handler=save,
    ),
    Action(
        "save_as",
        "W",
        "save as",
        "Save the session to another file",
        title="Save as",
        handler=save_as,
    ),
    Action(
        "open",
        "o",
        "open",
        "A session file or an example",
        title="Open",
        more="open a session: recent ones first, and the examples",
        shown=True,
        handler=open_session,
    ),
    Action(
        "new",
        "ctrl+n",
        "new",
        "A session with the defaults",
        title="New",
        more="a new session with the defaults",
        handler=new_session,
    ),
    Action(
        "copy",
        "C",
        "copy",
        "The command that replays the session, or its YAML",
        title="Copy",
        more="copy the replay command, or the session as YAML",
        handler=copy,
    ),
    Action(
        "history",
        "h",
        "history",
        "The stored runs: open one again, pin, name, delete",
        title="History",
        more="the history: every stored run, to look at and to open again",
        handler=show_history,
        why_not=unless(
            lambda it: "" if it.has_history else f"No run is stored yet; {key_of('run')} runs."
        ),
    ),
)
