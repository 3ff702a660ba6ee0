"""The session as YAML, to read."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.highlight import highlight
from textual.widgets import Static

from workbench.tui.screens.dialogs.clipboard import copy_text
from workbench.tui.screens.dialogs.dialog import Dialog


class YamlScreen(Dialog[bool]):
    """The session as it would be saved; whether it is to be edited."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,y", "dismiss(False)", "back"),
        Binding("e", "dismiss(True)", "edit"),
        Binding("c", "copy", "copy"),
    ]

    def __init__(self, title: str, text: str) -> None:
        super().__init__()
        self._title, self._text = title, text

    def compose(self) -> ComposeResult:
        """The text, scrollable."""
        with VerticalScroll(classes="dialog dialog-tall") as dialog:
            dialog.border_title = self._title
            dialog.border_subtitle = "e edit in $EDITOR · c copy · esc back"
            yield Static(highlight(self._text, language="yaml"))

    def action_copy(self) -> None:
        """To the clipboard."""
        copy_text(self.app, self._text, "clipboard.yaml")
