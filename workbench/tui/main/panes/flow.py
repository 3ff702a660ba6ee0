"""The algorithm from left to right, for the image under the cursor."""

from __future__ import annotations

from typing import ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region, Size
from textual.reactive import reactive
from textual.strip import Strip
from textual.widget import Widget

from workbench.tui.models import FlowView, PanelView
from workbench.tui.terminal.pictures import draw, picture_width, same_pixels

NARROWEST_GAP = 2
WIDEST_GAP = 12
SHARE = 0.46  # of the height that the pictures may take; the rest is the contact sheet's
STALE = 0.45  # brightness of a picture that no longer follows from the session
MARKS = {"fresh": "●", "stale": "○", "computing": "◐", "partial": "◐", "absent": "·"}


class Flow(Widget):
    """source ─▶ [edited] ─▶ latent ─▶ [edited] ─▶ result, a statistic below each."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "flow--ground",
        "flow--title",
        "flow--fresh",
        "flow--stale",
        "flow--computing",
        "flow--partial",
        "flow--absent",
        "flow--arrow",
        "flow--caption",
        "flow--empty",
    }

    view: reactive[FlowView] = reactive(FlowView(), repaint=False)

    def watch_view(self, old: FlowView, new: FlowView) -> None:
        """Draw the panels that changed, or everything when there are others."""
        if (len(old.panels), old.size, old.arrows) != (len(new.panels), new.size, new.arrows):
            self.refresh(layout=True)
            return
        picture = (self.size.height - 2) * 2
        gap, margin = self._gaps(self.size.width, picture)
        for index, (before, now) in enumerate(zip(old.panels, new.panels, strict=True)):
            if not _same(before, now):
                x = margin + index * (picture + gap)
                self.refresh(Region(x, 0, picture, self.size.height))

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """Title, picture, caption; the picture as high as the width and the share allow."""
        return self._picture(width, container.height) // 2 + 2

    @property
    def _ground(self) -> Style:
        """The widget's own style, which textual remembers for component classes only."""
        return self.get_component_rich_style("flow--ground")

    def render_line(self, y: int) -> Strip:
        """Line y of all panels."""
        width, view = self.size.width, self.view
        if not view.panels:
            return Strip.blank(width, self._ground)
        picture = (self.size.height - 2) * 2
        gap, margin = self._gaps(width, picture)
        pieces: list[Strip] = [self._text("", margin, self._ground)]
        for index, panel in enumerate(view.panels):
            if index:
                label = view.arrows[index - 1] if index <= len(view.arrows) else ""
                pieces.append(self._arrow(y, gap, picture // 2, label))
            pieces.append(self._panel(panel, y, picture))
        line = Strip.join(pieces)
        return line.adjust_cell_length(width, self._ground)

    def panel_at(self, x: int) -> PanelView | None:
        """The panel under a column."""
        picture = (self.size.height - 2) * 2
        gap, margin = self._gaps(self.size.width, picture)
        index, inside = divmod(x - margin, picture + gap)
        if 0 <= index < len(self.view.panels) and inside < picture:
            return self.view.panels[index]
        return None

    def _picture(self, width: int, height: int) -> int:
        """Cells of a picture's width; every panel has the same."""
        count = max(1, len(self.view.panels))
        across = (width - NARROWEST_GAP * (count - 1)) // count
        down = 2 * max(3, int(height * SHARE) - 2)
        return picture_width(self.view.size, max(4, min(across, down)))

    def _gaps(self, width: int, picture: int) -> tuple[int, int]:
        """Cells between two panels, and before the first."""
        count = len(self.view.panels)
        free = max(0, width - count * picture)
        gap = min(WIDEST_GAP, free // (count - 1)) if count > 1 else 0
        return gap, (free - gap * (count - 1)) // 2

    def _panel(self, panel: PanelView, y: int, width: int) -> Strip:
        if y == 0:
            mark = self._style(f"flow--{panel.freshness}")
            title = self._style("flow--title")
            return Strip(
                [
                    Segment(MARKS[panel.freshness] + " ", mark),
                    *self._text(panel.title, width - 2, title),
                ]
            )
        if y == self.size.height - 1:
            caption = next((c for c in panel.captions if cell_len(c) <= width), "")
            return self._text(caption, width, self._style("flow--caption"))
        if panel.pixels is None:
            empty = self._style("flow--empty")
            words = _wrap(panel.hint, width - 2)
            line = y - 1 - (width // 2 - len(words)) // 2
            text = words[line] if 0 <= line < len(words) else ""
            return self._text(text.center(width), width, empty)
        dim = STALE if panel.freshness == "stale" else 1.0
        lines = draw(panel.pixels, width, dim)
        return lines[y - 1] if y - 1 < len(lines) else self._text("", width, self._ground)

    def _arrow(self, y: int, gap: int, rows: int, label: str) -> Strip:
        style = self._style("flow--arrow")
        middle = 1 + (rows - 1) // 2
        if y == middle:
            arrow = "▶" if gap < 2 else "─" * (gap - 1) + "▶" if gap < 4 else ""
            if gap >= 4:
                arrow = " " + "─" * (gap - 3) + "▶ "
            return self._text(arrow, gap, style)
        if y == middle - 1 and cell_len(label) <= gap - 2:
            return self._text(label.center(gap), gap, style)
        return self._text("", gap, self._ground)

    def _style(self, name: str) -> Style:
        return self.get_component_rich_style(name)

    def _text(self, text: str, width: int, style: Style) -> Strip:
        if cell_len(text) > width:
            text = text[: max(0, width - 1)] + "…"
        return Strip([Segment(text, style)]).adjust_cell_length(width, style)


def _same(one: PanelView, other: PanelView) -> bool:
    return (
        one.kind == other.kind
        and one.freshness == other.freshness
        and one.captions == other.captions
        and one.hint == other.hint
        and same_pixels(one.pixels, other.pixels)
    )


def _wrap(text: str, width: int) -> list[str]:
    lines: list[str] = []
    for word in text.split():
        if lines and len(lines[-1]) + 1 + len(word) <= width:
            lines[-1] += " " + word
        else:
            lines.append(word)
    return lines
