"""Pickers: type to narrow a list down, enter takes the line."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.fuzzy import Matcher
from textual.widgets import Input, Static

from workbench.tui.models import Item
from workbench.tui.screens.dialogs.dialog import Dialog
from workbench.tui.widgets.form import LineInput
from workbench.tui.widgets.lines import Lines, Part


class PickerInput(LineInput):
    """The filter; up, down and enter belong to the list."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "screen.step(-1)", "up", show=False),
        Binding("down", "screen.step(1)", "down", show=False),
        Binding("pageup", "screen.step(-10)", "page up", show=False),
        Binding("pagedown", "screen.step(10)", "page down", show=False),
        Binding("enter", "screen.take", "take"),
    ]


class Picker(Dialog[str | None]):
    """A filter over a list. `free` lets what is typed be taken when nothing matches."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "back"),
        Binding("tab", "other", "other", show=False),
    ]

    def __init__(
        self,
        title: str,
        items: Sequence[Item],
        *,
        placeholder: str = "type to filter",
        subtitle: str = "enter take · esc back",
        free: bool = False,
        about: Callable[[str], str] | None = None,
    ) -> None:
        """`about`: several lines on the value under the cursor, in place of its words."""
        super().__init__()
        self._about = about
        self._title, self._items, self._free = title, list(items), free
        self._placeholder, self._subtitle = placeholder, subtitle
        self._shown = list(items)

    def compose(self) -> ComposeResult:
        """Filter above, list below, the words about the line at the bottom."""
        with Vertical(classes="dialog picker") as dialog:
            dialog.set_class(self._about is not None, "-preview")
            dialog.border_title = self._title
            dialog.border_subtitle = self._subtitle
            yield PickerInput(placeholder=self._placeholder, compact=True)
            yield Lines()
            yield Static("", classes="about", markup=False)

    def on_mount(self) -> None:
        """All lines at first."""
        self.query_one(Lines).can_focus = False
        self._filter("")

    def on_input_changed(self, event: Input.Changed) -> None:
        """Narrow the list down."""
        self._filter(event.value)

    def on_lines_chosen(self) -> None:
        """A click on the line."""
        self.action_take()

    def on_lines_highlighted(self, event: Lines.Highlighted) -> None:
        """Say more about the line."""
        self._describe(event.index)

    def action_step(self, by: int) -> None:
        """Through the list."""
        self.query_one(Lines).action_step(by)

    def action_take(self) -> None:
        """The line under the cursor, or what was typed."""
        index = self.query_one(Lines).cursor
        typed = self.query_one(PickerInput).value.strip()
        if index < len(self._shown):
            self.dismiss(self._shown[index].value)
        elif self._free and typed:
            self.dismiss(typed)

    def action_other(self) -> None:
        """Tab has no meaning here; subclasses may give it one."""

    def _filter(self, typed: str) -> None:
        self._shown = list(self._items)
        if typed.strip():
            matcher = Matcher(typed.strip())
            scored = [
                (max(matcher.match(item.name), 0.5 * matcher.match(item.words)), -index, item)
                for index, item in enumerate(self._items)
            ]
            scored.sort(key=lambda entry: entry[:2], reverse=True)
            self._shown = [item for score, _, item in scored if score > 0]
        width = max((len(item.name) for item in self._items), default=0)
        lines: list[tuple[list[Part], list[Part], bool]] = [
            ([(f" {item.name:<{width}}  ", ""), (item.words, "lines--dim")], [], True)
            for item in self._shown
        ]
        if not lines:
            words = " enter takes this path" if self._free and typed else " nothing of that name"
            lines = [([(words, "lines--dim")], [], False)]
        view = self.query_one(Lines)
        view.set_lines(lines)
        view.action_jump(0)
        self._describe(view.cursor)

    def _describe(self, index: int) -> None:
        """More about the line than fits beside its name."""
        item = self._shown[index] if index < len(self._shown) else None
        words = "" if item is None else self._about(item.value) if self._about else item.words
        self.query_one(".about", Static).update(words, layout=False)
