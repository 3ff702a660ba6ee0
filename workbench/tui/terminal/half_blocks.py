"""Images as terminal cells: half blocks in cached strips for the screen.

A cell shows two pixels, one above the other: a picture of 32×32 is lossless in 32×16 cells.
"""

from collections.abc import Iterable
from functools import lru_cache
from itertools import groupby
from typing import Literal

import numpy as np
from PIL import Image
from rich.color import Color, ColorType
from rich.color_triplet import ColorTriplet
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from workbench.runs.strips import Pixels, rgb

RGB = tuple[int, int, int]

Colors = Literal["full", "few", "none"]  # of a terminal: 256 or more, 16, not wanted

SHADES = " .:-=+*#%@"  # from black to white, for a terminal of few colours or none
_BRIGHT = np.array(  # the hues that 16 colours have, as rich knows them, and white
    [(255, 85, 85), (255, 255, 85), (85, 255, 85), (85, 255, 255), (85, 85, 255), (255, 85, 255),
     (255, 255, 255)]
)  # fmt: skip
_BLACK: RGB = (0, 0, 0)
_LUMA = np.array([0.299, 0.587, 0.114])  # ITU-R BT.601
_LEAST_WIDTH = 2  # cells; below that a picture says nothing


def half_blocks(
    pixels: Pixels, width: int, *, background: RGB = _BLACK, colors: Colors = "full"
) -> list[Strip]:
    """`pixels` uint8 [h, w, c], c = 1 or 3, in exactly `width` cells and ⌈h·width/w/2⌉ lines.

    A larger picture is magnified by repeating pixels, without change of colour when `width` is
    a multiple of w; a smaller one averages over areas. `background` fills the lower half of the
    last line of an odd height. With `few` or no `colors`, shades as characters.
    """
    strips = _draw(np.ascontiguousarray(pixels).tobytes(), pixels.shape, width, background, colors)
    return list(strips)


def image_strips(
    pixels: Pixels, columns: int, background: RGB = _BLACK, *, colors: Colors = "full"
) -> list[Strip]:
    """One image, as large as fits `columns` (see `fitting_width`), the rest is background."""
    return row_strips(pixels[None], columns, background, colors=colors)


def row_strips(
    pixels: Pixels, columns: int, background: RGB = _BLACK, *, gap: int = 1, colors: Colors = "full"
) -> list[Strip]:
    """Images [n, h, w, c] side by side, `gap` cells apart, in lines of exactly `columns` cells.

    All are as large as fits; when not even the smallest fit, the last ones are left out.
    """
    count = min(len(pixels), max(1, (columns + gap) // (_LEAST_WIDTH + gap)))
    width = fitting_width(pixels.shape[2], (columns + gap) // count - gap)
    style = _style(background, None) if colors == "full" else Style.null()
    images = [half_blocks(p, width, background=background, colors=colors) for p in pixels[:count]]
    space = Strip([Segment(" " * gap, style)], gap)
    lines = []
    for parts in zip(*images, strict=True):
        spaced = [part for image in parts for part in (space, image)][1:]
        lines.append(Strip.join(spaced).adjust_cell_length(columns, style))
    return lines


def fitting_width(pixels: int, available: int) -> int:
    """Cells for `pixels` pixels: the largest whole multiple that fits, else all there are."""
    available = max(available, _LEAST_WIDTH)
    return pixels * (available // pixels) or available


# 512 pictures of 32×32 noise, the worst case, take about 30 MB.
@lru_cache(maxsize=512)
def _draw(
    data: bytes, shape: tuple[int, ...], width: int, background: RGB, colors: Colors
) -> tuple[Strip, ...]:
    picture = resized(rgb(np.frombuffer(data, np.uint8).reshape(shape)), width)
    if picture.shape[0] % 2:
        last = np.broadcast_to(np.array(background, np.uint8), (1, width, 3))
        picture = np.concatenate([picture, last])
    return cells(picture, colors)


def resized(pixels: Pixels, width: int) -> Pixels:
    """Pixels [h, w, 3] in another width: repeated when larger, averaged when smaller."""
    height = max(1, round(pixels.shape[0] * width / pixels.shape[1]))
    larger = width >= pixels.shape[1]
    how = Image.Resampling.NEAREST if larger else Image.Resampling.BOX
    return np.asarray(Image.fromarray(np.ascontiguousarray(pixels)).resize((width, height), how))


def cells(pixels: Pixels, colors: Colors) -> tuple[Strip, ...]:
    """Pixels [h, w, 3] of an even height, two in each cell, in the colours that there are.

    All characters of a segment are the same; nothing is remembered.
    """
    return _blocks(pixels) if colors == "full" else _shades(pixels, colors)


def _blocks(pixels: Pixels) -> tuple[Strip, ...]:
    """Upper pixels as the foreground of ▀, lower ones as the background; a space where equal."""
    styles: dict[tuple[int, ...], Style] = {}
    strips = []
    for line in np.concatenate([pixels[::2], pixels[1::2]], axis=2):
        starts = [0, *(np.flatnonzero((line[1:] != line[:-1]).any(axis=1)) + 1).tolist()]
        lengths = np.diff([*starts, len(line)]).tolist()
        segments = []
        for colors, length in zip(map(tuple, line[starts].tolist()), lengths, strict=True):
            above, below = colors[:3], colors[3:]
            if (style := styles.get(colors)) is None:
                style = styles[colors] = _style(below, None if above == below else above)
            segments.append(Segment((" " if above == below else "▀") * length, style))
        strips.append(Strip(segments, len(line)))
    return tuple(strips)


def _shades(pixels: Pixels, colors: Colors) -> tuple[Strip, ...]:
    """Brightness as characters; in few colours each in the nearest hue, on black."""
    pairs = pixels.reshape(len(pixels) // 2, 2, -1, 3).mean(axis=1)
    bright = pairs @ _LUMA if colors == "none" else pairs.max(axis=2)
    levels = np.rint(bright * ((len(SHADES) - 1) / 255)).astype(int)
    hues = np.full(levels.shape, -1) if colors == "none" else _hues(pairs)
    styles = {-1: Style.null()} | {
        hue: _style(_BLACK, color) for hue, color in enumerate(_BRIGHT.tolist())
    }
    strips = []
    for line in zip(levels, hues, strict=True):
        runs = groupby(zip(*line, strict=True))
        segments = [
            Segment(SHADES[level] * len(list(run)), styles[hue]) for (level, hue), run in runs
        ]
        strips.append(Strip(segments, levels.shape[1]))
    return tuple(strips)


def _hues(pixels: Pixels) -> Pixels:
    """For each pixel [h, w, 3] the index of the bright colour that it is nearest to in hue."""
    brightest = np.maximum(pixels.max(axis=2, keepdims=True), 1)
    distances = np.linalg.norm((pixels / brightest * 255)[:, :, None] - _BRIGHT, axis=3)
    found: Pixels = distances.argmin(axis=2)
    return found


def _style(background: Iterable[int], foreground: Iterable[int] | None) -> Style:
    return Style.from_color(_color(*foreground) if foreground else None, _color(*background))


def _color(red: int, green: int, blue: int) -> Color:
    # Color.from_rgb takes several times as long, most of it to spell a name in hexadecimal.
    triplet = ColorTriplet(red, green, blue)
    return Color(f"rgb({red},{green},{blue})", ColorType.TRUECOLOR, None, triplet)
