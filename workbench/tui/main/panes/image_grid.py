"""The source images as a grid of thumbnails, of which the session takes some."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import BindingType
from textual.geometry import Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from workbench.tui.actions import Action, ActionGroup, register
from workbench.tui.models import ImagesView
from workbench.tui.state.filtering import Match, matching
from workbench.tui.terminal.pictures import draw
from workbench.tui.widgets.filterable import Filterable

if TYPE_CHECKING:
    from workbench.tui.state.images.image_selection import What

LEFT_OUT = 0.3  # brightness of an image that the session does not take


IMAGE_ACTIONS = register(
    ActionGroup(
        "2 Images",
        (
            Action(
                "pick('toggle')", "space", "take", "take the image, or leave it out", shown=True
            ),
            Action(
                "pick('up to')",
                "t",
                "take up to here",
                "take the images up to here; on the last one taken, leave it out",
                shown=True,
            ),
            Action(
                "pick('all')",
                "asterisk",
                "all",
                "take all that are shown; once more, only the one under the cursor",
                key_display="*",
            ),
            Action(
                "screen.add_images",
                "plus,equals_sign",
                "more images",
                "another entry of images besides these",
                shown=True,
                key_display="+",
                fixed=True,
            ),
            Action(
                "screen.remove_images",
                "minus",
                "remove these",
                "take this entry away",
                shown=True,
                key_display="-",
                fixed=True,
            ),
            Action("move(-1)", "left", "previous"),
            Action("move(1)", "right", "next"),
            Action("line(-1)", "up", "line up"),
            Action("line(1)", "down", "line down"),
            Action("page(-1)", "pageup", "page up"),
            Action("page(1)", "pagedown", "page down"),
            Action("jump(0)", "home", "first"),
            Action("jump(-1)", "end", "last"),
        ),
        notes=(
            ("arrows", "from image to image; the flow shows the one under the cursor"),
            ("/", "narrow the images down by name or number (esc: all again)"),
            ("e", "digit, count and seed of the hues, or files by a pattern"),
        ),
        page="screen",
    )
)


class ImageGrid(ScrollView, Filterable, can_focus=True):
    """Thumbnails in rows; space takes the image under the cursor or leaves it out."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "grid--ground",
        "grid--cursor",
        "grid--blurred",
        "grid--hint",
        "grid--empty",
    }
    ACTION_GROUP: ClassVar[ActionGroup] = IMAGE_ACTIONS
    BINDINGS: ClassVar[list[BindingType]] = IMAGE_ACTIONS.bindings()

    view: reactive[ImagesView] = reactive(ImagesView(), repaint=False)
    cursor: reactive[int] = reactive(0, repaint=False)

    @dataclass
    class Moved(Message):
        """The cursor stands on another image of this entry."""

        place: int

    @dataclass
    class Pick(Message):
        """The session shall take other images: the one under the cursor is in or out, and so on."""

        what: What
        place: int
        shown: Sequence[int]

    @dataclass
    class Made(Message):
        """Thumbnails that can be shown now."""

        places: list[int]

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._match: Match | None = None
        self._places: Sequence[int] = ()  # of the gallery, in the order of the cells
        self._sight: tuple[object, ...] = ()

    @property
    def _room(self) -> Size:
        """What the scrollbars leave."""
        return self.scrollable_content_region.size

    @property
    def _count(self) -> int:
        return len(self._places)

    @property
    def place(self) -> int:
        """The image under the cursor, by its place in the gallery."""
        return self._places[self.cursor] if self.cursor < self._count else 0

    @property
    def problem(self) -> str:
        """Why the image under the cursor cannot be shown, if it cannot."""
        made = self.view.gallery.get(self.place) if self.view.gallery and self._count else None
        return made if isinstance(made, str) else ""

    def go_to(self, place: int) -> None:
        """The cursor onto an image, if it is shown."""
        index = bisect_left(self._places, place)
        if index < self._count and self._places[index] == place:
            self.cursor = index

    @property
    def _picture(self) -> int:
        return 8 if self._room.width >= 19 else 6

    @property
    def _columns(self) -> int:
        return max(1, (self._room.width - 1) // (self._picture + 1))

    def watch_view(self, old: ImagesView, new: ImagesView) -> None:
        """Another set of images: keep the cursor on its image, or at least inside."""
        if old.gallery is not new.gallery:
            self._match = None
            name = old.gallery.names[self.place] if old.gallery and self._count else None
            self.apply_filter()
            if new.gallery and name in new.gallery.names:
                self.go_to(new.gallery.names.index(name))
        elif (old.taken, old.problem) == (new.taken, new.problem):
            return
        self.refresh()

    def apply_filter(self) -> None:
        """The images whose names hold what is typed."""
        gallery, place = self.view.gallery, self.place
        if gallery is None:
            self._match, self._places = None, ()
        else:
            self._match = matching(self.typed, gallery.names, self._match)
            self._places = self._match.places
        self._measure()
        self.cursor = max(0, min(self.cursor, self._count - 1))
        self.go_to(place)
        self._follow()
        self._want()
        self.refresh()

    def on_image_grid_made(self, event: Made) -> None:
        """Draw the rows that have new thumbnails."""
        event.stop()
        made, columns = set(event.places), self._columns
        top = self.scroll_offset.y // self._line
        for row in range(top, top + self._room.height // self._line + 2):
            if made & set(self._places[row * columns : (row + 1) * columns]):
                self.refresh_lines(row * self._line - self.scroll_offset.y, self._line)
        if self.place in made:
            self.post_message(self.Moved(self.place))

    def _want(self) -> None:
        """Ask for the thumbnails in sight, and for those of a screen below."""
        gallery = self.view.gallery
        if gallery is None:
            return
        first = self.scroll_offset.y // self._line * self._columns
        rows = self._room.height // self._line + 2
        sight = self._places[first : first + 2 * rows * self._columns]
        if (key := (gallery, sight)) != self._sight:
            self._sight = key
            gallery.want(sight, self._made)

    def _made(self, places: list[int]) -> None:
        with suppress(RuntimeError):  # the program has ended
            self.post_message(self.Made(places))

    def watch_cursor(self, old: int, new: int) -> None:
        """Bring the cursor into sight."""
        self._follow()
        for index in (old, new):
            self.refresh_lines(index // self._columns * self._line, self._line)

    def on_resize(self) -> None:
        """The number of columns follows the room."""
        self._measure()
        self._follow()
        self._want()

    def watch_scroll_y(self, old: float, new: float) -> None:
        """Other thumbnails are in sight."""
        super().watch_scroll_y(old, new)
        self._want()

    def action_move(self, by: int) -> None:
        """Along the images."""
        self._go(self.cursor + by)

    def action_line(self, by: int) -> None:
        """A row of the grid up or down."""
        target = self.cursor + by * self._columns
        if 0 <= target < self._count:
            self._go(target)

    def action_page(self, by: int) -> None:
        """A screen up or down."""
        self._go(self.cursor + by * self._columns * max(1, self._room.height // self._line))

    def action_jump(self, index: int) -> None:
        """To the first or the last image."""
        self._go(index % self._count if self._count else 0)

    def action_pick(self, what: What) -> None:
        """Take other images."""
        if self._count:
            self.post_message(self.Pick(what, self.place, self._places))

    def on_click(self, event: events.Click) -> None:
        """The cursor goes where the click is; a second click takes it or leaves it out."""
        at = event.get_content_offset(self)
        if at is None:
            return
        column = at.x // (self._picture + 1)
        index = (at.y + self.scroll_offset.y) // self._line * self._columns + column
        if column < self._columns and index < self._count:
            again = index == self.cursor
            self._go(index)
            if again:
                self.action_pick("toggle")

    @property
    def _line(self) -> int:
        return self._picture // 2

    def _go(self, index: int) -> None:
        index = max(0, min(index, self._count - 1))
        if index != self.cursor:
            self.cursor = index
            self.post_message(self.Moved(self.place))

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
        if self.view.problem or not self._count:
            nothing = "nothing of that name; esc clears the filter" if self.typed else ""
            return self._hint_line(y, self.view.problem or nothing)
        row, line = divmod(y + self.scroll_offset.y, self._line)
        first = row * self._columns
        images = range(first, min(first + self._columns, self._count))
        cells: list[Strip] = []
        for index in images:
            cells.append(Strip([self._gap(index, index > first)]))
            cells.append(self._cell(self._places[index], line))
        if cells:
            cells.append(Strip([self._gap(images.stop, True)]))
        return Strip.join(cells).adjust_cell_length(width, base)

    def _cell(self, place: int, line: int) -> Strip:
        """A line of a thumbnail, or of what stands for one that is not made or cannot be."""
        assert self.view.gallery is not None
        made, width = self.view.gallery.get(place), self._picture
        if made is None or isinstance(made, str):
            style = self.get_component_rich_style("grid--empty" if made is None else "grid--hint")
            middle = line == (self._line - 1) // 2
            text = ("·" if made is None else "!") if middle else ""
            return Strip([Segment(text.center(width), style)], width)
        lines = draw(made, width, 1.0 if place in self.view.taken else LEFT_OUT)
        return lines[line] if line < len(lines) else Strip.blank(width, self._ground)

    def _gap(self, index: int, has_left: bool) -> Segment:
        style = self.get_component_rich_style("grid--cursor" if self.has_focus else "grid--blurred")
        if index == self.cursor and index // self._columns == self.cursor // self._columns:
            return Segment("▐", style)
        if has_left and index - 1 == self.cursor:
            return Segment("▌", style)
        return Segment(" ", self._ground)

    def _hint_line(self, y: int, text: str) -> Strip:
        from textwrap import wrap

        lines = wrap(text, max(8, self._room.width - 2))
        style: Style = self.get_component_rich_style("grid--hint")
        line = f" {lines[y]}" if y < len(lines) else ""
        return Strip([Segment(line, style)]).adjust_cell_length(self._room.width, style)
