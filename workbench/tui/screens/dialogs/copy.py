"""Copying out of the program: to the terminal's clipboard, and to a file for want of one."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from textual.app import App

from workbench.tui.screens.dialogs.pick import Item, Picker

if TYPE_CHECKING:
    from workbench.tui.screens.files.questions import SessionFiles
    from workbench.tui.state.document import Document

CHOICES = (
    Item("command", "replay command", "runs the saved session headless, in a shell or a job"),
    Item("yaml", "session as YAML", "as it stands, saved or not"),
)


async def copy_session(
    app: App[None], files: SessionFiles, document: Document, options: Sequence[str]
) -> None:
    """Ask what to copy, and copy it; `options`: what a replay needs besides the session."""
    choice = await app.push_screen_wait(Picker("Copy", CHOICES, subtitle="enter copy · esc back"))
    if choice == "yaml":
        copy_text(app, document.yaml, "clipboard.yaml")
    elif choice == "command" and await files.on_disk(document) and document.path is not None:
        copy_text(app, replay_command(document.path, options), "clipboard.txt")


def replay_command(path: Path, options: Sequence[str]) -> str:
    """What runs a session file headless."""
    return shlex.join(["ddib-workbench", "replay", str(path), *options])


def copy_text(app: App[None], text: str, name: str) -> None:
    """To the terminal's clipboard (OSC 52) and to a file of the state folder; says both."""
    from workbench.library.library import folders
    from workbench.support.files import atomic_write, why

    app.copy_to_clipboard(text)
    path = folders().state / name
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        atomic_write(path, text.encode())
        kept = f"Also in {path}"
    except OSError as error:
        kept = f"{path} cannot be written: {why(error)}"
    app.notify(
        f"Sent to the terminal's clipboard; tmux needs set-clipboard on.\n{kept}",
        title="Copied",
        timeout=8,
        markup=False,
    )
