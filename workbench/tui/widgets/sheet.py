"""The contact sheet: a row of pictures per variant, its label at the left, numbers at the right."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from workbench.tui.actions import Action, ActionGroup, register
from workbench.tui.models import SheetRowView, SheetView, Spot
from workbench.tui.terminal.pictures import draw, same_pixels

WIDTHS = (8, 12, 16, 24, 32, 48, 64)  # cells of a picture, and half of it in lines
FEWEST = 3  # pictures beside each other, or below, that a size must leave room for
LABEL_LIMIT = 22
HEAD = 1  # lines above the pictures that name the columns
STALE = 0.45


SHEET_ACTIONS = register(
    ActionGroup(
        "3 Results",
        (
            Action("move(-1, 0)", "left", "image"),
            Action("move(1, 0)", "right", "image"),
            Action("move(0, -1)", "up", "variant"),
            Action("move(0, 1)", "down", "variant"),
            Action("move(-9999, 0)", "home", "first image"),
            Action("move(9999, 0)", "end", "last image"),
            Action("zoom(1)", "plus,equals_sign", "larger", key_display="+"),
            Action("zoom(-1)", "minus", "smaller", key_display="-"),
            Action("screen.view", "enter", "look", shown=True, key_display="⏎", fixed=True),
            Action(
                "mark",
                "m",
                "mark as A",
                "mark it as A; to look closely at another one then compares the two",
                fixed=True,
            ),
        ),
        notes=(
            ("← →", "from image to image"),
            ("↑ ↓", "from variant to variant"),
            ("+ -", "larger and smaller pictures"),
        ),
        page="screen",
    )
)


class ContactSheet(ScrollView, can_focus=True):
    """Rows of pictures under one cursor, scrolled both ways; labels and numbers stay in place."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "sheet--ground",
        "sheet--label",
        "sheet--head",
        "sheet--marked",
        "sheet--note",
        "sheet--cursor",
        "sheet--column",
        "sheet--hint",
        "sheet--key",
        "sheet--computing",
    }
    ACTION_GROUP: ClassVar[ActionGroup] = SHEET_ACTIONS
    BINDINGS: ClassVar[list[BindingType]] = SHEET_ACTIONS.bindings()

    view: reactive[SheetView] = reactive(SheetView(), repaint=False)
    image: reactive[int] = reactive(0, repaint=False)
    row: reactive[int] = reactive(0, repaint=False)
    marked: reactive[Spot | None] = reactive[Spot | None](None)

    @dataclass
    class Moved(Message):
        """The cursor stands on another image or row."""

        image: int
        row: int

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._zoom = 0
        self._drawn: tuple[object, ...] = ()  # the measures of what stands on the screen

    # ---- sizes

    @property
    def _room(self) -> Size:
        """What the scrollbars leave."""
        return self.scrollable_content_region.size

    @property
    def _height(self) -> int:
        """Lines for pictures."""
        return max(0, self._room.height - HEAD)

    @property
    def picture(self) -> int:
        """Cells of a picture's width: the largest that shows all rows and some columns; of single
        pictures, which stand for themselves, some rows.
        """
        height = max(1, self._height)
        rows = max(1, len(self.view.rows))
        rows = min(rows, FEWEST) if self.view.columns == 1 else rows
        room = max(1, self._room.width - self._label_width - self._note_width - 1)
        columns = min(FEWEST, max(1, self.view.columns))
        fitting = [w for w in WIDTHS if w // 2 * rows <= height and (w + 1) * columns <= room]
        index = WIDTHS.index(fitting[-1]) if fitting else 0
        return WIDTHS[max(0, min(len(WIDTHS) - 1, index + self._zoom))]

    @property
    def _label_width(self) -> int:
        longest = max((cell_len(row.label) for row in self.view.rows), default=0)
        limit = LABEL_LIMIT if self._room.width > 90 else LABEL_LIMIT // 2 + 1
        limit = self._room.width // 2 if self.view.columns == 1 else limit
        return min(limit, longest) + 2

    @property
    def _note_width(self) -> int:
        notes = [cell_len(note) for row in self.view.rows for note in row.notes]
        return max(notes, default=0) + (2 if notes else 0)

    def _measure(self) -> None:
        picture, rows = self.picture, len(self.view.rows)
        across = self._label_width + self.view.columns * (picture + 1) + 1 + self._note_width
        lines = picture // 2
        down = rows * lines
        if down > self._height:  # so that the last scroll position shows whole rows too
            down += self._height % lines
        size = Size(across, HEAD + down) if rows else Size(0, 0)
        if size != self.virtual_size:
            self.virtual_size = size

    # ---- changes

    def watch_view(self, old: SheetView, new: SheetView) -> None:
        """Draw the rows that changed, or everything when the shape did."""
        self.image = max(0, min(self.image, new.columns - 1))
        self.row = max(0, min(self.row, len(new.rows) - 1))
        if [row.label for row in old.rows] != [row.label for row in new.rows]:
            self.marked = None
        if new.rows and not old.rows:  # the first result is what is waited for
            self.row = next((i for i, row in enumerate(new.rows) if row.variant is not None), 0)
        self._measure()
        measures = (self._label_width, self._note_width, self.picture, self.virtual_size)
        if (
            not new.rows
            or len(old.rows) != len(new.rows)
            or old.names != new.names
            or self._drawn != measures
        ):
            self._drawn = measures
            self.refresh()
            return
        for index, (one, other) in enumerate(zip(old.rows, new.rows, strict=True)):
            if not _same(one, other):
                self._refresh_row(index)

    def watch_image(self, old: int, new: int) -> None:
        """Bring the cursor into sight."""
        self._follow()
        for image in (old, new):
            x = self._label_width + image * (self.picture + 1) - self.scroll_offset.x
            self.refresh(Region(x, 0, self.picture + 2, self._room.height))

    def watch_marked(self) -> None:
        """The sign stands in the gap before the picture."""
        self.refresh()

    def watch_row(self, old: int, new: int) -> None:
        """Bring the cursor into sight."""
        self._follow()
        self._refresh_row(old)
        self._refresh_row(new)

    def _refresh_row(self, index: int) -> None:
        lines = self.picture // 2
        self.refresh(Region(0, HEAD + index * lines - self.scroll_offset.y, self.size.width, lines))

    def on_resize(self) -> None:
        """Sizes follow the room."""
        self._measure()
        self._follow()

    def action_move(self, images: int, rows: int) -> None:
        """Move the cursor."""
        self.move_to(self.image + images, self.row + rows)

    def action_zoom(self, by: int) -> None:
        """Larger or smaller pictures than the room suggests."""
        before = self.picture
        self._zoom += by
        if self.picture == before:
            self._zoom -= by
        self._measure()
        self._follow()
        self.refresh()

    def move_to(self, image: int, row: int) -> None:
        """Put the cursor on an image and a row, as near as there is one."""
        image = max(0, min(image, self.view.columns - 1))
        row = max(0, min(row, len(self.view.rows) - 1))
        if (image, row) != (self.image, self.row):
            self.image, self.row = image, row
            self.post_message(self.Moved(image, row))

    def action_mark(self) -> None:
        """The picture under the cursor is A, to compare others with; marked again, it is not."""
        here = Spot(self.row, self.image)
        if self.view.rows and self.view.rows[self.row].pixels is not None:
            self.marked = None if self.marked == here else here

    def on_click(self, event: events.Click) -> None:
        """The cursor goes where the click is."""
        at = event.get_content_offset(self)
        if at is None or not self.view.rows or at.y < HEAD:
            return
        picture = self.picture
        x = at.x - self._label_width + self.scroll_offset.x
        row = (at.y - HEAD + self.scroll_offset.y) // (picture // 2)
        within = self._label_width <= at.x < self._room.width - self._note_width
        self.move_to(max(0, x - 1) // (picture + 1) if within else self.image, row)

    def _follow(self) -> None:
        if not self.view.rows or not self._room.width:
            return
        picture = self.picture
        room = self._room.width - self._label_width - self._note_width
        left, right = self.image * (picture + 1), (self.image + 1) * (picture + 1) + 1
        top, bottom = self.row * (picture // 2), (self.row + 1) * (picture // 2)
        x, y = self.scroll_offset
        x = min(x, left) if right - x <= room else right - room
        if bottom - y > self._height:
            y = -(-(bottom - self._height) // (picture // 2)) * (picture // 2)
        y = min(y, top)
        if (x, y) != tuple(self.scroll_offset):
            self.scroll_to(x, y, animate=False)

    # ---- drawing

    @property
    def _ground(self) -> Style:
        """The widget's own style, which textual remembers for component classes only."""
        return self.get_component_rich_style("sheet--ground")

    def render_line(self, y: int) -> Strip:
        """Line y: label, the pictures scrolled, numbers."""
        width = self._room.width
        if not self.view.rows:
            return self._teach(y).adjust_cell_length(width, self._ground)
        labels, notes = self._label_width, self._note_width
        whole = self.view.columns * (self.picture + 1) + 1
        room = max(0, min(width - labels - notes, whole))
        start = self.scroll_offset.x
        if y < HEAD:
            left, right = Strip.blank(labels, self._ground), Strip([])
            middle = self._head(start, start + room)
        else:
            index, line = divmod(y - HEAD + self.scroll_offset.y, self.picture // 2)
            if index >= len(self.view.rows):
                return Strip.blank(width, self._ground)
            row = self.view.rows[index]
            left, right = self._label(row, line, index, labels), self._note(row, line, notes)
            middle = self._pictures(row, line, index, start, start + room)
        return Strip.join(
            [left, middle.adjust_cell_length(room, self._ground), right]
        ).adjust_cell_length(width, self._ground)

    def _head(self, start: int, end: int) -> Strip:
        """Cells start to end of the columns' numbers, with the image's name where it fits."""
        cells = [Segment(" ", self._ground)]
        for image in range(self.view.columns):
            number = f"{image + 1}"
            name = self.view.names[image] if image < len(self.view.names) else ""
            full = f"{number} {name}"
            text = full if cell_len(full) <= self.picture else number
            if self.view.heads:
                text = self.view.heads[image]
            style = self._style("sheet--cursor" if image == self.image else "sheet--head")
            cells.append(Segment(f"{text:^{self.picture}} ", style))
        return Strip(cells).crop(start, end)

    def _label(self, row: SheetRowView, line: int, index: int, width: int) -> Strip:
        if line != (self.picture // 2 - 1) // 2:
            return Strip.blank(width, self._ground)
        chosen = index == self.row
        style = self._style("sheet--cursor" if chosen and self.has_focus else "sheet--label")
        if chosen:
            style += Style(bold=True)
        text = row.label
        if cell_len(text) > width - 2:
            text = text[: width - 3] + "…"
        padding = " " * (width - 1 - cell_len(text))
        return Strip([Segment(f"{padding}{text} ", style)])

    def _note(self, row: SheetRowView, line: int, width: int) -> Strip:
        lines = self.picture // 2
        first = max(0, (lines - len(row.notes)) // 2)
        at = line - first
        text = row.notes[at] if 0 <= at < len(row.notes) else ""
        return Strip(
            [Segment(f"  {text:<{max(0, width - 2)}}"[:width], self._style("sheet--note"))]
        )

    def _pictures(self, row: SheetRowView, line: int, at: int, start: int, end: int) -> Strip:
        """Cells start to end of the pictures of row `at`; each has a gap of one cell before it."""
        picture = self.picture
        base = self._ground
        if row.pixels is None:
            if line != (picture // 2 - 1) // 2 or not row.hint:
                return Strip.blank(end - start, base)
            style = self._style(
                "sheet--computing" if row.freshness == "computing" else "sheet--hint"
            )
            return Strip([Segment(" " + row.hint, style)])
        dim = STALE if row.freshness == "stale" else 1.0
        first = start // (picture + 1)
        last = min(len(row.pixels), end // (picture + 1) + 1)
        cells: list[Strip] = []
        for index in range(first, last):
            cells.append(Strip([self._gap(index, at, line)]))
            lines = draw(row.pixels[index], picture, dim)
            cells.append(lines[min(line, len(lines) - 1)])
        if last == len(row.pixels):
            cells.append(Strip([self._gap(last, at, line)]))
        whole = Strip.join(cells)
        offset = first * (picture + 1)
        return whole.crop(start - offset, min(end - offset, whole.cell_length))

    def _gap(self, index: int, row: int, line: int) -> Segment:
        """The gap before picture `index`; the cursor is a bracket in the gaps around it."""
        if line == 0 and self.marked == (row, index):
            return Segment("A", self._style("sheet--marked"))
        style = self._style("sheet--cursor" if row == self.row else "sheet--column")
        if index == self.image:
            return Segment("▐", style)
        if index == self.image + 1:
            return Segment("▌", style)
        return Segment(" ", self._ground)

    def _teach(self, y: int) -> Strip:
        """What to press next, in the middle."""
        teach = self.view.teach
        top = max(0, (self._room.height - len(teach)) // 2)
        if not top <= y < top + len(teach):
            return Strip.blank(self._room.width, self._ground)
        key, words = teach[y - top]
        keys = max(len(k) for k, _ in teach)
        block = keys + 2 + max(cell_len(w) for _, w in teach)
        margin = max(1, (self._room.width - block) // 2)
        return Strip(
            [
                Segment(" " * margin, self._ground),
                Segment(f"{key:>{keys}}  ", self._style("sheet--key")),
                Segment(words, self._style("sheet--hint")),
            ]
        )

    def _style(self, name: str) -> Style:
        return self.get_component_rich_style(name)


def _same(one: SheetRowView, other: SheetRowView) -> bool:
    return (
        one.label == other.label
        and one.notes == other.notes
        and one.freshness == other.freshness
        and one.hint == other.hint
        and same_pixels(one.pixels, other.pixels)
    )
