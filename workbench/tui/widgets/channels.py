"""The channels of a latent as grey pictures side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.segment import Segment
from textual.reactive import reactive
from textual.strip import Strip
from textual.widget import Widget

from workbench.tui.pictures import draw, picture_width

if TYPE_CHECKING:
    from workbench.tui.views import Pixels

GAP = 1  # cells


class Channels(Widget):
    """Pictures as large as fit, all of the same size."""

    pixels: reactive[tuple[Pixels, ...]] = reactive((), layout=False, always_update=True)

    def render_line(self, y: int) -> Strip:
        """Line y of every picture."""
        width, height = self.size
        count = len(self.pixels)
        if not count:
            return Strip.blank(width, self.rich_style)
        rows, columns = self.pixels[0].shape[:2]
        room = min((width + GAP) // count - GAP, 2 * height * columns // rows)
        lines = [draw(picture, picture_width(columns, room)) for picture in self.pixels]
        if y >= len(lines[0]):
            return Strip.blank(width, self.rich_style)
        gap = Segment(" " * GAP, self.rich_style)
        cells = [segment for strips in lines for segment in (*strips[y], gap)]
        return Strip(cells).adjust_cell_length(width, self.rich_style)
