"""Which of the images that are there a session takes. Pure functions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

from ddib.data.source import ImageSource

What = Literal["toggle", "up to", "all"]


def pick(
    spec: ImageSource,
    names: Sequence[str],
    taken: Sequence[int],
    what: What,
    place: int,
    shown: Sequence[int],
) -> ImageSource:
    """The entry after a key in the grid: the image under the cursor, and all that are shown.

    Raises ValueError with one sentence when that would take none, or too many single ones.
    """
    if what == "toggle":
        return with_places(spec, names, set(taken) ^ {place})
    if what == "up to":
        last = taken == range(place + 1)
        return with_places(spec, names, range(max(1, place if last else place + 1)))
    everything = len(taken) == len(shown) and set(taken) == set(shown)
    return with_places(spec, names, [place] if everything else shown)


def with_places(spec: ImageSource, names: Sequence[str], places: Iterable[int]) -> ImageSource:
    """The entry with these images: by their number when they are the first, else one by one."""
    chosen = sorted(places)
    if not chosen:
        raise ValueError("this is the only image that is taken; one is needed")
    return spec.with_places(names, chosen)
