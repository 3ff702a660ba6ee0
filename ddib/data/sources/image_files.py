"""Image files are a source of images: those that a pattern finds, in the order of their names."""

import os
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import translate
from glob import glob, has_magic
from pathlib import Path
from re import compile as compile_pattern
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self

import numpy as np
from PIL import Image
from pydantic import Field, model_validator

from ddib.data.file_names import escape_name, unescape_name
from ddib.data.loading import load_images
from ddib.data.pixels import SUFFIXES, read_fitted
from ddib.data.source import (
    MAX_PICKED,
    EachOnce,
    Images,
    ImageSource,
    TrainingRequest,
    check_picked,
    check_reader,
)
from ddib.errors import InputError

if TYPE_CHECKING:
    from ddib.data.training import Pictures


class ImageFiles(ImageSource):
    """Image files by a pattern, in the order of their names."""

    name: ClassVar[str] = "files"
    path_key: ClassVar[str | None] = "path"
    picks_key: ClassVar[str | None] = "names"

    path: str = Field(description="a file, or a pattern such as photos/*.png", min_length=1)
    count: int | None = Field(None, ge=1, description="how many, from the first; null: all")
    names: Annotated[tuple[Annotated[str, Field(min_length=1)], ...] | None, EachOnce] = Field(
        None,
        min_length=1,
        max_length=MAX_PICKED,
        description="which files are taken, as seen from the pattern's folder; null: all",
    )

    @model_validator(mode="after")
    def _count_or_names(self) -> Self:
        if self.count is not None and self.names is not None:
            raise ValueError("count and names exclude each other; leave one of them out")
        return self

    @classmethod
    def has_keys(cls, keys: Mapping[str, Any]) -> bool:
        """See `ImageSource`."""
        return "path" in keys and "dataset" not in keys

    @classmethod
    def default_entry(cls, labels: Sequence[int] = ()) -> Self:
        """See `ImageSource`."""
        return cls(path="*.png")

    @classmethod
    def domain_entry(cls, data: Mapping[str, Any], labels: Sequence[int]) -> Self | None:
        """None: a checkpoint's header does not hold the folder that it was trained on."""
        return None

    @classmethod
    def training_data(cls, request: TrainingRequest) -> "Pictures":
        """The pictures of a folder."""
        from ddib.data.training import Pictures

        folder = Path(request.dataset)
        if not folder.is_dir():
            raise InputError(f"{folder}: no such folder of images")
        images = load_images([cls(path=str(folder))], size=request.size, channels=3)
        facts = {"folder": str(folder), "images": len(images.names), "size": request.size}
        return Pictures(images.pictures, folder.resolve().name, facts)

    @classmethod
    def examples(cls, folder: Path) -> Sequence[Self]:
        """See `ImageSource`."""
        for name, colour in (("a.png", "red"), ("b.png", "blue"), ("c.bmp", "green")):
            Image.new("RGB", (40, 32), colour).save(folder / name)
        pattern = str(folder / "*.png")
        return [
            cls(path=pattern),
            cls(path=str(folder), names=("c.bmp",)),
            cls(path=pattern, count=1),
        ]

    def find(self, base: Path) -> "AvailableFiles":
        """The files that match; raises InputError when none does."""
        return AvailableFiles(self, base)

    def untaken(self) -> Self:
        """See `ImageSource`."""
        return self.model_copy(update={"count": None, "names": None})

    def with_places(self, names: Sequence[str], places: Iterable[int]) -> Self:
        """See `ImageSource`."""
        chosen = sorted(places)
        count = chosen[-1] + 1
        if len(chosen) == count:
            count_or_all = count if count < len(names) else None
            return self.model_copy(update={"count": count_or_all, "names": None})
        check_picked(len(chosen))
        picked = tuple(names[place] for place in chosen)
        return self.model_copy(update={"count": None, "names": picked})

    def folder_stamp(self, base: Path) -> int | None:
        """See `ImageSource`."""
        try:
            return os.stat(split_pattern(_absolute(self.path, base))[0]).st_mtime_ns  # noqa: PTH116
        except OSError:
            return None


class AvailableFiles:
    """The files that an entry's pattern finds."""

    def __init__(self, entry: ImageFiles, base: Path) -> None:
        self.folder, pattern = split_pattern(_absolute(entry.path, base))
        self.names: Sequence[str] = list(map(escape_name, _matching(self.folder, pattern)))
        if not self.names:
            raise InputError(f"no image matches {Path(self.folder, pattern)}")

    def taken(self, spec: ImageFiles) -> Sequence[int]:
        """See `Available`."""
        if spec.names is None:
            count = len(self.names) if spec.count is None else spec.count
            if count > len(self.names):
                raise InputError(
                    f"count {count} is more than the {len(self.names)} images of {spec.path}; "
                    "lower count, or leave it out to take them all"
                )
            return range(count)
        wanted = set(spec.names)
        places = {name: n for n, name in enumerate(self.names) if name in wanted}
        if missing := [name for name in spec.names if name not in places]:
            raise InputError(f"no {missing[0]} among the {len(self.names)} images of {spec.path}")
        return [places[name] for name in spec.names]

    def load(self, places: Sequence[int], size: int, channels: int) -> Images:
        """See `Available`."""
        check_reader(ImageFiles, "image files", channels)
        files = tuple(Path(self.folder, unescape_name(self.names[n])) for n in places)
        pixels = np.stack([read_fitted(file, size, channels) for file in files])
        return Images(
            pixels, tuple(escape_name(f.stem) for f in files), (None,) * len(files), files
        )


def _absolute(path: str, base: Path) -> str:
    return str(base / Path(unescape_name(path)).expanduser())


def split_pattern(path: str) -> tuple[str, str]:
    """A pattern's folder, which has no wildcard, and what is matched below it."""
    if os.path.isdir(path):  # noqa: PTH112  # a text, as everything here: folders may be large
        return path, "*"
    if os.path.isfile(path):  # noqa: PTH113
        return str(Path(path).parent), Path(path).name
    parts = Path(path).parts
    first = next((n for n, part in enumerate(parts) if has_magic(part)), len(parts) - 1)
    return str(Path(*parts[:first])), "/".join(parts[first:])


def _matching(folder: str, pattern: str) -> list[str]:
    """Names of the image files that a pattern finds below a folder, in order.

    A folder of 100,000 is listed in a fraction of a second: no file is asked for anything.
    """
    if os.path.isfile(os.path.join(folder, pattern)):  # noqa: PTH113, PTH118
        return [pattern]
    if "/" in pattern or "**" in pattern:
        found = glob(pattern, root_dir=folder, recursive=True)  # noqa: PTH207
        names = [n for n in found if os.path.isfile(os.path.join(folder, n))]  # noqa: PTH113, PTH118
        return sorted(filter(_is_image, names), key=lambda name: name.split("/"))
    matches = compile_pattern(translate(pattern)).match
    try:
        with os.scandir(folder) as entries:
            return sorted(
                entry.name
                for entry in entries
                if _is_image(entry.name) and matches(entry.name) and entry.is_file()
            )
    except OSError:
        return []


def _is_image(name: str) -> bool:
    return name.lower().endswith(SUFFIXES) and not name.startswith(".")
