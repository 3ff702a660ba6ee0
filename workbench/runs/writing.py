"""A run is written under a hidden temporary name and renamed when it is complete.

Two programs may use a folder at the same time: a name goes to whoever renames first, the other
takes the next.
"""

import errno
import os
import re
import shutil
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from ddib.errors import Cancelled, InputError, RunError
from ddib.files import temporary_name
from workbench.runs.files import MANIFEST
from workbench.runs.leftovers import PARTIAL, clear_dead, leftovers
from workbench.runs.manifest import Manifest, read_manifest
from workbench.support.files import atomic_write, check_folder, is_full, why
from workbench.support.names import NAME_BYTES, is_name
from workbench.support.text import clean

_TAKEN = (errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR)


@dataclass
class NewRun:
    """A run being written: everything goes under `path`, the manifest last.

    `path` is a temporary directory inside `new_run` and the final one afterwards.
    """

    path: Path

    def write_manifest(self, manifest: Manifest) -> None:
        """Say what the run is; a run with a manifest is kept, whatever happens next."""
        atomic_write(self.path / MANIFEST, manifest.model_dump_json(indent=1).encode() + b"\n")


def stamped_name(session: str, now: datetime) -> str:
    """The name of a run in the user's store, which sorts by time: 20261123-201500-session."""
    return f"{now:%Y%m%d-%H%M%S}-{safe_name(session)}"


@contextmanager
def new_run(folder: Path, name: str) -> Iterator[NewRun]:
    """Make a run directory in `folder`, named `name`, `name-2`, `name-3`, … when complete.

    Without a manifest at the end of the body nothing is left; when the body raises, the manifest
    that is there then says failed or cancelled. Raises InputError when the folder
    cannot be used, and RunError when the disk is full or the files cannot be written.
    """
    if not is_name(name):
        name = safe_name(name)
    check_folder(folder, "runs")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        clear_dead(folder)
        partial = folder / temporary_name(name, PARTIAL)
        partial.mkdir()
    except OSError as error:
        kind = RunError if is_full(error) else InputError
        raise kind(f"{folder}: cannot hold runs: {why(error)}") from error
    run = NewRun(partial)
    try:
        try:
            yield run
        except BaseException as error:
            _mark(partial, error)
            raise
        finally:
            if (partial / MANIFEST).exists():
                run.path = _publish(partial, folder, name)
    except Exception as error:
        if is_full(error):
            raise RunError(f"{folder}: the disk is full; {_how_to_make_room(folder)}") from error
        if isinstance(error, OSError) and _inside(error, partial):
            raise RunError(f"{folder}: the run cannot be written: {why(error)}") from error
        raise
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _how_to_make_room(folder: Path) -> str:
    left = ", ".join(map(str, leftovers(folder)))
    unfinished = f"delete what is left of unfinished runs there with `runs clean`: {left}; "
    return f"{unfinished if left else ''}delete runs there or write them elsewhere"


def safe_name(text: str) -> str:
    """`text` as a file name without blanks, of bearable length, never hidden or empty."""
    plain = re.sub(r"[^\w.+=-]+", "-", unicodedata.normalize("NFC", text)).strip("-.")
    return plain.encode()[:NAME_BYTES].decode(errors="ignore") or "untitled"


def _publish(partial: Path, folder: Path, name: str) -> Path:
    """Rename a finished directory to the first free name; returns that."""
    number = 1
    while True:
        path = folder / (name if number == 1 else f"{name}-{number}")
        try:
            claim_name(partial, path)
        except FileExistsError:
            number += 1
        else:
            return path


def claim_name(partial: Path, path: Path) -> None:
    """Rename a directory with something in it; raises FileExistsError when the name is taken.

    Of two programs that rename to one name at once, one is refused: a directory can only
    replace an *empty* directory, and what the other has just put there is not empty.
    """
    if os.path.lexists(path):
        raise FileExistsError(errno.EEXIST, "already there", str(path))
    try:
        partial.rename(path)
    except OSError as error:
        if error.errno in _TAKEN:
            raise FileExistsError(errno.EEXIST, "already there", str(path)) from None
        raise


def _mark(partial: Path, error: BaseException) -> None:
    """Let the manifest of a run that was torn off say so."""
    try:
        manifest = read_manifest(partial)
    except InputError:
        (partial / MANIFEST).unlink(missing_ok=True)
        return
    if manifest.status == "done":
        stopped = isinstance(error, Cancelled | KeyboardInterrupt | SystemExit | GeneratorExit)
        manifest.status = "cancelled" if stopped else "failed"
        manifest.error = manifest.error or clean(str(error)) or type(error).__name__
        try:
            NewRun(partial).write_manifest(manifest)
        except OSError:
            (partial / MANIFEST).unlink(missing_ok=True)  # rather no run than one that lies


def _inside(error: OSError, folder: Path) -> bool:
    place = error.filename
    return isinstance(place, str) and Path(place).resolve().is_relative_to(folder.resolve())
