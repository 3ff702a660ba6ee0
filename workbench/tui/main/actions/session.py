"""Actions on the session: undo, redo, title, entries of images."""

from __future__ import annotations

from collections.abc import Callable

from textual import work

from workbench.tui.actions import Action
from workbench.tui.main.actions.need import on_session, unless
from workbench.tui.main.base import MainBase, Opened
from workbench.tui.main.focus import focus_pane
from workbench.tui.widgets.form import FieldRow, ParameterForm


@on_session
def undo(main: MainBase, opened: Opened) -> None:
    """Go one step back."""
    _step(main, opened.workspace.document.history.undo, "undone")


@on_session
def redo(main: MainBase, opened: Opened) -> None:
    """Go one step forward."""
    _step(main, opened.workspace.document.history.redo, "done again")


def _step(main: MainBase, step: Callable[[], str | None], done: str) -> None:
    """Take back what is wrong in a form, else go a step through the session's history."""
    if wrong := [row for row in main.query(FieldRow) if row.error]:
        for row in wrong:
            row.set_error("")
        main.refresh_views()
        return
    if (what := step()) is not None:
        main.notify(f"{done}: {what}", timeout=2, markup=False)
        main.session_changed()


def _nothing_to_undo(main: MainBase) -> str:
    if any(row.error for row in main.query(FieldRow)):
        return ""
    return unless(lambda it: "" if it.document.history.can_undo else "There is nothing to undo.")(
        main
    )


@work(exclusive=True, group="dialog")
async def rename(main: MainBase) -> None:
    """Ask for another title of the session."""
    from workbench.tui.screens.dialogs.ask import Prompt

    if main.opened is None:
        return
    workspace = main.opened.workspace
    words = "Contact sheets and listings show it."
    typed = await main.app.push_screen_wait(Prompt("Title", words, workspace.session.title))
    if typed is not None and workspace.editor.rename(typed):
        main.session_changed()


@on_session
def add_images(main: MainBase, opened: Opened) -> None:
    """Add another entry of images, and go into its form."""
    opened.workspace.images.add()
    main.session_changed()
    focus_pane(main, "grid")
    main.query_one("#images-form", ParameterForm).focus_first()


@on_session
def remove_images(main: MainBase, opened: Opened) -> None:
    """Remove the entry of images that the form shows."""
    opened.workspace.images.remove()
    main.session_changed()


ACTIONS = (
    Action(
        "undo",
        "u",
        "undo",
        "Take the last change back",
        title="Undo",
        more="undo, over everything that changes the session",
        shown=True,
        handler=undo,
        why_not=_nothing_to_undo,
    ),
    Action(
        "redo",
        "ctrl+r,U",
        "redo",
        "Do it again",
        title="Redo",
        more="redo what was undone",
        shown=True,
        handler=redo,
        why_not=unless(lambda it: "" if it.document.history.can_redo else "Nothing was undone."),
    ),
    Action(
        "title",
        "N",
        "title",
        "What contact sheets and listings call the session",
        title="Title",
        more="the session's title, which contact sheets and listings show",
        handler=rename,
    ),
    Action(
        "add_images",
        "",
        "more images",
        "Another entry of images (+ in their pane)",
        title="Add images",
        handler=add_images,
    ),
    Action(
        "remove_images",
        "",
        "remove these",
        "The entry of images that is shown (- in their pane)",
        title="Remove images",
        handler=remove_images,
        why_not=unless(
            lambda it: (
                ""
                if it.images.count > 1
                else "A session needs one entry of images; this is the only one."
            )
        ),
    ),
)
