"""Screens that close once."""

from __future__ import annotations

from textual.await_complete import AwaitComplete
from textual.screen import Screen, ScreenResultType


class ClosesOnce(Screen[ScreenResultType]):
    """A screen that closes itself and never the one below it.

    Keys typed ahead reach a screen after the key that closed it; Textual would take the next
    screen off the stack for them, or end with a `ScreenStackError` at the last one.
    """

    def dismiss(self, result: ScreenResultType | None = None) -> AwaitComplete:
        """Close with `result`, unless it is closed already or lies behind another screen."""
        if self.app.screen is not self:
            return AwaitComplete()
        return super().dismiss(result)
