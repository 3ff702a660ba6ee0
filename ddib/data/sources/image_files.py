"""Image files are a source of images: those that a pattern finds, in the order of their names."""

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self

from PIL import Image
from pydantic import AfterValidator, Field, model_validator

from ddib.data.file_names import escape_name, unescape_name
from ddib.data.files import check_regular, find_files, some_of, split_pattern
from ddib.data.loading import join_pixels, load_images
from ddib.data.pictures import Picture, Reading, read_picture
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
from ddib.paths import PathText, user_path

if TYPE_CHECKING:
    from ddib.data.training import Pictures


def _hex_colour(text: str) -> str:
    if not re.fullmatch("#[0-9a-fA-F]{6}", text):
        raise ValueError(f"{text!r} is no colour; write it as #rrggbb, such as #ffffff for white")
    return text.lower()


class ImageFiles(ImageSource):
    """Image files by a pattern, in the order of their names."""

    name: ClassVar[str] = "files"
    path_key: ClassVar[str | None] = "path"
    training_keys: ClassVar[frozenset[str]] = frozenset({"size"})
    picks_key: ClassVar[str | None] = "names"

    path: PathText = Field(description="a file, or a pattern such as photos/*.png")
    count: int | None = Field(None, ge=1, description="how many, from the first; null: all")
    names: Annotated[tuple[Annotated[str, Field(min_length=1)], ...] | None, EachOnce] = Field(
        None,
        min_length=1,
        max_length=MAX_PICKED,
        description="which files are taken, as seen from the pattern's folder; null: all",
    )

    background: Annotated[str, AfterValidator(_hex_colour)] = Field(
        "#000000", description="behind what is transparent, as #rrggbb"
    )
    bits: int | None = Field(
        None,
        ge=9,
        le=16,
        description="of greys stored in 16 bits from the low end, 12 of many cameras; "
        "null: those that the file has",
    )
    unreadable: Literal["refuse", "skip"] = Field(
        "refuse", description="what is done about files that cannot be read; skip: left out"
    )

    @model_validator(mode="after")
    def _count_or_names(self) -> Self:
        if self.count is not None and self.names is not None:
            raise ValueError("count and names exclude each other; leave one of them out")
        return self

    @property
    def reading(self) -> Reading:
        """How its files are read."""
        return Reading(self.background, self.bits, deep=self._version > 1)

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
        except (OSError, InputError):
            return None


class AvailableFiles:
    """The files that an entry's pattern finds."""

    def __init__(self, entry: ImageFiles, base: Path) -> None:
        self._entry = entry
        self.folder, pattern = split_pattern(_absolute(entry.path, base))
        found = find_files(self.folder, pattern, entry._version)
        self.names: Sequence[str] = list(map(escape_name, found.names))
        self._notes = found.notes
        if not self.names:
            check_regular(Path(self.folder, pattern))
            raise InputError(
                "; ".join((f"no image matches {Path(self.folder, pattern)}", *found.notes))
            )

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
        """See `Available`; with `unreadable: skip` those that can be read."""
        check_reader(ImageFiles, "image files", channels)
        read: dict[str, Picture] = {}
        problems: dict[str, str] = {}
        for name in (self.names[place] for place in places):
            file = Path(self.folder, unescape_name(name))
            try:
                read[name] = read_picture(file, size, channels, self._entry.reading)
            except InputError as error:
                problems[name] = str(error).removeprefix(f"{file}: ")
        if problems and (self._entry.unreadable == "refuse" or not read):
            raise InputError(self._refusal(problems, len(places)))
        left_out = [f"left out, as unreadable: {one}: {why}" for one, why in problems.items()]
        return Images(
            join_pixels([picture.pixels[None] for picture in read.values()]),
            tuple(Path(name).stem for name in read),
            (None,) * len(read),
            tuple(Path(self.folder, unescape_name(name)) for name in read),
            (*self._notes, *left_out, *_notes_of(read)),
        )

    def _refusal(self, problems: Mapping[str, str], count: int) -> str:
        """All that cannot be read, and the way out."""
        way_out = "" if len(problems) == count else "; leave them out with unreadable: skip"
        if len(problems) == 1:
            ((name, why),) = problems.items()
            return f"{Path(self.folder, name)}: {why}{way_out.replace('them', 'it')}"
        named = "; ".join(f"{name}: {why}" for name, why in problems.items())
        return f"{len(problems)} of {count} images of {self.folder}: {named}{way_out}"


def _notes_of(read: Mapping[str, Picture]) -> list[str]:
    """What was done to some of the pictures, each with those it was done to."""
    done: dict[str, list[str]] = {}
    for name, picture in read.items():
        for note in picture.notes:
            done.setdefault(note, []).append(name)
    return [f"{note}: {some_of(names)}" for note, names in done.items()]


def _absolute(path: str, base: Path) -> str:
    return str(user_path(unescape_name(path), base))
