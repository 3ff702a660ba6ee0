"""The three columns as tabs, where the terminal is too narrow for all of them."""

from __future__ import annotations

from dataclasses import dataclass

from textual import events
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

TABS = ("library", "flow", "recipe")


class TabLine(Widget):
    """Library | Flow | Recipe."""

    active: reactive[str] = reactive("flow")

    @dataclass
    class Chosen(Message):
        """A tab was clicked."""

        tab: str

    def render(self) -> Content:
        """The active one reversed."""
        parts: list[tuple[str, str]] = []
        for tab in TABS:
            style = "bold $background on $primary" if tab == self.active else "$dim"
            parts.append((f"  {tab.title()}  ", style))
        return Content.assemble(*parts)

    def on_click(self, event: events.Click) -> None:
        """Which tab lies there."""
        x = 0
        for tab in TABS:
            x += len(tab) + 4
            if event.x < x:
                self.post_message(self.Chosen(tab))
                return
