"""Pictures looked at closely: one of them large, or two compared."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.containers import Container
from textual.geometry import Offset, Size
from textual.timer import Timer
from textual.widgets import Static

from workbench.tui.actions import ActionGroup
from workbench.tui.models import PictureRow, Spot
from workbench.tui.present import viewer as words
from workbench.tui.screens.viewer.actions import MODES, VIEWER_ACTIONS, Mode
from workbench.tui.widgets.action_screen import ActionScreen
from workbench.tui.widgets.canvas import CROSSHAIR_FROM, Canvas
from workbench.tui.widgets.key_hints import KeyHints

if TYPE_CHECKING:
    from workbench.tui.models import Pixels
    from workbench.tui.present.comparison import Difference

FLICKER = 0.5  # seconds that each of the two is shown
LARGEST_FACTOR = 64  # cells a pixel can be wide
GAP = 2  # pixels between the pictures of a whole row


class ViewScreen(ActionScreen[tuple[Spot, "Spot | None"]]):
    """One picture of several rows; with a second one marked as A, the two compared.

    Of another row than A's, the picture of the same image is compared; within A's row, A stays.
    """

    ACTION_GROUP: ClassVar[ActionGroup] = VIEWER_ACTIONS

    def __init__(
        self,
        rows: Sequence[PictureRow],
        at: Spot = Spot(0, 0),  # noqa: B008  # immutable
        marked: Spot | None = None,
        sheet: str | None = None,
    ) -> None:
        """`marked`: the picture A; the view then opens with A and the picture at `at` compared.

        `sheet`: the file with the run's contact sheet.
        """
        super().__init__()
        self.rows = tuple(rows)
        self.sheet = sheet
        self.at = at
        self.marked = marked
        self.mode: Mode = "single" if marked is None else "side by side"
        self.whole = False
        self.factor = 0  # cells a pixel is wide; 0: as large as fits
        self.difference: Difference | None = None
        self._pixel: Offset | None = None
        self._flicker: Timer | None = None
        self._held = False
        self._first = False  # whether flicker shows A now

    # ---- layout

    def compose(self) -> ComposeResult:
        """Up to three pictures, what is known of them, keys."""
        with Container(id="canvases"):
            yield Canvas(id="one")
            yield Canvas(id="two")
            yield Canvas(id="difference")
        yield Static(id="facts", markup=False)
        yield Static(id="measures", markup=False)
        yield KeyHints()

    def on_mount(self) -> None:
        """Everything, once there is room."""
        self.show()

    def on_resize(self) -> None:
        """What fits is another factor now."""
        self.call_after_refresh(self._show_words)

    def on_screen_suspend(self) -> None:
        """Nothing changes behind another screen."""
        self._stop_flicker()

    def on_screen_resume(self) -> None:
        """Go on."""
        self.show()

    # ---- what is compared

    @property
    def row(self) -> PictureRow:
        """The row that is looked at."""
        return self.rows[self.at.row]

    @property
    def first(self) -> Spot | None:
        """The picture A, where there is one and it is not the picture that is looked at."""
        if self.marked is None:
            return None
        if self.marked.row == self.at.row:
            other = self.marked
        else:
            last = len(self.rows[self.marked.row].pixels) - 1
            other = Spot(self.marked.row, min(self.at.image, last))
        same = other.row == self.at.row if self.whole else other == self.at
        return None if same else other

    @property
    def shown(self) -> Mode:
        """The mode, as far as there is something to compare."""
        return "single" if self.first is None else self.mode

    def show(self) -> None:
        """Put the pictures into their places."""
        from workbench.tui.present.comparison import difference, side_by_side

        one, two = self._pixels(self.first), self._pixels(self.at)
        assert two is not None
        if one is not None and self.whole:
            one, two = one[: len(two)], two[: len(one)]
        self.difference = None if one is None else difference(one, two)
        delta = None if self.difference is None else self.difference.pixels
        pictures = [one, two, delta]
        if self.whole:
            pictures = [None if stack is None else side_by_side(stack, GAP) for stack in pictures]
        mode = self.shown
        visible = {
            "single": {"two"},
            "side by side": {"one", "two", "difference"} if self.whole else {"one", "two"},
            "flicker": {"two"},
            "difference": {"difference"},
        }[mode]
        self.query_one("#canvases").set_class(self.whole, "-rows")
        for name, pixels in zip(("one", "two", "difference"), pictures, strict=True):
            canvas = self.query_one(f"#{name}", Canvas)
            canvas.display = name in visible
            if canvas.display and name != "two":
                canvas.show(pixels, self.factor, self._sizes(), self.whole)
        self._show_two(pictures[0], pictures[1])
        self._set_flicker(pictures[0], pictures[1])
        self._mark_pixel()
        self.call_after_refresh(self._show_words)

    def _pixels(self, spot: Spot | None) -> Pixels | None:
        """The picture of a spot, or its whole row."""
        if spot is None:
            return None
        pixels = self.rows[spot.row].pixels
        return pixels if self.whole else pixels[spot.image]

    def _sizes(self) -> str:
        """Why there is no difference."""
        return words.sizes([self.rows[spot.row] for spot in (self.first, self.at) if spot])

    def _show_two(self, one: Pixels | None, two: Pixels | None) -> None:
        canvas = self.query_one("#two", Canvas)
        if canvas.display:
            pixels = one if self.shown == "flicker" and self._first else two
            canvas.show(pixels, self.factor, by_height=self.whole)

    # ---- flicker

    def _set_flicker(self, one: Pixels | None, two: Pixels | None) -> None:
        """A timer runs only while it changes something."""
        self._stop_flicker()
        equal = self.difference is not None and not self.difference.most
        if self.shown == "flicker" and not self._held and not equal:

            def swap() -> None:
                self._first = not self._first
                self._show_two(one, two)
                self._show_titles()

            self._flicker = self.set_interval(FLICKER, swap)

    def _stop_flicker(self) -> None:
        if self._flicker is not None:
            self._flicker.stop()
            self._flicker = None

    def action_hold(self) -> None:
        """Stop the flicker on what is shown, or let it go on."""
        self._held = not self._held
        self.show()

    # ---- words

    def _show_words(self) -> None:
        """Titles above the pictures, facts below."""
        self._show_titles()
        self.query_one("#facts", Static).update(self._facts())
        self.query_one("#measures", Static).update(self._measures())

    def _show_titles(self) -> None:
        one, two, delta = (self.query_one(f"#{n}", Canvas) for n in ("one", "two", "difference"))
        if self.first is None:
            two.border_title = words.title(self.row, self.at.image, "", whole=self.whole)
            return
        spots = {"A": self.first, "B": self.at}
        for canvas, (letter, spot) in zip((one, two), spots.items(), strict=True):
            row = self.rows[spot.row]
            canvas.border_title = words.title(row, spot.image, f"{letter} · ", whole=self.whole)
        legend = self.difference.legend if self.difference else ""
        seen = {} if self.shown != "difference" else self._named(spots)
        delta.border_title = words.difference_title(legend, seen, whole=self.whole)
        if self.shown == "flicker" and self._first:
            two.border_title = one.border_title

    def _facts(self) -> str:
        if self.first is None:
            if self.marked is not None:
                return "This is A. Go to another picture (n) or row (N) to compare."
            return "m marks this picture as A, to compare another one with it."
        lead = f"{self.shown} · " if self.shown != "single" else ""
        if self.shown == "flicker" and self._held:
            lead = "flicker, held · "
        return lead + (self.difference.words if self.difference else self._sizes())

    def _measures(self) -> str:
        height, width = self.row.pixels.shape[1:3]
        scale = self._seen.magnification
        scale_text = f"×{scale:g}" if scale >= 1 else f"×{scale:.2f}, averaged"
        parts = [f"{width}×{height} pixels", scale_text]
        if self.whole:
            seen = self._seen
            left = seen.scroll_offset.x / (seen.magnification or 1)
            lefts = [self._left_of(image) for image in range(len(self.row.pixels))]
            right = left + seen.window.width
            parts.append(words.images_seen(lefts, width, (left, right), self.at.image))
        elif scale >= CROSSHAIR_FROM:
            spots = {"B": self.at} if self.first is None else {"A": self.first, "B": self.at}
            parts.append(words.colors(self._named(spots), self._pointed()))
        return " · ".join(parts)

    def _named(self, spots: dict[str, Spot]) -> dict[str, tuple[PictureRow, int]]:
        """Letters with the rows and images that they stand for."""
        return {letter: (self.rows[spot.row], spot.image) for letter, spot in spots.items()}

    # ---- keys

    def action_leave(self) -> None:
        """Back, with the place that was looked at."""
        self._stop_flicker()
        self.dismiss((self.at, self.marked))

    def action_go(self, rows: int, images: int) -> None:
        """Another picture; after the last one comes the first."""
        row = (self.at.row + rows) % len(self.rows)
        count = len(self.rows[row].pixels)
        image = (self.at.image + images) % count if images else min(self.at.image, count - 1)
        self.at = Spot(row, image)
        if self.whole:
            self._pixel = None
        self.show()

    def action_mark(self) -> None:
        """This picture is A; marked again, it is not."""
        self.marked = None if self.marked == self.at else self.at
        if self.marked is not None and self.mode == "single":
            self.mode = "side by side"
        self.show()

    def action_cycle(self, by: int) -> None:
        """The next way to compare."""
        self.action_mode(MODES[(MODES.index(self.mode) + by) % len(MODES)])

    def action_mode(self, mode: Mode) -> None:
        """One way to compare."""
        self.mode, self._held, self._first = mode, False, False
        self.show()

    def action_whole(self) -> None:
        """The whole row of pictures, or one of them."""
        self.whole, self._pixel = not self.whole, None
        self.show()

    def action_graphics(self) -> None:
        """What is shown, by the terminal's own graphics until a key is pressed."""
        from workbench.tui.terminal.graphics import joined, show

        seen = [canvas for canvas in self.query(Canvas) if canvas.display]
        pictures = [canvas.pixels for canvas in seen if canvas.pixels is not None]
        if pictures:
            title = " | ".join(str(canvas.border_title) for canvas in seen)
            self._explain(show(self.app, joined(pictures, below=self.whole), title))

    def action_sheet(self) -> None:
        """The run's contact sheet as it was kept, by the terminal's own graphics."""
        from PIL import Image

        from workbench.tui.terminal.graphics import show

        if self.sheet is None:
            self._explain("There is no sheet.png: only a kept run has one.")
            return
        try:
            with Image.open(self.sheet) as picture:
                self._explain(show(self.app, picture.convert("RGB"), self.sheet))
        except OSError as error:
            self._explain(f"{self.sheet}: {error.strerror or error}")

    def _explain(self, why: str | None) -> None:
        """Why nothing was drawn."""
        if why is not None:
            self.notify(why, timeout=8, markup=False)

    def action_zoom(self, by: int) -> None:
        """Larger or smaller, by whole factors."""
        self.factor = max(1, min(LARGEST_FACTOR, int(self._seen.magnification) + by))
        self.show()

    def action_fit(self) -> None:
        """As large as fits."""
        self.factor = 0
        self.show()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """What compares is offered while there is something to compare."""
        if action in ("cycle", "mode"):
            return self.first is not None
        if action == "hold":
            return self.first is not None and self.mode == "flicker"
        return True

    # ---- the crosshair

    @property
    def _seen(self) -> Canvas:
        """A canvas that is shown; all have the same measures."""
        return next(canvas for canvas in self.query(Canvas) if canvas.display)

    def _extent(self) -> Size:
        """Pixels of the picture, or of the whole row."""
        count, height, width, _ = self.row.pixels.shape
        return Size(self._left_of(count) - GAP if self.whole else width, height)

    def _left_of(self, image: int) -> int:
        """Where an image of a whole row starts."""
        return image * (int(self.row.pixels.shape[2]) + GAP)

    def _pointed(self) -> Offset:
        """The pixel that is looked at: the middle of the picture until it is moved."""
        width, height = self._extent()
        if self._pixel is None:
            middle = self.row.pixels.shape[2] // 2
            start = self._left_of(self.at.image) if self.whole else 0
            return Offset(start + middle, height // 2)
        return Offset(min(self._pixel.x, width - 1), min(self._pixel.y, height - 1))

    def _point(self, pixel: Offset) -> None:
        width, height = self._extent()
        self._pixel = Offset(max(0, min(pixel.x, width - 1)), max(0, min(pixel.y, height - 1)))
        self._mark_pixel()
        self.query_one("#measures", Static).update(self._measures())

    def _mark_pixel(self) -> None:
        for canvas in self.query(Canvas):
            if canvas.display:
                canvas.look_at(self._pointed(), crosshair=not self.whole)

    def action_point(self, x: int, y: int) -> None:
        """A pixel further; along a whole row, a quarter of what is seen of it."""
        by = max(1, self._seen.window.width // 4) if self.whole else 1
        self._point(self._pointed() + Offset(x * by, y))

    def action_page(self, x: int, y: int) -> None:
        """As far as is seen at once."""
        width, height = self._seen.window
        self._point(self._pointed() + Offset(x * width, y * height))

    def on_canvas_pointed(self, event: Canvas.Pointed) -> None:
        """A click puts the crosshair on a pixel."""
        self._point(event.pixel)

    def on_canvas_measured(self) -> None:
        """Another factor."""
        self.query_one("#measures", Static).update(self._measures())

    def on_canvas_scrolled(self, event: Canvas.Scrolled) -> None:
        """All show the same part."""
        if event.canvas is self._seen:
            self.query_one("#measures", Static).update(self._measures())
        for canvas in self.query(Canvas):
            if canvas.display and canvas is not event.canvas:
                canvas.scroll_to(*event.canvas.scroll_offset, animate=False, force=True)
