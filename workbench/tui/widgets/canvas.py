"""One picture, magnified by a whole factor or as large as fits, scrolled when it is larger."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from rich.color import Color
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.geometry import Offset, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from workbench.tui.terminal.pictures import Magnified, picture_width, same_pixels, shrunk

if TYPE_CHECKING:
    from workbench.tui.models import Pixels

CROSSHAIR_FROM = 2  # a pixel is to be seen under its mark from this factor on


class Canvas(ScrollView, can_focus=False):
    """A picture [H, W, C]; what is seen of it is drawn, nothing else."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"canvas--ground", "canvas--hint"}

    @dataclass
    class Pointed(Message):
        """A click on a pixel."""

        canvas: Canvas
        pixel: Offset

    @dataclass
    class Scrolled(Message):
        """Another part is seen."""

        canvas: Canvas

    class Measured(Message):
        """Its size on the screen may be another one."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.pixels: Pixels | None = None
        self.hint = ""
        self.factor = 0  # 0: as large as fits
        self.by_height = False  # a row of pictures fits by its height and is scrolled sideways
        self.pixel: Offset | None = None  # in the middle, as far as the picture reaches
        self.crosshair = False
        self._magnified: Magnified | None = None

    # ---- what is shown

    def show(
        self, pixels: Pixels | None, factor: int, hint: str = "", by_height: bool = False
    ) -> None:
        """A picture, or a sentence in its place."""
        measures = (factor, hint, by_height)
        if same_pixels(pixels, self.pixels) and measures == (
            self.factor,
            self.hint,
            self.by_height,
        ):
            return
        self.pixels = pixels
        self.factor, self.hint, self.by_height = measures
        self._measure()

    def look_at(self, pixel: Offset, *, crosshair: bool) -> None:
        """Bring a pixel to the middle, and mark it with a crosshair."""
        if (pixel, crosshair) != (self.pixel, self.crosshair):
            self.pixel, self.crosshair = pixel, crosshair
            self.refresh()
            self._follow()

    @property
    def magnification(self) -> float:
        """Cells a pixel is wide; under 1 where a picture is shrunk to fit."""
        if self._magnified is None or self.pixels is None:
            return 0
        return float(self._magnified.width / self.pixels.shape[1])

    @property
    def window(self) -> Size:
        """How many pixels are seen at once, at least one each way."""
        scale = self.magnification or 1
        width, height = self.scrollable_content_region.size
        return Size(max(1, int(width / scale)), max(1, int(2 * height / scale)))

    def on_resize(self) -> None:
        """A picture that fits follows the room."""
        self._measure()

    def _measure(self) -> None:
        self._magnified = self._made()
        drawn = self._magnified
        size = Size(drawn.width, drawn.height) if drawn else Size(0, 0)
        if size != self.virtual_size:
            self.virtual_size = size
        self._follow()
        self.post_message(self.Measured())
        self.refresh()

    def _made(self) -> Magnified | None:
        room = self.content_region.size
        if self.pixels is None or not room.area:
            return None
        height, width = self.pixels.shape[:2]
        if self.factor:
            return Magnified(self.pixels, self.factor)
        across = 2 * room.height * width // height
        fitting = picture_width(width, across if self.by_height else min(room.width, across))
        if fitting >= width:
            return Magnified(self.pixels, fitting // width)
        return Magnified(shrunk(self.pixels, fitting), 1)

    def _follow(self) -> None:
        if self.pixel is None or self._magnified is None:
            return
        room, scale = self.scrollable_content_region.size, self.magnification
        x = int((self.pixel.x + 0.5) * scale) - room.width // 2
        y = int((self.pixel.y + 0.5) * scale / 2) - room.height // 2
        self.scroll_to(x, y, animate=False, force=True)

    def watch_scroll_x(self, old: float, new: float) -> None:
        """Tell what else shows the same place."""
        super().watch_scroll_x(old, new)
        self.post_message(self.Scrolled(self))

    def watch_scroll_y(self, old: float, new: float) -> None:
        """Tell what else shows the same place."""
        super().watch_scroll_y(old, new)
        self.post_message(self.Scrolled(self))

    def on_click(self, event: events.Click) -> None:
        """The pixel under the pointer."""
        at = event.get_content_offset(self)
        if at is None or self.pixels is None or self._magnified is None:
            return
        height, width = self.pixels.shape[:2]
        x = int((at.x - self._left + self.scroll_offset.x) / self.magnification)
        y = int(2 * (at.y - self._top + self.scroll_offset.y) / self.magnification)
        if 0 <= x < width and 0 <= y < height:
            self.post_message(self.Pointed(self, Offset(x, y)))

    # ---- drawing

    @property
    def _left(self) -> int:
        return max(0, self.scrollable_content_region.width - self.virtual_size.width) // 2

    @property
    def _top(self) -> int:
        return max(0, self.scrollable_content_region.height - self.virtual_size.height) // 2

    def render_line(self, y: int) -> Strip:
        """Line y of what is seen."""
        width = self.scrollable_content_region.width
        ground = self.get_component_rich_style("canvas--ground")
        drawn = self._magnified
        if drawn is None:
            return self._hint_line(y, width, ground)
        line = y - self._top + self.scroll_offset.y
        if not 0 <= line < drawn.height:
            return Strip.blank(width, ground)
        start = self.scroll_offset.x
        strip = self._marked(drawn, line, start, start + width)
        return Strip.join([Strip.blank(self._left, ground), strip]).adjust_cell_length(
            width, ground
        )

    def _marked(self, drawn: Magnified, line: int, start: int, end: int) -> Strip:
        """Cells start to end of a line of the picture, with the crosshair where it crosses."""
        from workbench.runs.strips import rgb

        strip = drawn.line(line, start, end)
        if self.pixel is None or self.pixels is None or not self.crosshair:
            return strip
        factor, (x, y) = drawn.factor, self.pixel
        if factor < CROSSHAIR_FROM or line != (y * factor + factor // 2) // 2:
            return strip
        at = x * factor + factor // 2 - start
        if not 0 <= at < strip.cell_length:
            return strip
        levels = [int(level) for level in rgb(self.pixels[y, x])]
        color = Color.from_rgb(*levels)
        style = Style(color="black" if sum(levels) > 3 * 127 else "white", bgcolor=color)
        return Strip.join([strip.crop(0, at), Strip([Segment("┼", style)]), strip.crop(at + 1)])

    def _hint_line(self, y: int, width: int, ground: Style) -> Strip:
        from textwrap import wrap

        lines = wrap(self.hint, max(8, width - 4))
        index = y - max(0, self.content_region.height - len(lines)) // 2
        if not 0 <= index < len(lines):
            return Strip.blank(width, ground)
        style = self.get_component_rich_style("canvas--hint")
        return Strip([Segment(f"{lines[index]:^{width}}", style)]).adjust_cell_length(width, ground)
