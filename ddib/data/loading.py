"""The images of a session are loaded: entry by entry, at a checkpoint's size."""

from collections.abc import Sequence
from pathlib import Path
from typing import cast

import numpy as np

from ddib.data.file_names import escape_name
from ddib.data.pixels import Values, deepened
from ddib.data.source import VERSION, Available, Images, ImageSource
from ddib.errors import InputError

MOST_BYTES = 2**29  # of the pixels of a session


def load_images(
    entries: Sequence[ImageSource],
    *,
    size: int,
    channels: int,
    base: Path = Path(),
    limit: int | None = None,
    version: int = VERSION,
) -> Images:
    """The images of a session at a checkpoint's size, or the first ones up to `limit`.

    Relative paths start from `base`; `version` is that of the session's file. Two images of one
    name are told apart by their folders.

    Raises InputError for a missing folder, an empty pattern, unreadable files, a count beyond what
    is there, and more pixels than `MOST_BYTES`.
    """
    parts: list[Images] = []
    for place, entry in enumerate(entries):
        left = None if limit is None else limit - sum(len(part.names) for part in parts)
        if left == 0:
            break
        try:
            there = entry.in_version(version).find(base)
            taken = there.taken(entry)[:left]
            held = sum(part.pixels.nbytes for part in parts)
            _check_room(held + len(taken) * size**2 * channels, len(taken))
            parts.append(there.load(taken, size, channels))
            _check_room(held + parts[-1].pixels.nbytes, len(taken))
        except InputError as error:
            raise InputError(str(error), key=f"source.images.{place}") from error
    return _joined(parts)


def load_readable(there: Available, places: Sequence[int], size: int, channels: int) -> Images:
    """As `there.load`, with a black picture in place of each file that cannot be read."""
    try:
        return there.load(places, size, channels)
    except InputError:
        if len(places) > 1:
            halves = [
                load_readable(there, part, size, channels)
                for part in (places[: len(places) // 2], places[len(places) // 2 :])
            ]
            return _joined(halves)
    black = np.zeros((1, size, size, channels), np.uint8)
    return Images(black, (there.names[places[0]],), (None,), (None,))


def join_pixels(parts: Sequence[Values]) -> Values:
    """Pixels of several images as one array; where some are deep, all become so."""
    if len({part.dtype for part in parts}) > 1:
        return np.concatenate([deepened(part) for part in parts])
    return parts[0] if len(parts) == 1 else cast(Values, np.concatenate(parts))


def distinct_names(names: Sequence[str], files: Sequence[Path | None]) -> tuple[str, ...]:
    """The names; those that several files share become the shortest ends of paths that differ.

    x.png and x.bmp of one folder keep their suffixes, x.png of two folders become one/x.png and
    two/x.png. A file that is there twice keeps one name.
    """
    sharing: dict[str, set[Path]] = {}
    for name, file in zip(names, files, strict=True):
        if file is not None:
            sharing.setdefault(name, set()).add(file)
    told_apart = {
        file: end
        for together in sharing.values()
        if len(together) > 1
        for file, end in _shortest_ends(together).items()
    }
    return tuple(
        name if file is None else told_apart.get(file, name)
        for name, file in zip(names, files, strict=True)
    )


def _check_room(needed: int, count: int) -> None:
    if needed > MOST_BYTES:
        raise InputError(
            f"with these {count:,} images the session has {needed / 2**20:,.0f} MiB of pixels, "
            f"more than the {MOST_BYTES // 2**20} MiB that a run holds; lower count, or cut the "
            "session into several"
        )


def _joined(parts: Sequence[Images]) -> Images:
    if len(counts := {part.pixels.shape[1:] for part in parts}) > 1:
        several = " and ".join(str(count) for _, count, _ in sorted(counts))
        raise InputError(f"clouds of {several} points; give all the same count", "source.images")
    files = tuple(file for part in parts for file in part.files)
    return Images(
        join_pixels([part.pixels for part in parts]),
        distinct_names([name for part in parts for name in part.names], files),
        tuple(label for part in parts for label in part.labels),
        files,
        tuple(dict.fromkeys(note for part in parts for note in part.notes)),
    )


def _shortest_ends(files: set[Path]) -> dict[Path, str]:
    """The last parts of each path, as many as tell all of them apart."""
    longest = max(len(file.parts) for file in files)
    for count in range(1, longest):
        ends = {file: escape_name("/".join(file.parts[-count:])) for file in files}
        if len(set(ends.values())) == len(files):
            return ends
    return {file: escape_name(file) for file in files}
