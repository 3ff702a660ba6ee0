"""Pictures as cached strips of half blocks, and the sizes they are drawn in.

A cell shows two pixels one above the other, so a picture of n pixels is lossless in n × n/2 cells.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from rich.segment import Segment
from textual.strip import Strip

if TYPE_CHECKING:
    from workbench.tui.models import Pixels
    from workbench.tui.terminal.half_blocks import Colors

RGB = tuple[int, int, int]

WASTE = 0.7  # of the width there is: a whole factor may use no less, else pixels are averaged


def picture_width(pixels: int, available: int) -> int:
    """Cells for a picture of `pixels` in `available` cells: even, and a whole factor if it can.

    Pictures grow by whole multiples only; they shrink by whole fractions unless that would leave
    much of the room empty.
    """
    if available >= pixels:
        return pixels * (available // pixels)
    room = max(2, available - available % 2)
    for divisor in range(2, pixels):
        width = pixels // divisor
        if pixels % divisor == 0 and width % 2 == 0 and width <= room:
            return width if width >= WASTE * available else room
    return room


def same_pixels(one: Pixels | None, other: Pixels | None) -> bool:
    """Whether two pictures look the same, so that nothing is sent to the terminal twice."""
    if one is None or other is None or one is other:
        return one is other
    return one.shape == other.shape and bool((one == other).all())


@dataclass(frozen=True)
class Backdrop:
    """What this program's terminal draws pictures on."""

    ground: RGB = (0, 0, 0)  # what a picture fades to
    colors: Colors = "full"


_backdrop = Backdrop()


def draw_on(backdrop: Backdrop) -> None:
    """Every picture from now on is drawn on this."""
    global _backdrop  # noqa: PLW0603  # a process has one terminal
    _backdrop = backdrop


def draw(pixels: Pixels, width: int, strength: float = 1.0) -> list[Strip]:
    """A picture [H, W, C] as strips `width` cells wide; `strength` < 1 fades what is stale."""
    height, breadth, channels = pixels.shape
    return list(_draw(pixels.tobytes(), height, breadth, channels, width, strength, _backdrop))


@lru_cache(maxsize=2048)
def _draw(
    data: bytes,
    height: int,
    breadth: int,
    channels: int,
    width: int,
    strength: float,
    backdrop: Backdrop,
) -> tuple[Strip, ...]:
    import numpy as np

    from workbench.tui.terminal.half_blocks import half_blocks

    pixels = np.frombuffer(data, np.uint8).reshape(height, breadth, channels)
    if strength < 1:
        ground = np.array(backdrop.ground)
        pixels = (pixels * strength + ground * (1 - strength)).astype(np.uint8)
    return tuple(half_blocks(pixels, width, background=backdrop.ground, colors=backdrop.colors))


def shrunk(pixels: Pixels, width: int) -> Pixels:
    """A picture [H, W, C] averaged to a smaller width."""
    from workbench.runs.strips import rgb
    from workbench.tui.terminal.half_blocks import resized

    return resized(rgb(pixels), width)


class Magnified:
    """A picture [H, W, C] in which each pixel is `factor` cells wide, drawn as far as it is seen.

    It is drawn in tiles, which are kept: scrolling draws new tiles only.
    """

    AHEAD = 16  # lines drawn together with the one that is asked for
    ACROSS = 64  # pixels of a tile

    def __init__(self, pixels: Pixels, factor: int) -> None:
        self.pixels, self.factor = pixels, factor
        self.width = pixels.shape[1] * factor
        self.height = -(-pixels.shape[0] * factor // 2)
        # By column of tiles and the two rows of pixels in a line.
        self._strips: dict[tuple[int, tuple[int, int]], Strip] = {}

    def line(self, line: int, start: int, end: int) -> Strip:
        """Cells start to end of a line.

        The lower half of the last line repeats the upper at an odd height.
        """
        across = self.ACROSS * self.factor
        lefts = range(start - start % across, min(end, self.width), across)
        return Strip.join(
            self._tile(line, left // across).crop(max(0, start - left), end - left)
            for left in lefts
        )

    def _tile(self, line: int, column: int) -> Strip:
        """A line of a tile."""
        key = column, self._rows(line)
        if key not in self._strips:
            self._draw(range(line, min(line + self.AHEAD, self.height)), column)
        return self._strips[key]

    def _rows(self, line: int) -> tuple[int, int]:
        last = len(self.pixels) - 1
        upper = 2 * line // self.factor
        return upper, min((2 * line + 1) // self.factor, last)

    def _draw(self, lines: range, column: int) -> None:
        import numpy as np

        from workbench.runs.strips import rgb
        from workbench.tui.terminal.half_blocks import cells

        missing = [
            rows
            for rows in dict.fromkeys(map(self._rows, lines))
            if (column, rows) not in self._strips
        ]
        left = column * self.ACROSS
        seen = self.pixels[np.ravel(missing), left : left + self.ACROSS]
        drawn = cells(np.ascontiguousarray(rgb(seen)), _backdrop.colors)
        for rows, strip in zip(missing, drawn, strict=True):
            self._strips[column, rows] = self._stretched(strip)

    def _stretched(self, strip: Strip) -> Strip:
        """Each cell `factor` times; a segment's characters are all the same."""
        if self.factor == 1:
            return strip
        return Strip([Segment(text * self.factor, style) for text, style, _ in strip])
