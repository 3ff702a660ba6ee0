"""The files of a folder by name, numbers in their order."""

import re
from collections.abc import Iterator
from pathlib import Path

from ddib.data.files import SUFFIXES
from ddib.errors import InputError


def list_images(folder: Path) -> list[Path]:
    """The image files of a folder by name, numbers in their order; raises InputError."""
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder")
    return list(visible_files(folder, SUFFIXES))


def visible_files(folder: Path, suffixes: tuple[str, ...]) -> Iterator[Path]:
    """Visible files of a folder; none of a folder that cannot be listed."""
    try:
        paths = [
            path
            for path in folder.iterdir()
            if path.suffix.lower() in suffixes and not path.name.startswith(".") and path.is_file()
        ]
    except OSError:
        return iter(())
    return iter(sorted(paths, key=lambda path: _natural(path.name)))


def _natural(name: str) -> list[tuple[int, str]]:
    """A sort key under which `image-2` comes before `image-10`."""
    parts = re.split(r"(\d+)", name)
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts if part]
