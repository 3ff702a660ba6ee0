"""Which of the images that are there a session takes. Pure functions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

from ddib.data.points import SyntheticPoints
from ddib.data.sources import MAX_PICKED, ColoredMNIST, ImageSpec

What = Literal["toggle", "up to", "all"]


def plain(spec: ImageSpec) -> ImageSpec:
    """The entry as it finds its images, whatever it takes of them."""
    if isinstance(spec, SyntheticPoints):
        return spec
    if isinstance(spec, ColoredMNIST):
        count = spec.count if spec.repeat else 1
        return spec.model_copy(update={"count": count, "indices": None})
    return spec.model_copy(update={"count": None, "names": None})


def pick(
    spec: ImageSpec,
    names: Sequence[str],
    taken: Sequence[int],
    what: What,
    place: int,
    shown: Sequence[int],
) -> ImageSpec:
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


def with_places(spec: ImageSpec, names: Sequence[str], places: Iterable[int]) -> ImageSpec:
    """The entry with these images: by their number when they are the first, else one by one."""
    chosen = sorted(places)
    if not chosen:
        raise ValueError("this is the only image that is taken; one is needed")
    if isinstance(spec, SyntheticPoints):
        return spec
    count = chosen[-1] + 1
    first = len(chosen) == count
    if not first and len(chosen) > MAX_PICKED:
        raise ValueError(
            f"a session names up to {MAX_PICKED:,} single images, these are {len(chosen):,}; "
            "/ narrows the list and * takes what it shows, or only the one under the cursor"
        )
    if isinstance(spec, ColoredMNIST):
        indices = None if first else tuple(chosen)
        return spec.model_copy(update={"count": count, "indices": indices})
    picked = None if first else tuple(names[place] for place in chosen)
    number = count if first and count < len(names) else None
    return spec.model_copy(update={"count": number, "names": picked})
