"""A list that `/` narrows down while one types, and that `S` sorts; its title says both."""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget


class Filterable(Widget):
    """For a list pane: subclasses implement `apply_filter`, which applies them."""

    SORTS: ClassVar[tuple[str, ...]] = ("name",)
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "filter", "filter", show=False, key_display="/"),
        Binding("S", "sort", "sort", show=False),
        Binding("escape", "clear_filter", "clear the filter", show=False),
    ]

    typed = ""
    typing = False
    sort = "name"
    _title: str | None = None

    def apply_filter(self) -> None:
        """Show the lines that match `typed`, sorted by `sort`."""
        raise NotImplementedError

    def action_filter(self) -> None:
        """The next keys are the filter's."""
        self.typing = True
        self.show_title()

    def action_clear_filter(self) -> None:
        """Everything again."""
        self.typing = False
        self._type("")

    def action_sort(self) -> None:
        """The next order."""
        self.sort = self.SORTS[(self.SORTS.index(self.sort) + 1) % len(self.SORTS)]
        self.apply_filter()
        self.show_title()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Escape belongs to the filter while there is one; one order is no choice."""
        if action == "clear_filter":
            return bool(self.typed or self.typing)
        return action != "sort" or len(self.SORTS) > 1

    def on_key(self, event: events.Key) -> None:
        """While the filter is open, what can be typed goes there."""
        if not self.typing:
            return
        if event.key == "enter":
            self.typing = False
            self.show_title()
        elif event.key == "escape":
            self.action_clear_filter()
        elif event.key == "backspace":
            self._type(self.typed[:-1])
        elif event.key == "ctrl+u":
            self._type("")
        elif event.is_printable and event.character:
            self._type(self.typed + event.character)
        else:
            return
        event.stop()
        event.prevent_default()

    def on_paste(self, event: events.Paste) -> None:
        """Pasted text is typed text."""
        if self.typing:
            self._type(self.typed + event.text.partition("\n")[0])
            event.stop()

    def on_blur(self) -> None:
        """A filter that is left stays as it is."""
        if self.typing:
            self.typing = False
            self.show_title()

    def _type(self, text: str) -> None:
        self.typed = text
        self.apply_filter()
        self.show_title()

    def show_title(self) -> None:
        """The filter in place of the pane's title, and the order where it is not the usual one."""
        pane = next(w for w in self.ancestors_with_self if w.has_class("pane"))
        assert isinstance(pane, Widget)
        if self._title is None:
            self._title = pane.border_title or ""
        title = Content(self._title)
        if self.typing or self.typed:
            cursor = ("▏", "$accent") if self.typing else ""
            title = Content.assemble(("/", "$accent"), (self.typed, "$foreground"), cursor)
        if self.sort != self.SORTS[0]:
            title += Content.styled(f" · {self.sort}", "$dim")
        pane.border_title = title
