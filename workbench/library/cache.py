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
    """How many chunks there are, and their bytes."""
    sizes = []
    for path in _chunks(folder):
        with contextlib.suppress(FileNotFoundError):
            sizes.append(path.stat().st_size)
    return len(sizes), sum(sizes)


def clear(folder: Path) -> tuple[int, int]:
    """Delete every chunk; what `size` said before. Programs that are running compute them anew."""
    before = size(folder)
    for path in _chunks(folder):
        path.unlink(missing_ok=True)
    return before


def _chunks(folder: Path) -> Iterator[Path]:
    return folder.glob("[0-9a-f]*.safetensors")
