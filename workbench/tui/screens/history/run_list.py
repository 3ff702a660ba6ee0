"""The kept runs: each a few lines high, with pictures at the left and words beside them."""

from __future__ import annotations

from collections.abc import Sequence
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

from workbench.tui.models import RunLineView
from workbench.tui.terminal.pictures import draw

PICTURE = 6  # cells of a thumbnail's width, and half of it in lines
HEIGHT = PICTURE // 2 + 1  # lines of a run: its thumbnails and a gap
WORDS = 52  # cells that the words are left before a thumbnail is
SIGNS = {"cancelled": "partial", "failed": "failed", "damaged": "damaged"}


class RunList(ScrollView, can_focus=True):
    """Runs under one cursor; only those in sight are drawn, and asked for."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "runs--ground",
        "runs--cursor",
        "runs--blurred",
        "runs--title",
        "runs--dim",
        "runs--pin",
        "runs--wrong",
        "runs--empty",
    }
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "step(-1)", "up", show=False),
        Binding("down", "step(1)", "down", show=False),
        Binding("pageup", "page(-1)", "page up", show=False),
        Binding("pagedown", "page(1)", "page down", show=False),
        Binding("home", "step(-999999)", "first", show=False),
        Binding("end", "step(999999)", "last", show=False),
    ]

    cursor: reactive[int] = reactive(0, repaint=False)

    @dataclass
    class Highlighted(Message):
        """The cursor stands on another run; None where there is no run."""

        name: str | None

    @dataclass
    class InSight(Message):
        """Other runs came into sight."""

        names: tuple[str, ...]

    class Chosen(Message):
        """The run under the cursor was clicked again."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._views: list[RunLineView] = []
        self._empty: tuple[str, ...] = ()

    @property
    def chosen(self) -> str | None:
        """The name of the run under the cursor."""
        return self._views[self.cursor].name if self.cursor < len(self._views) else None

    def show(self, views: Sequence[RunLineView], empty: tuple[str, ...], keep: str | None) -> None:
        """Other runs; the cursor stays on the run `keep`. `empty`: shown when there are none."""
        self._views, self._empty = list(views), empty
        names = [view.name for view in views]
        self.virtual_size = Size(0, len(views) * HEIGHT)
        self.cursor = (
            names.index(keep) if keep in names else max(0, min(self.cursor, len(names) - 1))
        )
        self._follow()
        self.refresh()
        self._report_sight()
        self.post_message(self.Highlighted(self.chosen))

    def put(self, view: RunLineView) -> None:
        """More is known of a run."""
        for index, old in enumerate(self._views):
            if old.name == view.name:
                self._views[index] = view
                self.refresh_lines(index * HEIGHT - self.scroll_offset.y, HEIGHT)
                return

    def watch_cursor(self, old: int, new: int) -> None:
        """Bring the cursor into sight and say where it is."""
        self._follow()
        for index in (old, new):
            self.refresh_lines(index * HEIGHT - self.scroll_offset.y, HEIGHT)
        self.post_message(self.Highlighted(self.chosen))

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Other runs are in sight."""
        super().watch_scroll_y(old_value, new_value)
        self._report_sight()

    def on_resize(self) -> None:
        """More or fewer runs are in sight."""
        self._follow()
        self._report_sight()

    def action_step(self, by: int) -> None:
        """Up or down."""
        if self._views:
            self.cursor = max(0, min(self.cursor + by, len(self._views) - 1))

    def action_page(self, by: int) -> None:
        """As many runs as are in sight."""
        self.action_step(by * max(1, self.size.height // HEIGHT))

    def on_click(self, event: events.Click) -> None:
        """The cursor goes where the click is; a click on it chooses."""
        at = event.get_content_offset(self)
        index = -1 if at is None else (at.y + self.scroll_offset.y) // HEIGHT
        if not 0 <= index < len(self._views):
            return
        if index == self.cursor:
            self.post_message(self.Chosen())
        self.cursor = index

    # ---- drawing

    def render_line(self, y: int) -> Strip:
        """Line y: thumbnails, words, and at the right the date and what is not as it should be."""
        width = self.scrollable_content_region.width
        index, line = divmod(y + self.scroll_offset.y, HEIGHT)
        ground = self._style("runs--ground")
        if not self._views:
            return self._hint_line(y, width)
        if index >= len(self._views) or line == HEIGHT - 1:
            return Strip.blank(width, ground)
        view = self._views[index]
        if index == self.cursor:
            name = "runs--cursor" if self.has_focus else "runs--blurred"
            ground += Style(bgcolor=self._style(name).bgcolor)
        mark = Segment("▌" if index == self.cursor else " ", ground + self._color("runs--pin"))
        pictures = self._pictures(view, line, width, ground)
        room = width - pictures.cell_length - 2
        left, right = self._words(view, line)
        return Strip.join(
            [
                Strip([mark]),
                pictures,
                _spread(left, right, room, ground),
                Strip([Segment(" ", ground)]),
            ]
        ).adjust_cell_length(width, ground)

    def _pictures(self, view: RunLineView, line: int, width: int, ground: Style) -> Strip:
        """As many thumbnails as leave the words room, in as many cells for every run."""
        count = max(0, min(4, (width - WORDS) // (PICTURE + 1)))
        cells: list[Strip] = []
        pixels = () if view.pictures is None else view.pictures[:count]
        for picture in pixels:
            lines = draw(picture, PICTURE)
            blank = Strip.blank(PICTURE, ground)
            cells += [lines[line] if line < len(lines) else blank, Strip([Segment(" ", ground)])]
        return Strip.join(cells).adjust_cell_length(count * (PICTURE + 1) + 1, ground)

    def _words(
        self, view: RunLineView, line: int
    ) -> tuple[list[tuple[str, Style]], list[tuple[str, Style]]]:
        dim, wrong = self._color("runs--dim"), self._color("runs--wrong")
        if line == 0:
            pin = [("★ ", self._color("runs--pin"))] if view.pinned else []
            title = self._color("runs--title") + Style(bold=True)
            return [*pin, (view.title, title)], [(view.when, dim)]
        if not view.read:
            return [], []
        if line == 1:
            return [(view.recipe, self._color("runs--title"))], [(view.size, dim)]
        sign = SIGNS.get(view.status, "")
        return [(view.numbers, dim)], [(sign, wrong)]

    def _hint_line(self, y: int, width: int) -> Strip:
        """What to do where there is nothing."""
        top = max(0, (self.size.height - len(self._empty)) // 2)
        text = self._empty[y - top] if top <= y < top + len(self._empty) else ""
        return Strip([Segment(f"{text:^{width}}", self._style("runs--empty"))])

    def _style(self, name: str) -> Style:
        return self.get_component_rich_style(name)

    def _color(self, name: str) -> Style:
        return Style(color=self._style(name).color)

    def _follow(self) -> None:
        top, height, y = self.cursor * HEIGHT, self.size.height, self.scroll_offset.y
        bottom = top + HEIGHT - 1
        target = min(y, top) if bottom <= y + height else bottom - height
        if height and target != y:
            self.scroll_to(y=target, animate=False)

    def _report_sight(self) -> None:
        first = self.scroll_offset.y // HEIGHT
        last = first + self.size.height // HEIGHT + 2
        if names := tuple(view.name for view in self._views[first:last] if not view.read):
            self.post_message(self.InSight(names))


def _spread(
    left: Sequence[tuple[str, Style]], right: Sequence[tuple[str, Style]], room: int, ground: Style
) -> Strip:
    """Words at both ends of `room` cells; those at the left give way."""
    end = [(text, style) for text, style in right if text]
    taken = sum(cell_len(text) for text, _ in end) + (1 if end else 0)
    kept: list[Segment] = []
    free = max(0, room - taken)
    for text, style in left:
        fits = cell_len(text) <= free
        shown = text if fits else set_cell_size(text, max(0, free - 1)) + "…" if free else ""
        kept.append(Segment(shown, ground + style))
        free -= cell_len(shown)
    kept.append(Segment(" " * (free + (1 if end else 0)), ground))
    kept += [Segment(text, ground + style) for text, style in end]
    return Strip(kept).adjust_cell_length(room, ground)
