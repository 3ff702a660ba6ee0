"""A form for parameters: one row each, the error below the value that has it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import zip_longest
from typing import Any, ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType, NoBinding
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget
from textual.widgets import Input, Static

from workbench.tui.forms.stepping import stepped
from workbench.tui.models import FieldView, FormView
from workbench.tui.state.values import format_value


class LineInput(Input):
    """A line of text whose cursor does not blink: an idle screen sends nothing."""

    cursor_blink = reactive(False, init=False)


class ValueInput(LineInput):
    """A typed value; up and down nudge a number, enter goes to the next field."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "app.focus_next", "next", key_display="⏎"),
        Binding("up", "step(1)", "step", key_display="↑↓"),
        Binding("down", "step(-1)", "less", show=False),
        Binding("shift+up", "step(10)", "more, tenfold", show=False),
        Binding("shift+down", "step(-10)", "less, tenfold", show=False),
    ]

    field: FieldView | None = None

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only numbers are stepped."""
        return action != "step" or (self.field is not None and self.field.numeric)

    async def on_key(self, event: events.Key) -> None:
        """Escape and the line's own keys act before the next key comes; one that came after an
        escape goes to the new focus.

        A key bubbles up to its binding through a queue for each widget, and on a busy machine, or
        out of a pasted text, the next one is typed before it has acted.
        """
        if self.screen.focused is not self:
            self.app.post_message(events.Key(event.key, event.character))
        elif event.key == "escape":
            next(w for w in self.ancestors if isinstance(w, ParameterForm)).action_leave()
        elif not await self._acted(event.key):
            return
        event.stop()
        event.prevent_default()

    async def _acted(self, key: str) -> bool:
        """Whether a key is one of the line's own, and has done what it does."""
        try:
            bindings = self._bindings.get_bindings_for_key(key)
        except NoBinding:
            return False
        return any([await self.app.run_action(binding.action, self) for binding in bindings])

    def action_step(self, steps: int) -> None:
        """The number that many steps further; several numbers stay as they are."""
        text = None if self.field is None else stepped(self.value, self.field, steps)
        if text is not None:
            self.value = text
            self.cursor_position = len(text)


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

    def __init__(self) -> None:
        super().__init__()
        self.choices: tuple[Any, ...] = ()

    def show(self, value: Any, choices: tuple[Any, ...]) -> None:
        """Other choices, another value."""
        self.choices, self.value = choices, value
        self.refresh()

    def render(self) -> Content:
        """‹ value ›, or all of them beside each other when they fit."""
        words = [_word(choice) for choice in self.choices]
        if sum(map(len, words)) + 2 * len(words) <= self.size.width:
            parts: list[tuple[str, str]] = []
            for choice, word in zip(self.choices, words, strict=True):
                chosen = choice == self.value and type(choice) is type(self.value)
                parts.append((f" {word} ", "bold reverse $primary" if chosen else "$dim"))
            return Content.assemble(*parts)
        value = _word(self.value)
        if len(value) + 4 > self.size.width:
            return Content.assemble(("‹", "$dim"), value, ("›", "$dim"))
        return Content.assemble(("‹ ", "$dim"), value, (" ›", "$dim"))

    def action_turn(self, by: int) -> None:
        """The next or the previous value."""
        if not self.choices:
            return
        at = self.choices.index(self.value) if self.value in self.choices else -1
        self._choose(self.choices[(at + by) % len(self.choices)])

    def on_click(self, event: events.Click) -> None:
        """The value that was clicked, or the next one."""
        words = [_word(choice) for choice in self.choices]
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


def _word(value: Any) -> str:
    return "none" if value is None else format_value(value)


class FieldRow(Vertical):
    """Label and value side by side, and the error, if there is one, below.

    A row serves any parameter: it has a line of text and a choice and shows the one it needs.
    """

    def __init__(self) -> None:
        super().__init__()
        self.view: FieldView | None = None
        self.error = ""
        self.display = False

    def compose(self) -> ComposeResult:
        """Both controls, hidden until there is a parameter."""
        with Horizontal(classes="field"):
            yield Static("", classes="field--label", markup=False)
            yield ValueInput(compact=True)
            yield Choice()
        yield Static("", classes="field--error", markup=False)

    def assign(self, view: FieldView | None, *, other: bool) -> None:
        """Show a parameter, or nothing; `other`: it is not the one that stood here before.

        What is being typed stays as it is, and so does what is wrong until it is mended.
        """
        self.view = view
        self.display = view is not None
        if view is None:
            self.set_error("")
            return
        line, choice = self.query_one(ValueInput), self.query_one(Choice)
        line.field = view
        line.display, choice.display = view.kind != "choice", view.kind == "choice"
        choice.show(view.value, view.choices)
        if other:
            self.query_one(".field--label", Static).update(view.title)
            self.set_error("")
        if other or not (line.has_focus or self.error):
            with line.prevent(Input.Changed):
                line.value = "" if view.kind == "choice" else format_value(view.value)

    def set_error(self, message: str) -> None:
        """Show or clear the error."""
        if message != self.error:
            self.error = message
            self.query_one(".field--error", Static).update(message)
            self.set_class(bool(message), "-error")

    @property
    def control(self) -> Widget:
        """What takes the focus."""
        choice = self.view is not None and self.view.kind == "choice"
        return self.query_one(Choice) if choice else self.query_one(ValueInput)


