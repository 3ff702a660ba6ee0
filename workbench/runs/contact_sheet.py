"""A contact sheet is drawn: labelled rows of images, with a title above and notes beside them."""

import unicodedata
from bisect import bisect
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from workbench.runs.strips import Pixels, rgb

# The look, in pixels. The grid may be wider than a screen, its text may not be smaller than this.
_BACKGROUND = (22, 22, 25)
_TEXT = (228, 228, 231)
_DIM = (160, 160, 170)
_RULE = (52, 52, 59)
_TEXT_SIZES = (15, 32)
_TEXT_SHARE = 80  # of the grid's width: a wide sheet is looked at from further away
_TITLE_FACTOR = 1.4
_MARGIN = 28
_GUTTER = 16  # between labels, grid and notes
_GAP = 4  # between images, and between rows that belong together
_ROW_GAP = 14
_BLOCK_GAP = 32
_COLUMN_GAP = 18  # between the columns of the notes
_LEAST_WIDTH = 480  # so that a title has room above one small image
_MAGNIFIED_WIDTH = 2304  # no magnification beyond this: 24 columns of 32 px at ×3, 36 at ×2
_GRID_LIMIT = (4096, 16384)  # larger grids are shrunk: the full images lie beside the sheet

# The built-in font knows ASCII and little more.
_GLYPHS = frozenset(map(chr, range(32, 127))) | frozenset("«°±´·»‘’“”…‹›⁄™")
_SPELLED = str.maketrans(
    {
        "→": "›",
        "←": "‹",
        "×": "x",
        "–": "-",
        "—": "-",
        "−": "-",
        "≤": "<=",
        "≥": ">=",
        "≈": "~",
        "σ": "sigma",
        "μ": "mu",
        "κ": "kappa",
        "α": "alpha",
        "ε": "epsilon",
        "ß": "ss",
        "ø": "o",
        "æ": "ae",
        "ł": "l",
        "\t": " ",
        "\n": " ",
    }
)


@dataclass(frozen=True)
class SheetRow:
    """A row of a contact sheet."""

    label: str  # on the left
    pixels: Pixels  # [n, h, w, c], n ≥ 1, c = 1 or 3; rows may differ in all of them
    note: str = ""  # on the right; two blanks separate columns that line up from row to row
    block: str = ""  # a heading: where it changes from the row above, a new block begins
    joined: bool = False  # close to the row above: an edited latent and its result


