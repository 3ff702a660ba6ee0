"""Copying the session: the command that replays it, or its YAML."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from textual.app import App

from workbench.tui.models import Item
from workbench.tui.screens.dialogs.clipboard import copy_text
from workbench.tui.screens.dialogs.pick import Picker

if TYPE_CHECKING:
    from workbench.tui.screens.files.session_files import SessionFiles
    from workbench.tui.state.session.document import Document

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
