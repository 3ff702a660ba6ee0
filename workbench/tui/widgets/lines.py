"""A list of single lines with one cursor: the base of the panes and of the pickers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

Part = tuple[str, str]  # text and the component class of its style, "" for the plain one


class Lines(ScrollView, can_focus=True):
    """Lines that a subclass or `set_lines` provides; a cursor skips those that cannot be chosen."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "lines--ground",
        "lines--cursor",
        "lines--blurred",
        "lines--dim",
        "lines--heading",
        "lines--source",
        "lines--target",
        "lines--on",
        "lines--error",
        "lines--accent",
        "lines--warning",
    }
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "step(-1)", "up", show=False),
        Binding("down", "step(1)", "down", show=False),
        Binding("home", "jump(0)", "first", show=False),
        Binding("end", "jump(-1)", "last", show=False),
        Binding("pageup", "step(-10)", "page up", show=False),
        Binding("pagedown", "step(10)", "page down", show=False),
    ]

    cursor: reactive[int] = reactive(0)

    @dataclass
    class Highlighted(Message):
        """The cursor stands on another line."""

        lines: Lines
        index: int

        @property
        def control(self) -> Lines:
            """The list it is about."""
            return self.lines

    @dataclass
    class Chosen(Message):
        """A line was clicked a second time."""

        lines: Lines
        index: int

        @property
        def control(self) -> Lines:
            """The list it is about."""
            return self.lines

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._lines: list[tuple[list[Part], list[Part], bool]] = []

    @property
    def _room(self) -> Size:
        """What the scrollbars leave."""
        return self.scrollable_content_region.size

    def set_lines(self, lines: list[tuple[list[Part], list[Part], bool]]) -> None:
        """Each line: parts at the left, parts at the right, whether the cursor may stand on it."""
        self._lines = lines
        size = Size(0, len(lines))
        if size != self.virtual_size:
            self.virtual_size = size
            self.refresh(layout=True)
        if lines:
            self.cursor = self._nearest(min(self.cursor, len(lines) - 1), 1)
        self.refresh()

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """As many lines as there are, where the height is automatic."""
        return max(1, len(self._lines))

    def watch_cursor(self, index: int) -> None:
        """Bring the cursor into sight and say where it is."""
        self._follow()
        self.refresh()
        if 0 <= index < len(self._lines):
            self.post_message(self.Highlighted(self, index))

    def on_resize(self) -> None:
        """Keep the cursor in sight."""
        self._follow()

    def action_step(self, by: int) -> None:
        """Up or down, over what cannot be chosen."""
        if self._lines:
            target = max(0, min(self.cursor + by, len(self._lines) - 1))
            self.cursor = self._nearest(target, 1 if by > 0 else -1)

    def action_jump(self, index: int) -> None:
        """To the first or the last line."""
        if self._lines:
            self.cursor = self._nearest(index % len(self._lines), -1 if index else 1)

    def on_click(self, event: events.Click) -> None:
        """The cursor goes where the click is; a click on it chooses."""
        at = event.get_content_offset(self)
        index = -1 if at is None else at.y + self.scroll_offset.y
        if not 0 <= index < len(self._lines) or not self._lines[index][2]:
            return
        if index == self.cursor:
            self.post_message(self.Chosen(self, index))
        self.cursor = index

    @property
    def _ground(self) -> Style:
        """The widget's own style, which textual remembers for component classes only."""
        return self.get_component_rich_style("lines--ground")

    def render_line(self, y: int) -> Strip:
        """Left parts, room, right parts; the cursor's line in its colours."""
        width, index = self._room.width, y + self.scroll_offset.y
        if index >= len(self._lines):
            return Strip.blank(width, self._ground)
        left, right, selectable = self._lines[index]
        over = Style()
        if index == self.cursor and selectable:
            name = "lines--cursor" if self.has_focus else "lines--blurred"
            over = self.get_component_rich_style(name)
        end = self._segments(right, over)
        taken = sum(cell_len(segment.text) for segment in end)
        start = Strip(self._segments(left, over))
        room = width - taken
        if start.cell_length > room:
            start = Strip(_shorten(list(start), max(0, room - (1 if end else 0))))
        ground = self._ground + over
        return Strip([*start.adjust_cell_length(room, ground), *end]).adjust_cell_length(
            width, ground
        )

    def _segments(self, parts: list[Part], over: Style) -> list[Segment]:
        plain = self._ground
        return [
            Segment(
                text,
                plain
                + (self.get_component_rich_style(name, partial=True) if name else Style())
                + over,
            )
            for text, name in parts
        ]

    def _nearest(self, index: int, direction: int) -> int:
        """The first line that can be chosen from `index` on, looking back when there is none."""
        for step in (direction, -direction):
            at = index
            while 0 <= at < len(self._lines):
                if self._lines[at][2]:
                    return at
                at += step
        return index

    def _follow(self) -> None:
        y, height = self.scroll_offset.y, self._room.height
        target = min(y, self.cursor) if self.cursor < y + height else self.cursor - height + 1
        if height and target != y:
            self.scroll_to(y=target, animate=False)


def _shorten(segments: list[Segment], width: int) -> list[Segment]:
    """Segments cut to `width` cells, an ellipsis at the end."""
    kept: list[Segment] = []
    for segment in segments:
        length = cell_len(segment.text)
        if length < width:
            kept.append(segment)
            width -= length
            continue
        text = set_cell_size(segment.text, max(0, width - 1)) + "…" if width > 0 else ""
        kept.append(Segment(text, segment.style))
        break
    return kept
