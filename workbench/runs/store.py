"""The store of runs: an append-only folder of run directories, listed, found and deleted."""

import shutil
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from ddib.errors import InputError, RunError
from ddib.files import temporary_name
from ddib.paths import user_path
from workbench.runs.files import MANIFEST
from workbench.runs.leftovers import DELETED
from workbench.runs.manifest import Manifest, read_manifest
from workbench.runs.notes import Notes, readable_notes
from workbench.support.files import why
from workbench.support.suggestions import suggest


@dataclass(frozen=True)
class StoredRun:
    """A run directory in a folder; broken when it has a problem."""

    name: str
    path: Path
    manifest: Manifest | None
    problem: str | None = None
    notes: Notes = field(default_factory=Notes)
    notes_problem: str | None = None  # why its notes are as good as none


def has_runs(folder: Path) -> bool:
    """Whether a folder holds any run."""
    return next(folder.glob(f"[!.]*/{MANIFEST}"), None) is not None


def list_runs(folder: Path) -> list[StoredRun]:
    """The runs of a folder, newest first; broken ones carry their problem. Raises InputError.

    A folder that does not exist has no runs.
    """
    try:
        paths = [path for path in folder.iterdir() if not path.name.startswith(".")]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise InputError(f"{folder}: cannot be read: {why(error)}") from None
    found: list[tuple[datetime, StoredRun]] = []
    for path in paths:
        try:
            changed = datetime.fromtimestamp((path / MANIFEST).stat().st_mtime, UTC)
        except OSError:  # no run, or one that is being deleted this moment
            continue
        notes = readable_notes(path)
        try:
            manifest = read_manifest(path)
        except InputError as error:
            found.append((changed, StoredRun(path.name, path, None, str(error), *notes)))
        else:
            created = manifest.created
            if created.tzinfo is None:
                created = created.replace(tzinfo=UTC)
            found.append((created, StoredRun(path.name, path, manifest, None, *notes)))
    found.sort(key=lambda item: (item[0], item[1].name), reverse=True)
    return [run for _, run in found]


def find_run(folder: Path, name: str) -> Path:
    """A run directory by its name in `folder`, else by its path; raises InputError."""
    elsewhere = user_path(name)
    for path in (folder / name, elsewhere):
        if (path / MANIFEST).is_file():
            return path
    names = [run.name for run in list_runs(folder)]
    raise InputError(f"no run {name!r} in {folder}, and no run directory{suggest(name, names)}")


def delete_run(folder: Path, name: str) -> None:
    """Delete a run directory that lies in `folder` and holds a manifest, and nothing else.

    Raises InputError for any other name and RunError when the system refuses.
    """
    path = run_to_delete(folder, name)
    doomed = folder / temporary_name(name, DELETED)
    try:
        path.rename(doomed)  # first out of sight, so that nobody meets half a run
        shutil.rmtree(doomed)
    except OSError as error:
        raise RunError(f"{path}: cannot be deleted: {why(error)}") from error


def run_to_delete(folder: Path, name: str) -> Path:
    """The directory that `delete_run` would delete; raises InputError as it does."""
    path = folder / name
    if path.name != name or name.startswith(".") or path.is_symlink():
        raise InputError(f"{name!r} is not the name of a run in {folder}")
    if not (path / MANIFEST).is_file():
        names = [run.name for run in list_runs(folder)]
        raise InputError(f"no run {name!r} in {folder}{suggest(name, names)}")
    return path
