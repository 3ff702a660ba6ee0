"""The stored runs of a folder, each known from one quick look at its directory."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from ddib.errors import InputError
from workbench.runs.files import MANIFEST, SESSION
from workbench.runs.notes import Notes, readable_notes
from workbench.support.files import why

GLANCE = 4096  # bytes at the head of a manifest and of a session, in which the words stand


@dataclass(frozen=True)
class StoredRun:
    """A run directory after one look at it."""

    path: Path
    created: datetime
    session: str  # its name
    title: str
    notes: Notes
    words: str  # what a search finds it by, in small letters

    @property
    def name(self) -> str:
        """What the user calls it, else the session's title, else its name."""
        return self.notes.name or self.title or self.session


def scan(folder: Path) -> list[StoredRun]:
    """The runs of a folder, pinned ones first, then the newest. Raises InputError."""
    try:
        paths = [path for path in folder.iterdir() if not path.name.startswith(".")]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise InputError(f"{folder}: cannot be read: {why(error)}") from None
    runs = [run for path in paths if (run := glance(path)) is not None]
    return sorted(runs, key=lambda run: (run.notes.pinned, run.created, run.path), reverse=True)


def glance(path: Path) -> StoredRun | None:
    """A run directory by the head of its manifest; None where there is none."""
    try:
        with (path / MANIFEST).open("rb") as file:
            head = file.read(GLANCE).decode(errors="replace")
        changed = (path / MANIFEST).stat().st_mtime
    except OSError:
        return None
    notes, _ = readable_notes(path)
    session, title = _text(head, "session") or path.name, _text(head, "title")
    try:
        created = datetime.fromisoformat(_text(head, "created"))
        created = created if created.tzinfo else created.replace(tzinfo=UTC)
    except ValueError:
        created = datetime.fromtimestamp(changed, UTC)
    words = (path.name, notes.name, notes.note, session, title, _text(head, "status"), _yaml(path))
    return StoredRun(path, created, session, title, notes, "\n".join(words).casefold())


def _text(head: str, key: str) -> str:
    """A string of a manifest whose end may be cut off."""
    found = re.search(rf'"{key}":\s*("(?:[^"\\]|\\.)*")', head)
    try:
        return str(json.loads(found[1])) if found else ""
    except ValueError:
        return ""


def _yaml(path: Path) -> str:
    try:
        with (path / SESSION).open("rb") as file:
            return file.read(GLANCE).decode(errors="replace")
    except OSError:
        return ""
