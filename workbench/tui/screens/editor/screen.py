"""The session as YAML in the user's editor, and what happens when it comes back wrong."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual.app import App, ComposeResult, SuspendNotSupported
from textual.binding import Binding, BindingType
from textual.containers import Vertical

from workbench.tui.screens.dialogs.dialog import Dialog
from workbench.tui.widgets.lines import Lines

if TYPE_CHECKING:
    from workbench.session.schema import Session
    from workbench.tui.state.session.edited_text import WrongLine


class EditorProblem(Exception):
    """The editor did not do its work; the text says why."""


async def edit_text(app: App[None], text: str) -> tuple[Session, str] | None:
    """What the user makes of a session's text, asked again while it is wrong.

    None when nothing was changed or the user gave up; then the text stays in the state folder.
    """
    from workbench.session.errors import SessionError
    from workbench.session.reading import read_session_text
    from workbench.support.files import why
    from workbench.tui.state.session.edited_text import read_edited

    path = _new_file()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    except OSError as error:
        app.notify(f"{path} cannot be written: {why(error)}", severity="error", markup=False)
        return None
    typed = text
    while True:
        try:
            run_editor(app, path)
            typed = read_session_text(path)
        except (EditorProblem, SessionError) as error:
            kept = _discard_if_unchanged(path, unchanged=typed == text)
            app.notify(
                f"{error}{kept}", title="Not taken", severity="error", timeout=12, markup=False
            )
            return None
        if typed == text:
            path.unlink(missing_ok=True)
            return None
        result = read_edited(typed)
        if not isinstance(result, tuple):
            path.unlink(missing_ok=True)
            return result, typed
        if not await app.push_screen_wait(WrongText(result)):
            app.notify(f"Not taken. Your text is in {path}", timeout=12, markup=False)
            return None


def run_editor(app: App[None], path: Path) -> None:
    """Leave the terminal to the editor until it ends; raises EditorProblem."""
    command = os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise EditorProblem(f"{command} cannot be started: {error}\nSet EDITOR.") from None
    if not words or shutil.which(words[0]) is None:
        raise EditorProblem(f"{command} cannot be started: there is no such program\nSet EDITOR.")
    problem: OSError | None = None
    status = 0
    try:
        with app.suspend():  # an exception in here would leave the screen suspended
            try:
                status = subprocess.run([*words, str(path)], check=False).returncode
            except OSError as error:
                problem = error
    except SuspendNotSupported:
        raise EditorProblem("This terminal cannot be left to an editor.") from None
    if problem is not None:
        raise EditorProblem(f"{command} cannot be started: {problem}\nSet EDITOR.")
    if status:
        raise EditorProblem(f"{command} ended with status {status}.")


def _new_file() -> Path:
    from workbench.library.folders import folders

    return folders().state / f"edited-{datetime.now():%Y%m%d-%H%M%S}-{os.getpid()}.yaml"


def _discard_if_unchanged(path: Path, *, unchanged: bool) -> str:
    """Delete the file if it was not edited, else return a sentence that says where it is."""
    if unchanged:
        path.unlink(missing_ok=True)
        return ""
    return f"\nYour text is in {path}"


class WrongText(Dialog[bool]):
    """The text with its mistakes marked; whether it is edited again."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("e,enter", "dismiss(True)", "edit again"),
        Binding("escape", "dismiss(False)", "give up"),
    ]

    def __init__(self, lines: Sequence[WrongLine]) -> None:
        super().__init__()
        self._lines = lines

    def compose(self) -> ComposeResult:
        """The text."""
        with Vertical(classes="dialog dialog-tall") as dialog:
            dialog.border_title = "This is no session yet"
            dialog.border_subtitle = "e edit again · ↑↓ mistakes · esc give up, the text is kept"
            yield Lines(id="wrong-text")

    def on_mount(self) -> None:
        """The cursor goes from mistake to mistake."""
        view = self.query_one(Lines)
        view.set_lines([_line(line) for line in self._lines])
        view.focus()
        self.call_after_refresh(view.action_jump, 0)


def _line(line: WrongLine) -> tuple[list[tuple[str, str]], list[tuple[str, str]], bool]:
    if line.number is None:
        return [("     ▲ ", "lines--error"), (line.text, "lines--error")], [], False
    number = (f"{line.number:4} ", "lines--error" if line.wrong else "lines--dim")
    return [number, (line.text, "")], [], line.wrong
