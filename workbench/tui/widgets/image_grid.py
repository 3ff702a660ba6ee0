"""The source images as a grid; the session takes those up to a mark."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from workbench.tui.pictures import draw
from workbench.tui.views import ImagesView

LEFT_OUT = 0.3  # brightness of an image that the session does not take


class ImageGrid(ScrollView, can_focus=True):
    """Thumbnails in rows; space takes the images up to the cursor."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "grid--ground",
        "grid--cursor",
        "grid--blurred",
        "grid--hint",
    }
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "take", "take up to here"),
        Binding("left", "move(-1)", "previous", show=False),
        Binding("right", "move(1)", "next", show=False),
        Binding("up", "line(-1)", "line up", show=False),
        Binding("down", "line(1)", "line down", show=False),
        Binding("home", "move(-9999)", "first", show=False),
        Binding("end", "move(9999)", "last", show=False),
    ]

    view: reactive[ImagesView] = reactive(ImagesView(), repaint=False)
    cursor: reactive[int] = reactive(0, repaint=False)

    @dataclass
    class Moved(Message):
        """The cursor stands on another image of this entry."""

        index: int

    @dataclass
    class Take(Message):
        """The session shall take this many of the images."""

        count: int

    @property
    def _room(self) -> Size:
        """What the scrollbars leave."""
        return self.scrollable_content_region.size

    @property
    def _count(self) -> int:
        return 0 if self.view.pixels is None else len(self.view.pixels)

    @property
    def _picture(self) -> int:
        return 8 if self._room.width >= 19 else 6

    @property
    def _columns(self) -> int:
        return max(1, (self._room.width - 1) // (self._picture + 1))

    def watch_view(self, old: ImagesView, new: ImagesView) -> None:
        """Another set of images: keep the cursor inside."""
        if old.pixels is new.pixels and (old.count, old.problem, old.kind) == (
            new.count,
            new.problem,
            new.kind,
        ):
            return
        self.cursor = max(0, min(self.cursor, self._count - 1))
        self._measure()
        self.refresh()

    def watch_cursor(self, old: int, new: int) -> None:
        """Bring the cursor into sight."""
        self._follow()
        for index in (old, new):
            self.refresh_lines(index // self._columns * self._line, self._line)

    def on_resize(self) -> None:
        """The number of columns follows the room."""
        self._measure()
        self._follow()

    def action_move(self, by: int) -> None:
        """Along the images."""
        self._go(self.cursor + by)

    def action_line(self, by: int) -> None:
        """A row of the grid up or down."""
        target = self.cursor + by * self._columns
        if 0 <= target < self._count:
            self._go(target)

    def action_take(self) -> None:
        """Take the images up to the cursor, or, on the last one taken, leave it out."""
        if self._count and self.view.kind == "digits":
            last = self.cursor + 1 == self.view.count
            self.post_message(self.Take(max(1, self.cursor if last else self.cursor + 1)))

    def on_click(self, event: events.Click) -> None:
        """The cursor goes where the click is; a second click takes the images up to there."""
        at = event.get_content_offset(self)
        if at is None:
            return
        column = at.x // (self._picture + 1)
        index = (at.y + self.scroll_offset.y) // self._line * self._columns + column
        if column < self._columns and index < self._count:
            again = index == self.cursor
            self._go(index)
            if again:
                self.action_take()

    @property
    def _line(self) -> int:
        return self._picture // 2

    def _go(self, index: int) -> None:
        index = max(0, min(index, self._count - 1))
        if index != self.cursor:
            self.cursor = index
            self.post_message(self.Moved(index))

    def _measure(self) -> None:
        rows = -(-self._count // self._columns)
        size = Size(0, rows * self._line)
        if size != self.virtual_size:
            self.virtual_size = size

    def _follow(self) -> None:
        top = self.cursor // self._columns * self._line
        y = self.scroll_offset.y
        y = (
            min(y, top)
            if top + self._line - y <= self._room.height
            else (top + self._line - self._room.height)
        )
        if y != self.scroll_offset.y:
            self.scroll_to(y=y, animate=False)

    @property
    def _ground(self) -> Style:
        """The widget's own style, which textual remembers for component classes only."""
        return self.get_component_rich_style("grid--ground")

    def render_line(self, y: int) -> Strip:
        """Line y of the grid."""
        width, base = self._room.width, self._ground
        if self.view.problem or self.view.pixels is None:
            return self._said(y, self.view.problem or "")
        row, line = divmod(y + self.scroll_offset.y, self._line)
        first = row * self._columns
        images = range(first, min(first + self._columns, self._count))
        cells: list[Strip] = []
        for index in images:
            cells.append(Strip([self._gap(index, index > first)]))
            taken = self.view.kind == "files" or index < self.view.count
            lines = draw(self.view.pixels[index], self._picture, 1.0 if taken else LEFT_OUT)
            cells.append(lines[line] if line < len(lines) else Strip.blank(self._picture, base))
        if cells:
            cells.append(Strip([self._gap(images.stop, True)]))
        return Strip.join(cells).adjust_cell_length(width, base)

    def _gap(self, index: int, has_left: bool) -> Segment:
        style = self.get_component_rich_style("grid--cursor" if self.has_focus else "grid--blurred")
        if index == self.cursor and index // self._columns == self.cursor // self._columns:
            return Segment("▐", style)
        if has_left and index - 1 == self.cursor:
            return Segment("▌", style)
        return Segment(" ", self._ground)

    def _said(self, y: int, text: str) -> Strip:
        from textwrap import wrap

        lines = wrap(text, max(8, self._room.width - 2))
        style: Style = self.get_component_rich_style("grid--hint")
        said = f" {lines[y]}" if y < len(lines) else ""
        return Strip([Segment(said, style)]).adjust_cell_length(self._room.width, style)
