"""What is known of the checkpoint under the cursor, and a sample of what it makes."""

from __future__ import annotations

from functools import lru_cache
from io import BytesIO
from textwrap import wrap
from typing import TYPE_CHECKING

from rich.segment import Segment
from textual.reactive import reactive
from textual.strip import Strip
from textual.widget import Widget

from workbench.tui.models import CheckpointView
from workbench.tui.terminal.pictures import draw

if TYPE_CHECKING:
    from workbench.tui.models import Pixels

SAMPLE = 16  # cells
SAMPLES = 2  # beside each other and one below the other, of the four by four there are


class CheckpointDetails(Widget):
    """Lines of facts, the sample below."""

    view: reactive[CheckpointView | None] = reactive(None, layout=True)

    def watch_view(self, view: CheckpointView | None) -> None:
        """Its name is the title."""
        self.border_title = "" if view is None else view.name.replace("[", r"\[")

    def get_content_height(self, container: object, viewport: object, width: int) -> int:
        """All of the lines."""
        return len(self._strips(max(1, width)))

    def render_line(self, y: int) -> Strip:
        """A fact, or a line of the sample."""
        strips = self._strips(max(1, self.size.width))
        line = strips[y] if y < len(strips) else Strip([])
        return line.adjust_cell_length(self.size.width, self.rich_style)

    def _strips(self, width: int) -> list[Strip]:
        if self.view is None:
            return []
        style = self.rich_style
        lines = [part for line in self.view.details for part in wrap(line, width)]
        strips = [Strip([Segment(line, style)]) for line in lines]
        if self.view.sample:
            strips += draw(_first(self.view.sample), SAMPLE)
        return strips


@lru_cache(maxsize=64)
def _first(png: bytes) -> Pixels:
    """The first samples of a checkpoint's picture, which has four by four."""
    import numpy as np
    from PIL import Image

    with Image.open(BytesIO(png), formats=("PNG",)) as image:
        pixels = np.asarray(image if image.mode in ("L", "RGB") else image.convert("RGB"))
    height, width = pixels.shape[0] * SAMPLES // 4, pixels.shape[1] * SAMPLES // 4
    return pixels[:height, :width].reshape(height, width, -1)