class ParameterForm(VerticalScroll, can_focus=False):
    """The rows of a FormView. Every change is reported as it is typed.

    Rows are made once and used for every form, so that a form is there as soon as it is asked
    for: keys that are already on their way find their field.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", "back")]

    @dataclass
    class Edited(Message):
        """A field was changed; `value` is text for typed values."""

        key: str
        field: FieldView
        value: Any

    def __init__(self, *, back: str, id: str | None = None) -> None:
        """`back`: the selector of what takes the focus after escape."""
        super().__init__(id=id)
        self.view = FormView("", "")
        self._back = back
        self._shown_help = ""

    async def prepare(self, rows: int) -> None:
        """Make room for this many parameters."""
        there = list(self.query(FieldRow))
        more = [FieldRow() for _ in range(rows - len(there))]
        await self.mount_all(more, after=there[-1] if there else None)
        if not self.query(".form--help"):
            await self.mount(Static("", classes="form--help", markup=False))

    def show(self, view: FormView) -> None:
        """Draw the form of another thing, or other values in the same form."""
        rows = list(self.query(FieldRow))
        if len(view.fields) > len(rows):
            self.run_worker(self._grow(view), exclusive=True)
            return
        before, self.view = self.view, view
        names = [field.name for field in view.fields]
        other = before.key != view.key or names != [field.name for field in before.fields]
        for row, field in zip_longest(rows, view.fields):
            row.assign(field, other=other)
        if other:
            self.border_title = view.title
            width = max((len(field.title) for field in view.fields), default=0)
            for label in self.query(".field--label"):
                label.styles.width = width + 1
            self.scroll_home(animate=False)
        self._explain()

    async def _grow(self, view: FormView) -> None:
        await self.prepare(len(view.fields))
        self.show(view)

    def set_error(self, name: str, message: str) -> None:
        """Show what is wrong with a field, or that nothing is."""
        for row in self.fields:
            if row.view is not None and row.view.name == name:
                row.set_error(message)

    @property
    def fields(self) -> list[FieldRow]:
        """The rows that show a parameter."""
        return [row for row in self.query(FieldRow) if row.view is not None]

    def focus_first(self) -> bool:
        """Into the form; False when it has no fields."""
        if self.fields:
            self.screen.set_focus(self.fields[0].control)
        return bool(self.fields)

    def action_leave(self) -> None:
        """Back to where the form belongs."""
        self.screen.set_focus(self.screen.query_one(self._back))

    def on_descendant_focus(self) -> None:
        """Explain the field that has the focus."""
        self._explain()

    def on_descendant_blur(self) -> None:
        """Explain the whole again."""
        self._explain()

    def _explain(self) -> None:
        """What the field under the cursor means, else what the whole does."""
        focused = next((row.view for row in self.fields if row.control.has_focus), None)
        words = self.view.help
        if focused is not None:
            sweep = "several values are a sweep: 0.1 0.3, 0.1..0.9/5" if focused.sweepable else ""
            bounds = " or ".join(filter(None, (focused.bounds, *focused.words)))
            words = "\n".join(part for part in (focused.description, bounds, sweep) if part)
        if words != self._shown_help:  # an update costs a layout of the whole screen
            self._shown_help = words
            for note in self.query(".form--help").results(Static):
                note.update(words)

    def on_input_changed(self, event: Input.Changed) -> None:
        """A typed value."""
        event.stop()
        self._report(event.input, event.value)

    def on_choice_changed(self, event: Choice.Changed) -> None:
        """A chosen value."""
        event.stop()
        self._report(event.choice, event.value)

    def _report(self, control: Widget, value: Any) -> None:
        for row in self.fields:
            if row.control is control and row.view is not None:
                self.post_message(self.Edited(self.view.key, row.view, value))
