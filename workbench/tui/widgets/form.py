"""A form for parameters: one row each, the error below the value that has it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget
from textual.widgets import Input, Static

from workbench.tui.values import format_value
from workbench.tui.views import FieldView, FormView


class LineInput(Input):
    """A line of text whose cursor does not blink: an idle screen sends nothing."""

    cursor_blink = reactive(False, init=False)


class ValueInput(LineInput):
    """A typed value; up, down and enter go to the other fields."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "app.focus_previous", "previous", show=False),
        Binding("down,enter", "app.focus_next", "next", key_display="↓"),
    ]


class Choice(Widget, can_focus=True):
    """One of a few: left, right and space go round, a click goes on."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right,space", "turn(1)", "next value", key_display="→"),
        Binding("left", "turn(-1)", "previous value", show=False),
        Binding("up", "app.focus_previous", "previous", show=False),
        Binding("down,enter", "app.focus_next", "next", show=False),
    ]

    value: reactive[Any] = reactive(None)

    @dataclass
    class Changed(Message):
        """Another value was chosen."""

        choice: Choice
        value: Any

    def __init__(self, value: Any, choices: tuple[Any, ...], *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.choices = choices
        self.set_reactive(Choice.value, value)

    def render(self) -> Content:
        """‹ value ›, or all of them beside each other when they fit."""
        words = [format_value(choice) for choice in self.choices]
        if sum(map(len, words)) + 2 * len(words) <= self.size.width:
            parts: list[tuple[str, str]] = []
            for choice, word in zip(self.choices, words, strict=True):
                chosen = choice == self.value and type(choice) is type(self.value)
                parts.append((f" {word} ", "bold reverse $primary" if chosen else "$dim"))
            return Content.assemble(*parts)
        value = format_value(self.value)
        if len(value) + 4 > self.size.width:
            return Content.assemble(("‹", "$dim"), value, ("›", "$dim"))
        return Content.assemble(("‹ ", "$dim"), value, (" ›", "$dim"))

    def action_turn(self, by: int) -> None:
        """The next or the previous value."""
        at = self.choices.index(self.value) if self.value in self.choices else -1
        self._choose(self.choices[(at + by) % len(self.choices)])

    def on_click(self, event: events.Click) -> None:
        """The value that was clicked, or the next one."""
        words = [format_value(choice) for choice in self.choices]
        if sum(map(len, words)) + 2 * len(words) > self.size.width:
            self.action_turn(1)
            return
        x = 0
        for choice, word in zip(self.choices, words, strict=True):
            x += len(word) + 2
            if event.x < x:
                self._choose(choice)
                return

    def _choose(self, value: Any) -> None:
        if value != self.value or type(value) is not type(self.value):
            self.value = value
            self.post_message(self.Changed(self, value))


class FieldRow(Vertical):
    """Label and value side by side, and the error, if there is one, below."""

    def __init__(self, view: FieldView) -> None:
        super().__init__()
        self.view = view

    def compose(self) -> ComposeResult:
        """The control that fits the parameter's type."""
        with Vertical(classes="field"):
            yield Static(self.view.title, classes="field--label", markup=False)
            if self.view.kind == "choice":
                yield Choice(self.view.value, self.view.choices)
            else:
                yield ValueInput(format_value(self.view.value), compact=True)
        yield Static("", classes="field--error", markup=False)

    def show(self, view: FieldView) -> None:
        """Another value; what is being typed stays as it is when it means the same."""
        self.view = view
        if view.kind == "choice":
            self.query_one(Choice).value = view.value
            return
        control = self.query_one(ValueInput)
        if not control.has_focus or self.error:
            text = format_value(view.value)
            if control.value != text and not (control.has_focus and self.error):
                with control.prevent(Input.Changed):
                    control.value = text

    @property
    def error(self) -> str:
        """What is wrong with the value, or the empty string."""
        return self._error

    _error = ""

    def set_error(self, message: str) -> None:
        """Show or clear the error."""
        self._error = message
        self.query_one(".field--error", Static).update(message)
        self.set_class(bool(message), "-error")

    @property
    def control(self) -> Widget:
        """What takes the focus."""
        return self.query_one("ValueInput, Choice", Widget)


class ParameterForm(VerticalScroll, can_focus=False):
    """The rows of a FormView. Every change is reported as it is typed."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", "back")]

    @dataclass
    class Edited(Message):
        """A field was changed; `value` is text for typed values."""

        key: str
        field: FieldView
        value: Any

    class Left(Message):
        """Escape was pressed in the form."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.view = FormView("", "")

    async def show(self, view: FormView) -> None:
        """Draw the form of another thing, or other values in the same form."""
        before, self.view = self.view, view
        self.border_title = view.title
        if before.key == view.key and [f.name for f in before.fields] == [
            f.name for f in view.fields
        ]:
            for row, field in zip(self.query(FieldRow), view.fields, strict=True):
                row.show(field)
            return
        width = max((len(field.title) for field in view.fields), default=0)
        async with self.batch():
            await self.remove_children()
            rows: list[Widget] = [FieldRow(field) for field in view.fields]
            await self.mount_all([*rows, Static(view.help, classes="form--help", markup=False)])
            for label in self.query(".field--label"):
                label.styles.width = width + 1

    def set_error(self, name: str, message: str) -> None:
        """Show what is wrong with a field, or with nothing named, below the last one."""
        for row in self.query(FieldRow):
            row.set_error(message if row.view.name == name else "")

    def focus_first(self) -> bool:
        """Into the form; False when it has no fields."""
        for row in self.query(FieldRow):
            row.control.focus()
            return True
        return False

    def action_leave(self) -> None:
        """Back to where the form belongs."""
        self.post_message(self.Left())

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Explain the field that has the focus."""
        row = event.widget
        while row is not None and not isinstance(row, FieldRow):
            row = row.parent  # type: ignore[assignment]
        if isinstance(row, FieldRow):
            self.query_one(".form--help", Static).update(self._explain(row.view))

    def on_descendant_blur(self) -> None:
        """Explain the whole again."""
        for note in self.query(".form--help").results(Static):
            note.update(self.view.help)

    def _explain(self, field: FieldView) -> str:
        parts = [field.description]
        if field.bounds:
            parts.append(field.bounds)
        if field.sweepable:
            parts.append("several values are a sweep: 0.1 0.3, 0.1..0.9/5")
        return "\n".join(part for part in parts if part)

    def on_input_changed(self, event: Input.Changed) -> None:
        """A typed value."""
        event.stop()
        self._report(event.input, event.value)

    def on_choice_changed(self, event: Choice.Changed) -> None:
        """A chosen value."""
        event.stop()
        self._report(event.choice, event.value)

    def _report(self, control: Widget, value: Any) -> None:
        for row in self.query(FieldRow):
            if row.control is control:
                self.post_message(self.Edited(self.view.key, row.view, value))
