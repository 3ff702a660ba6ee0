"""What an action needs: a session that is open, and something in it to act on."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any

from workbench.tui.main.base import MainBase, Opened

if TYPE_CHECKING:
    from workbench.tui.state.workspace import Workspace


def on_session(handler: Callable[[MainBase, Opened], Any]) -> Callable[[MainBase], Any]:
    """A handler that does nothing before there is a session."""

    @wraps(handler)
    def run(main: MainBase) -> Any:
        return None if main.opened is None else handler(main, main.opened)

    return run


def unless(why: Callable[[Workspace], str]) -> Callable[[MainBase], str]:
    """Why an action has nothing to do, as the workspace says it."""

    def why_not(main: MainBase) -> str:
        return "The session is being opened." if main.workspace is None else why(main.workspace)

    return why_not
