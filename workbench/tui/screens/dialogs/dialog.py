"""Dialogs over another screen, which stands still behind them."""

from __future__ import annotations

from textual.screen import ModalScreen, ScreenResultType
from textual.strip import Strip

from workbench.tui.widgets.closing import ClosesOnce


class Dialog(ClosesOnce[ScreenResultType], ModalScreen[ScreenResultType]):
    """A modal screen that draws what lies behind it once, dimmed, and not with every key.

    Textual draws all of it whenever anything moves: 30 to 60 ms on two cores, at 120x36.
    """

    _behind: tuple[object, ...] = ()  # what the lines of it were drawn for
    _still: tuple[Strip, ...] = ()

    def render_line(self, y: int) -> Strip:
        """A line of what lies behind."""
        drawn_for = self.size, self.app.theme
        if self._behind != drawn_for:
            self._behind = drawn_for
            self._still = tuple(map(super().render_line, range(self.size.height)))
        return self._still[y] if y < len(self._still) else Strip.blank(self.size.width)

    def on_resize(self) -> None:
        """What lies behind is another size too, soon."""
        self.call_after_refresh(self._look_behind)

    def _look_behind(self) -> None:
        self._behind = ()
        self.refresh()
