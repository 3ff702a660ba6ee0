"""Image files are found by a pattern, each once, however links lead; nothing is read.

A search is bounded: it ends in a refusal where there is more to look at than anybody can mean.
"""

import os
import re
import stat
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from fnmatch import translate
from glob import has_magic
from pathlib import Path

from ddib.data.file_names import escape_name
from ddib.errors import InputError

SUFFIXES = (
    ".png", ".apng", ".jpg", ".jpeg", ".jpe", ".jfif", ".webp", ".bmp", ".gif", ".tif", ".tiff",
)  # fmt: skip
FIRST_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif")  # of sessions of version 1
MOST_ENTRIES = 1_500_000  # that a search looks at: some two seconds
FOLDER_COST = 20  # entries that could be looked at while one folder is opened
NAMED = 8  # files that a note names

_OTHER_FILES = "left out, as their names do not end in those of pictures"
_LATER_SUFFIXES = "left out, as sessions of version 1 take no such files; version: 2 takes them"
_BAD_LINKS = "left out, as their links lead nowhere"
_NO_FILES = "left out, as they are pipes or devices"
_SHUT_FOLDERS = "left out, as these folders cannot be opened"


@dataclass(frozen=True)
class FoundFiles:
    """The names of files as seen from a folder, in order, and what is to be said of the rest."""

    names: Sequence[str]
    notes: tuple[str, ...] = ()


def check_regular(path: Path) -> None:
    """Raise InputError for a pipe or a device, which would keep a reader waiting."""
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError):
        return  # whoever opens it says what is wrong
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise InputError(f"{path}: a pipe or device, no file")


def split_pattern(path: str) -> tuple[str, str]:
    """A pattern's folder, which has no wildcard, and what is matched below it."""
    if os.path.isdir(path):  # noqa: PTH112  # a text, as everything here: folders may be large
        return path, "*"
    if os.path.isfile(path):  # noqa: PTH113
        return str(Path(path).parent), Path(path).name
    parts = Path(path).parts
    first = next((n for n, part in enumerate(parts) if has_magic(part)), len(parts) - 1)
    return str(Path(*parts[:first])), "/".join(parts[first:])


def find_files(folder: str, pattern: str, version: int) -> FoundFiles:
    """The image files that a pattern finds below a folder.

    version: of the session. 1: by name, and those of `FIRST_SUFFIXES`; 2: as people count, so that
    img2 comes before img10, and those of `SUFFIXES`.

    A folder of 100,000 is listed in a fraction of a second: no file is asked for anything. Raises
    InputError for a folder that cannot be opened and for a search without bounds.
    """
    if os.path.isfile(os.path.join(folder, pattern)):  # noqa: PTH113, PTH118
        return FoundFiles([pattern])
    parts = pattern.split("/")
    if "**" in parts and Path(folder) == Path(Path(folder).anchor):
        raise InputError(
            f"{folder}{pattern} searches the whole machine; begin with a folder, as in "
            "/home/me/photos/**/*.png"
        )
    search = _Search(folder, parts, FIRST_SUFFIXES if version == 1 else SUFFIXES)
    search.run()
    order: Callable[[str], object] = _parts if version == 1 else counted
    notes = [f"{reason}: {some_of(names)}" for reason, names in search.passed.items()]
    return FoundFiles(sorted(search.names, key=order), tuple(notes))  # type: ignore[arg-type]


def counted(name: str) -> tuple[object, ...]:
    """What names are sorted by as people count: img2 before img10, folder by folder."""
    parts = tuple(
        tuple(int(p) if n % 2 else p.casefold() for n, p in enumerate(re.split("([0-9]+)", part)))
        for part in name.split("/")
    )
    return parts, name


def _parts(name: str) -> list[str]:
    return name.split("/")


@dataclass
class _Search:
    """One search below a folder: what it found, what it passed over and how much it may see."""

    folder: str
    parts: Sequence[str]
    suffixes: tuple[str, ...]
    names: list[str] = field(default_factory=list)
    passed: dict[str, list[str]] = field(default_factory=dict)
    left: int = field(default_factory=lambda: MOST_ENTRIES)
    seen: set[tuple[int, int, int]] = field(default_factory=set)  # folders, each with its part

    def run(self) -> None:
        """Search; folders that lie there come before those that links lead to."""
        own, linked = deque([("", 0)]), deque[tuple[str, int]]()
        while own or linked:
            place, at = (own or linked).popleft()
            for step in self._look(place, at):
                is_link = os.path.islink(os.path.join(self.folder, step[0]))  # noqa: PTH114, PTH118
                (linked if is_link else own).append(step)

    def _look(self, place: str, at: int) -> list[tuple[str, int]]:
        """Take the files of a folder that the pattern's part `at` means; where to look next."""
        if not self._is_new(place, at):
            return []
        part, last = self.parts[at], at == len(self.parts) - 1
        if part != "**" and not last and not has_magic(part):
            return [(f"{place}{part}/", at + 1)]
        matches = re.compile(translate("*" if part == "**" else part)).match
        hidden = part.startswith(".")
        further = [] if last or part != "**" else [(place, at + 1)]
        for entry in self._entries(place):
            if not matches(entry.name) or (entry.name.startswith(".") and not hidden):
                continue
            if last and not _is_folder(entry):
                self._take(entry, place)
            elif (part == "**" or not last) and _is_folder(entry):
                further.append((f"{place}{entry.name}/", at if part == "**" else at + 1))
        return further

    def _is_new(self, place: str, at: int) -> bool:
        self._count(FOLDER_COST)
        try:
            found = os.stat(os.path.join(self.folder, place))  # noqa: PTH116, PTH118
        except OSError:
            return not place  # the first folder says itself what is wrong with it
        key = found.st_dev, found.st_ino, at
        if key in self.seen:
            return False
        self.seen.add(key)
        return True

    def _entries(self, place: str) -> Iterator[os.DirEntry[str]]:
        path = os.path.join(self.folder, place)  # noqa: PTH118
        try:
            with os.scandir(path) as entries:
                for entry in entries:
                    self._count(1)
                    yield entry
        except FileNotFoundError:
            return
        except OSError as error:
            if not place:
                raise InputError(f"{path}: cannot be opened ({error.strerror})") from error
            self._pass_over(_SHUT_FOLDERS, place.rstrip("/"))

    def _take(self, entry: os.DirEntry[str], place: str) -> None:
        name = f"{place}{entry.name}"
        if name.startswith("."):
            return
        if not entry.name.lower().endswith(self.suffixes):
            later = entry.name.lower().endswith(SUFFIXES)
            self._pass_over(_LATER_SUFFIXES if later else _OTHER_FILES, name)
        elif _is_file(entry):
            self.names.append(name)
        else:
            self._pass_over(_BAD_LINKS if entry.is_symlink() else _NO_FILES, name)

    def _pass_over(self, reason: str, name: str) -> None:
        self.passed.setdefault(reason, []).append(name)

    def _count(self, entries: int) -> None:
        self.left -= entries
        if self.left < 0:
            raise InputError(
                f"{os.path.join(self.folder, *self.parts)}: "  # noqa: PTH118
                f"more than {MOST_ENTRIES:,} files and folders to look at; name a narrower pattern"
            )


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def _is_file(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_file()
    except OSError:
        return False


def some_of(names: Sequence[str]) -> str:
    """The first of some names in order, and how many more there are."""
    first = ", ".join(map(escape_name, sorted(names)[:NAMED]))
    return f"{first} and {len(names) - NAMED} more" if len(names) > NAMED else first
