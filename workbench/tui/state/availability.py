"""What makes sense now: footer and palette offer nothing else, and other keys say why not."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from workbench.tui.terminal.keymap import key

if TYPE_CHECKING:
    from workbench.tui.state.workspace import Desk


def _pictures(desk: Desk) -> str:
    return "" if desk.pictures.pixels is not None else "The session has no images to start from."


def _sweep(desk: Desk) -> str:
    if desk.run is None or desk.run.started is None:
        return f"There is nothing to plot yet; {key('run')} runs the session."
    if len(desk.run.started.variants) < 2:
        return (
            "There is no sweep in this run. Give a parameter several values, "
            f"such as 0.1 0.3 0.5, and run it ({key('run')})."
        )
    return ""


def _one_of_several(desk: Desk) -> str:
    several = len(desk.session.source.images) > 1
    return "" if several else "A session needs one entry of images; this is the only one."


WHY_NOT: dict[str, Callable[[Desk], str]] = {
    "cancel": lambda desk: "" if desk.queue.active else "Nothing is running.",
    "undo": lambda desk: "" if desk.document.history.can_undo else "There is nothing to undo.",
    "redo": lambda desk: "" if desk.document.history.can_redo else "Nothing was undone.",
    "view": lambda desk: "" if desk.run is not None else _pictures(desk),
    "inspect": _pictures,
    "trajectory": _pictures,
    "plots": _sweep,
    "queue": lambda desk: "" if desk.queue.runs else f"No run yet; {key('run')} starts one.",
    "history": lambda desk: "" if desk.has_history else f"No run is kept yet; {key('run')} runs.",
    "remove_images": _one_of_several,
}


def why_not(action: str, desk: Desk | None) -> str:
    """Why an action of the bench has nothing to act on, or the empty string."""
    why = WHY_NOT.get(action)
    if why is None:
        return ""
    return "The session is being opened." if desk is None else why(desk)
