"""What the cache of solved chunks holds, read and cleared without torch."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from rich.table import Table
from safetensors import SafetensorError, safe_open

from workbench.support.files import readable_size


@dataclass
class Group:
    """The chunks that one model solved in one way."""

    chunks: int = 0
    images: int = 0
    size: int = 0  # bytes
    used: float = 0.0  # when last, in seconds of the epoch


LEFT = "left by programs that were ended"


def groups(folder: Path) -> dict[tuple[str, str, str], Group]:
    """By model, direction and solver, the last used first; damaged files count as "damaged"."""
    found: dict[tuple[str, str, str], Group] = {}
    for path in _chunks(folder):
        try:
            status = path.stat()
            with safe_open(path, framework="np") as file:
                facts = file.metadata() or {}
        except FileNotFoundError:  # another program made room this moment
            continue
        except (OSError, SafetensorError):
            facts = {"model": "damaged"}
        kind = (facts.get("model", ""), facts.get("direction", ""), facts.get("solver", ""))
        group = found.setdefault(kind, Group())
        group.chunks += 1
        group.images += int(facts.get("images", 0))
        group.size += status.st_size
        group.used = max(group.used, status.st_mtime)
    for path in _left(folder):
        with contextlib.suppress(OSError):
            status, group = path.stat(), found.setdefault((LEFT, "", ""), Group())
            group.size += status.st_size
            group.used = max(group.used, status.st_mtime)
    return dict(sorted(found.items(), key=lambda item: -item[1].used))


def table(found: dict[tuple[str, str, str], Group]) -> Table:
    """The groups for a person's eyes."""
    shown = Table(box=None, pad_edge=False)
    for name in ("model", "way", "solver, grid, steps"):
        shown.add_column(name, overflow="fold")
    for name in ("chunks", "images", "size", "last used"):
        shown.add_column(name, justify="right")
    for (model, direction, solver), group in found.items():
        used = f"{datetime.fromtimestamp(group.used):%Y-%m-%d %H:%M}"
        counts = (str(group.chunks), str(group.images), readable_size(group.size), used)
        shown.add_row(model, direction, solver, *counts)
    return shown


def size(folder: Path) -> tuple[int, int]:
    """How many chunks there are, and the bytes of all that lies there."""
    chunks = list(_chunks(folder))
    total = 0
    for path in (*chunks, *_left(folder)):
        with contextlib.suppress(FileNotFoundError):
            total += path.stat().st_size
    return len(chunks), total


def clear(folder: Path) -> tuple[int, int]:
    """Delete all that lies there; what `size` said before. Running programs compute it anew."""
    before = size(folder)
    for path in (*_chunks(folder), *_left(folder)):
        path.unlink(missing_ok=True)
    return before


def _left(folder: Path) -> Iterator[Path]:
    """Chunks that nobody finished writing; one that somebody writes is computed again."""
    return (path for path in folder.glob(".*") if path.is_file() or path.is_symlink())


def _chunks(folder: Path) -> Iterator[Path]:
    return folder.glob("[0-9a-f]*.safetensors")