def contact_sheet(
    rows: Sequence[SheetRow],
    title: str,
    scale: int | None = None,
    subtitle: str = "",
    heads: Sequence[str] = (),
) -> Image.Image:
    """Draw `rows` (at least one) as a sheet: labels, images, notes, a title on top.

    `heads` stand above the columns, those that fit there, and take rows of one size.
    `scale` magnifies every image by a whole factor; None picks 3, 2 or 1 by size and number.
    Grids too large for a picture are shrunk instead.
    """
    if not rows:
        raise ValueError("a contact sheet needs at least one row")
    grids = _grids(rows, scale)
    grid_width = max(grid.width for grid in grids)
    size = min(max(grid_width // _TEXT_SHARE, _TEXT_SIZES[0]), _TEXT_SIZES[1])
    font, heading_font = _font(size), _font(round(size * _TITLE_FACTOR))
    line = _line_height(font)
    labels = [printable(row.label) for row in rows]
    notes = [[printable(cell) for cell in row.note.split("  ") if cell.strip()] for row in rows]
    label_width = max(_width(font, label) for label in labels)
    note_columns = _column_widths(font, notes)
    note_width = sum(note_columns) + _COLUMN_GAP * max(0, len(note_columns) - 1)

    grid_left = _MARGIN + (label_width + _GUTTER if label_width else 0)
    right = grid_left + grid_width + (_GUTTER + note_width if note_width else 0)
    right = max(right, _MARGIN + _LEAST_WIDTH)
    heading = _wrap(heading_font, printable(title), right - _MARGIN)
    under = _wrap(font, printable(subtitle), right - _MARGIN)
    head_height = len(heading) * (_line_height(heading_font) + 4) + len(under) * (line + 4)
    top = _MARGIN + (head_height + _GUTTER if head_height else 0)
    top += line + _GAP if heads else 0
    tops, bottom = _row_tops(rows, [grid.height for grid in grids], top, line)

    sheet = Image.new("RGB", (right + _MARGIN, bottom + _MARGIN), _BACKGROUND)
    draw = ImageDraw.Draw(sheet)
    y = _MARGIN
    for lines, its_font, colour in ((heading, heading_font, _TEXT), (under, font, _DIM)):
        for text in lines:
            draw.text((_MARGIN, y), text, font=its_font, fill=colour)
            y += _line_height(its_font) + 4
    column = (grid_width + _GAP) / max(1, len(heads))
    for index, head in enumerate(map(printable, heads)):
        if _width(font, head) < column:
            middle = grid_left + (index + 0.5) * column - _GAP / 2
            draw.text((middle, top - _GAP), head, font=font, fill=_DIM, anchor="md")
    for index, (row, grid, row_top) in enumerate(zip(rows, grids, tops, strict=True)):
        if _begins_block(rows, index):
            heading_top = row_top - line - 2 * _GAP
            if index:
                rule = heading_top - _BLOCK_GAP // 2
                draw.line((_MARGIN, rule, right, rule), fill=_RULE)
            draw.text((grid_left, heading_top), printable(row.block), font=font, fill=_TEXT)
        sheet.paste(grid, (grid_left, row_top))
        # Anchored in the middle of the capitals: `m` would take the font's whole height.
        base = row_top + grid.height // 2 + _capital_height(font) // 2
        draw.text((grid_left - _GUTTER, base), labels[index], font=font, fill=_TEXT, anchor="rs")
        x = grid_left + grid_width + _GUTTER
        for cell, width in zip(notes[index], note_columns, strict=False):
            draw.text((x + width, base), cell, font=font, fill=_DIM, anchor="rs")
            x += width + _COLUMN_GAP
    return sheet


def printable(text: str) -> str:
    """`text` in the characters of the built-in font: spelled out, without accents, or `?`."""
    plain = unicodedata.normalize("NFKD", text.translate(_SPELLED))
    kept = (c for c in plain if not unicodedata.combining(c))
    return "".join(c if c in _GLYPHS else "?" for c in kept)


def _grids(rows: Sequence[SheetRow], scale: int | None) -> list[Image.Image]:
    """Each row's images side by side at their final size."""
    columns = max(len(row.pixels) for row in rows)
    width = max(row.pixels.shape[2] for row in rows)
    height = max(row.pixels.shape[1] for row in rows)
    if scale is None:
        scale = max(1, min(3, 128 // width, _MAGNIFIED_WIDTH // (columns * width)))
    shrink = max(
        1,
        ceil(columns * width * scale / _GRID_LIMIT[0]),
        ceil(len(rows) * height * scale / _GRID_LIMIT[1]),
    )
    return [_grid(row.pixels, scale, shrink) for row in rows]


def _grid(pixels: Pixels, scale: int, shrink: int) -> Image.Image:
    tiles = [Image.fromarray(np.ascontiguousarray(tile)) for tile in rgb(pixels)]
    if shrink > 1:
        tiles = [tile.reduce(shrink) for tile in tiles]
    width, height = tiles[0].width * scale, tiles[0].height * scale
    count = len(tiles)
    grid = Image.new("RGB", (count * width + (count - 1) * _GAP, height), _BACKGROUND)
    for index, tile in enumerate(tiles):
        large = tile.resize((width, height), Image.Resampling.NEAREST)
        grid.paste(large, (index * (width + _GAP), 0))
    return grid


def _row_tops(
    rows: Sequence[SheetRow], heights: Sequence[int], top: int, line: int
) -> tuple[list[int], int]:
    """Where each row's images begin, and where the last end."""
    tops: list[int] = []
    y = top
    for index, (row, height) in enumerate(zip(rows, heights, strict=True)):
        new_block = index > 0 and row.block != rows[index - 1].block
        if index:
            y += _BLOCK_GAP if new_block else _GAP if row.joined else _ROW_GAP
        if _begins_block(rows, index):
            y += line + 2 * _GAP
        tops.append(y)
        y += height
    return tops, y


def _begins_block(rows: Sequence[SheetRow], index: int) -> bool:
    before = rows[index - 1].block if index else ""
    return bool(rows[index].block) and rows[index].block != before


def _font(size: int) -> ImageFont.FreeTypeFont:
    font = ImageFont.load_default(size)
    if not isinstance(font, ImageFont.FreeTypeFont):
        raise RuntimeError("this Pillow was built without FreeType and cannot draw labels")
    return font


def _width(font: ImageFont.FreeTypeFont, text: str) -> int:
    return ceil(font.getlength(text))


def _line_height(font: ImageFont.FreeTypeFont) -> int:
    return sum(font.getmetrics())


def _capital_height(font: ImageFont.FreeTypeFont) -> int:
    _, top, _, bottom = font.getbbox("H", anchor="ls")
    return int(bottom - top)


def _column_widths(font: ImageFont.FreeTypeFont, notes: Sequence[Sequence[str]]) -> list[int]:
    widths: list[int] = [0] * max(len(cells) for cells in notes)
    for cells in notes:
        for index, cell in enumerate(cells):
            widths[index] = max(widths[index], _width(font, cell))
    return widths


def _wrap(font: ImageFont.FreeTypeFont, text: str, width: int) -> list[str]:
    """`text` in lines of at most `width` pixels; a longer word stands alone and is cut."""
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and font.getlength(longer) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return [_cut(font, line, width) for line in lines]


def _cut(font: ImageFont.FreeTypeFont, text: str, width: int) -> str:
    if font.getlength(text) <= width:
        return text
    fitting = (
        bisect(range(len(text)), width, key=lambda n: ceil(font.getlength(text[:n] + "…"))) - 1
    )
    return text[: max(0, fitting)] + "…"
