"""Titles and facts of the pictures in the viewer. Pure functions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from textual.geometry import Offset

    from workbench.tui.models import PictureRow


def title(row: PictureRow, image: int, letter: str, *, whole: bool) -> str:
    """Above a picture: its row, number, facts and name; of a whole row its title."""
    if whole:
        return f"{letter}{row.title}"
    name = row.names[image] if image < len(row.names) else ""
    number = f"image {image + 1}"
    number += "" if letter else f" of {len(row.pixels)}"
    facts = row.facts[image] if image < len(row.facts) else ""
    return letter + " · ".join(part for part in (row.title, number, facts, name) if part)


def difference_title(
    legend: str, seen: Mapping[str, tuple[PictureRow, int]], *, whole: bool
) -> str:
    """How to read a difference, and of what it is where that is not `seen` beside it."""
    parts = ["B − A", *([legend] if legend else [])]
    for letter, (row, image) in seen.items():
        number = "" if whole else f", image {image + 1}"
        parts.append(f"{letter} {row.title}{number}")
    return " · ".join(parts)


def sizes(rows: Sequence[PictureRow]) -> str:
    """Why pictures of two rows have no difference."""
    parts = ["×".join(map(str, row.pixels.shape[2:0:-1])) for row in rows]
    return f"There is no difference of pictures of {' and '.join(parts)} pixels."


def images_seen(lefts: Sequence[int], width: int, window: tuple[float, float], image: int) -> str:
    """Which images of a row are seen, those in half included; `window`: its first and last pixel.

    `lefts`: where the images start; `image`: the one that is looked at.
    """
    middles = [left + width / 2 for left in lefts]
    numbers = [n for n, middle in enumerate(middles, 1) if window[0] <= middle <= window[1]]
    if len(numbers) < 2:
        return f"image {image + 1} of {len(lefts)}"
    return f"images {numbers[0]}–{numbers[-1]} of {len(lefts)}"


def colors(seen: Mapping[str, tuple[PictureRow, int]], pixel: Offset) -> str:
    """The levels of a pixel in each of the pictures that have it."""
    levels = {}
    for letter, (row, image) in seen.items():
        picture = row.pixels[image]
        if pixel.y < picture.shape[0] and pixel.x < picture.shape[1]:
            levels[letter] = [int(level) for level in picture[pixel.y, pixel.x]]
    parts = [
        f"{letter + ' ' if len(seen) > 1 else ''}{' '.join(map(str, found))}"
        for letter, found in levels.items()
    ]
    return f"pixel {pixel.x}, {pixel.y}: " + " · ".join(parts)
