"""Short questions: a choice by key, and a line of text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input, Static

from workbench.tui.screens.dialogs.dialog import Dialog
from workbench.tui.widgets.form import LineInput


class _Answers(Widget):
    """The keys that answer, clickable."""

    def __init__(self, answers: Sequence[tuple[str, str]]) -> None:
        super().__init__(classes="buttons")
        self._answers = answers

    def render(self) -> Content:
        parts: list[tuple[str, str]] = []
        for key, words in self._answers:
            parts += [(f" {key} ", "bold $primary"), (f"{words}  ", "$foreground")]
        return Content.assemble(*parts)

    def on_click(self, event: events.Click) -> None:
        x = 0
        for key, words in self._answers:
            x += len(key) + len(words) + 4
            if event.x < x:
                self.app.simulate_key({"esc": "escape"}.get(key, key))
                return


class Ask(Dialog[str]):
    """A question with a key for each answer; escape is the last one."""

    def __init__(self, title: str, words: str, answers: Sequence[tuple[str, str]]) -> None:
        """`answers`: key and meaning; the key pressed is the result."""
        super().__init__()
        self._title, self._words, self._keys = title, words, [*answers]

    def compose(self) -> ComposeResult:
        """Question, then answers."""
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = self._title
            yield Static(self._words, classes="words", markup=False)
            yield _Answers(self._keys)

    def on_key(self, event: events.Key) -> None:
        """One of the keys, or escape."""
        event.stop()
        pressed = event.character or event.key
        if event.key == "escape":
            self.dismiss("esc")
        elif pressed in [key for key, _ in self._keys]:
            self.dismiss(pressed)


class Prompt(Dialog[str | None]):
    """A line of text; `check` says what is wrong with it, if anything."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(None)", "back")]

    def __init__(
        self,
        title: str,
        words: str,
        value: str = "",
        check: Callable[[str], str | None] = lambda _: None,
        *,
        takes: str = "take",
    ) -> None:
        """`takes`: what enter does, in a word."""
        super().__init__()
        self._title, self._words, self._value, self._check = title, words, value, check
        self._takes = takes

    def compose(self) -> ComposeResult:
        """What is asked, the line, what is wrong with it."""
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = self._title
            dialog.border_subtitle = f"enter {self._takes} · esc back"
            yield Static(self._words, classes="words", markup=False)
            yield LineInput(self._value, compact=True)
            yield Static("", classes="error", markup=False)

    def on_input_changed(self) -> None:
        """The error goes when the text changes."""
        self.query_one(".error", Static).update("")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Take it if it can be taken."""
        text = event.value.strip()
        if problem := self._check(text):
            self.query_one(".error", Static).update(problem)
        else:
            self.dismiss(text)
