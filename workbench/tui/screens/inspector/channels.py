"""The channels of a latent as grey pictures beside or below each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.segment import Segment
from textual.reactive import reactive
from textual.strip import Strip
from textual.widget import Widget

from workbench.tui.terminal.pictures import draw, picture_width

if TYPE_CHECKING:
    from workbench.tui.models import Pixels

GAP = 1  # cells, and lines


class Channels(Widget):
    """Pictures as large as fit, all of the same size."""

    pixels: reactive[tuple[Pixels, ...]] = reactive((), layout=False, always_update=True)

    def render_line(self, y: int) -> Strip:
        """Line y of the pictures that lie there."""
        width = self.size.width
        blank = Strip.blank(width, self.rich_style)
        if not self.pixels:
            return blank
        columns, abreast = max((self._width(n), n) for n in range(1, len(self.pixels) + 1))
        if columns < 2:
            return blank
        drawn = [draw(picture, columns) for picture in self.pixels]
        row, line = divmod(y, len(drawn[0]) + GAP)
        here = drawn[row * abreast : (row + 1) * abreast]
        if not here or line >= len(here[0]):
            return blank
        gap = Segment(" " * GAP, self.rich_style)
        cells = [segment for strips in here for segment in (*strips[line], gap)]
        return Strip(cells).adjust_cell_length(width, self.rich_style)

    def _width(self, abreast: int) -> int:
        """Cells of a picture when so many lie beside each other."""
        width, height = self.size
        rows, columns = self.pixels[0].shape[:2]
        lines = (height + GAP) // -(-len(self.pixels) // abreast) - GAP
        room = min((width + GAP) // abreast - GAP, 2 * lines * columns // rows)
        return picture_width(columns, room) if room >= 2 else 0
