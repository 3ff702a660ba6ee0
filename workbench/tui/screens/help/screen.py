"""The help: every key, by pane, and the words that the screen uses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widgets import Static

from workbench.tui.screens.dialogs.dialog import Dialog


class HelpScreen(Dialog[None]):
    """Every key, by pane, and the words that the screen uses."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark", "dismiss(None)", "back")
    ]

    def __init__(self, groups: Sequence[tuple[str, Sequence[tuple[str, str]]]]) -> None:
        """`groups`: a heading and its keys with what they do."""
        super().__init__()
        self._groups = groups

    def compose(self) -> ComposeResult:
        """Headings and keys."""
        with VerticalScroll(classes="dialog dialog-tall") as dialog:
            dialog.border_title = "Help"
            dialog.border_subtitle = "esc back"
            for heading, keys in self._groups:
                yield Static(heading, classes="help--heading", markup=False)
                table = Table.grid(padding=(0, 2))
                table.add_column(width=13, style="bold")
                table.add_column()
                for key, words in keys:
                    table.add_row(Text(key), Text(words))
                yield Static(table)
