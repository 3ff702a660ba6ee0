"""The images of a session are loaded: entry by entry, at a checkpoint's size."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ddib.data.source import Available, Images, ImageSource
from ddib.errors import InputError


def load_images(
    entries: Sequence[ImageSource],
    *,
    size: int,
    channels: int,
    base: Path = Path(),
    limit: int | None = None,
) -> Images:
    """The images of a session at a checkpoint's size, or the first ones up to `limit`.

    Relative paths start from `base`.

    Raises InputError for a missing folder, an empty pattern, an unreadable file or a count
    beyond what is there.
    """
    parts: list[Images] = []
    for place, entry in enumerate(entries):
        left = None if limit is None else limit - sum(len(part.names) for part in parts)
        if left == 0:
            break
        try:
            there = entry.find(base)
            parts.append(there.load(there.taken(entry)[:left], size, channels))
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


def _joined(parts: Sequence[Images]) -> Images:
    if len(counts := {part.pixels.shape[1:] for part in parts}) > 1:
        several = " and ".join(str(count) for _, count, _ in sorted(counts))
        raise InputError(f"clouds of {several} points; give all the same count", "source.images")
    return Images(
        np.concatenate([part.pixels for part in parts]),
        tuple(name for part in parts for name in part.names),
        tuple(label for part in parts for label in part.labels),
        tuple(file for part in parts for file in part.files),
    )
