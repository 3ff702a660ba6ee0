"""The user's notes on a run: a name, a text, a pin."""

from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ddib.errors import InputError, RunError
from workbench.runs.files import MANIFEST, NOTES
from workbench.runs.manifest import Record
from workbench.support.files import atomic_write, why


class Notes(Record, frozen=True):
    """What the user says about a run."""

    pinned: bool = False
    name: str = ""  # shown in place of the session's title
    note: str = ""


def read_notes(run: Path) -> Notes:
    """What the user says about a run, all empty without a file; raises InputError when damaged."""
    path = run / NOTES
    try:
        return Notes.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return Notes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {why(error)}") from None
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"]))
        raise InputError(f"{path}: damaged: {key + ': ' if key else ''}{first['msg']}") from None


def readable_notes(run: Path) -> tuple[Notes, str | None]:
    """The notes of a run, and what is wrong with them: damaged ones are as good as none."""
    try:
        return read_notes(run), None
    except InputError as error:
        return Notes(), str(error)


def write_notes(run: Path, notes: Notes) -> None:
    """Put the user's notes into a run directory; raises InputError for what is none, RunError."""
    if not (run / MANIFEST).is_file():
        raise InputError(f"{run}: not a run directory: it has no {MANIFEST}")
    try:
        atomic_write(run / NOTES, notes.model_dump_json(indent=1).encode() + b"\n")
    except OSError as error:
        raise RunError(f"{run / NOTES}: cannot be written: {why(error)}") from error


def change_notes(run: Path, **changes: Any) -> Notes:
    """Change some of the notes of a run; what they are then. Raises InputError, RunError."""
    notes = readable_notes(run)[0].model_copy(update=changes)
    write_notes(run, notes)
    return notes
