"""The help: every key, by pane, and the words that the screen uses; the manual is a key away."""

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
    """Headings, each with its keys and what they do."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark", "dismiss(None)", "back"),
        Binding("m", "manual", "manual"),
    ]

    def __init__(
        self, groups: Sequence[tuple[str, Sequence[tuple[str, str]]]], page: str = ""
    ) -> None:
        """`groups`: a heading and its keys with what they do; `page`: of the manual, to go on."""
        super().__init__()
        self._groups, self._page = groups, page

    def compose(self) -> ComposeResult:
        """Show headings and keys."""
        with VerticalScroll(classes="dialog dialog-tall") as dialog:
            dialog.border_title = "Help"
            dialog.border_subtitle = "m manual · esc back"
            for heading, keys in self._groups:
                yield Static(heading, classes="help--heading", markup=False)
                table = Table.grid(padding=(0, 2))
                table.add_column(width=13, style="bold")
                table.add_column()
                for key, words in keys:
                    table.add_row(Text(key), Text(words))
                yield Static(table)

    def action_manual(self) -> None:
        """Open the manual at the page of the pane that one comes from."""
        from workbench.tui.screens.help.manual import ManualScreen

        self.app.switch_screen(ManualScreen(self._page) if self._page else ManualScreen())
