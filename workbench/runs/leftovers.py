"""What killed programs leave in a folder of runs: solved chunks of unfinished runs, half runs."""

import contextlib
import shutil
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from workbench.support.files import is_temporary, owner_is_gone, readable_size

UNFINISHED = ".unfinished"  # how a folder's name ends that holds the chunks of a run under way
PARTIAL, DELETED = "partial", "deleted"  # kinds of `temporary_name`: half written, half deleted
_DAY = 86400  # seconds after which nobody writes to what another machine began


@dataclass(frozen=True)
class Leftover:
    """A hidden folder beside the runs; `size` in bytes."""

    path: Path
    size: int

    def __str__(self) -> str:
        return f"{self.path.name} ({readable_size(self.size)})"


def leftovers(folder: Path) -> list[Leftover]:
    """What lies hidden in a folder of runs and is no program's work of this moment, by name.

    Of an unfinished run nobody can tell whether it goes on: its replay takes up what is there.
    """
    with contextlib.suppress(OSError):
        found = [path for path in folder.iterdir() if path.name.startswith(".") and _is_left(path)]
        return [Leftover(path, _size(path)) for path in sorted(found)]
    return []


def clear(found: Iterable[Leftover]) -> None:
    """Delete them; what cannot be deleted stays and is listed again."""
    for one in found:
        shutil.rmtree(one.path, ignore_errors=True)


def clear_dead(folder: Path) -> None:
    """Delete what ended programs of this machine left half written or half deleted."""
    for path in folder.glob(".*"):
        if any(owner_is_gone(path.name, kind) for kind in (PARTIAL, DELETED)):
            shutil.rmtree(path, ignore_errors=True)


def _is_left(path: Path) -> bool:
    if path.is_symlink() or not path.is_dir():
        return False
    ended = any(owner_is_gone(path.name, kind) for kind in (PARTIAL, DELETED))
    if path.name.endswith(UNFINISHED) or ended:
        return True
    begun = any(is_temporary(path.name, kind) for kind in (PARTIAL, DELETED))
    return begun and time.time() - path.stat().st_mtime > _DAY


def _size(folder: Path) -> int:
    files = (path for path in folder.rglob("*") if not path.is_symlink())
    total = 0
    for path in files:
        with contextlib.suppress(OSError):
            total += path.stat().st_size if path.is_file() else 0
    return total
