"""Accuracy against colour: where each variant of a sweep lies."""

from __future__ import annotations

from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.reactive import reactive
from textual.strip import Strip
from textual.widget import Widget

from workbench.tui.models import TradeOffView

LEFT = 5  # cells for the accuracy's figures and the axis
BELOW = 2  # lines for the axis and the angle's figures


class TradeOff(Widget):
    """Up: more of the wanted label. Left: less change of hue. The cursor's variant stands out."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "tradeoff--axis",
        "tradeoff--point",
        "tradeoff--cursor",
    }

    view: reactive[TradeOffView] = reactive(TradeOffView(), layout=False)

    def render_line(self, y: int) -> Strip:
        """Line y: figures and axis, then the points on it."""
        width, height = self.size
        rows, columns = height - BELOW, width - LEFT - 1
        if rows < 3 or columns < 8 or not self.view.points:
            return Strip.blank(width, self.rich_style)
        axis = self.get_component_rich_style("tradeoff--axis")
        if y == rows:
            return Strip([Segment(" " * (LEFT - 1) + "└" + "─" * columns, axis)])
        if y > rows:
            end = f"{self._reach:g}°"
            middle = f"hue error{'':{max(0, columns - 11 - len(end))}}"
            return Strip([Segment(f"{'':{LEFT}}0° {middle}{end}", axis)])
        figures = {0: "100%", rows - 1: "0%"}.get(y, "50%" if 2 * y == rows - 1 else "")
        lead = Segment(f"{figures:>{LEFT - 1}}│", axis)
        upper, lower = self._points(2 * y, rows, columns), self._points(2 * y + 1, rows, columns)
        ground = self.rich_style
        cells = [
            self._cell(upper.get(column), lower.get(column), ground) for column in range(columns)
        ]
        return Strip([lead, *cells]).simplify()

    def _points(self, line: int, rows: int, columns: int) -> dict[int, Style]:
        """The points on one of the 2·rows half lines, by column; the cursor's lies on top."""
        found: dict[int, Style] = {}
        for index, (hue, accuracy) in enumerate(self.view.points):
            if round((1 - accuracy) * (2 * rows - 1)) == line:
                chosen = index == self.view.cursor
                column = round(hue / self._reach * (columns - 1))
                if chosen or column not in found:
                    name = "tradeoff--cursor" if chosen else "tradeoff--point"
                    found[column] = self.get_component_rich_style(name)
        return found

    def _cell(self, upper: Style | None, lower: Style | None, ground: Style) -> Segment:
        if upper is not None and lower is not None:
            return Segment("▀", Style(color=upper.color, bgcolor=lower.color))
        if upper is not None:
            return Segment("▀", ground + Style(color=upper.color))
        if lower is not None:
            return Segment("▄", ground + Style(color=lower.color))
        return Segment(" ", ground)

    @property
    def _reach(self) -> float:
        """The right end of the axis in degrees: a round number beyond all points."""
        largest = max(hue for hue, _ in self.view.points)
        return next((end for end in (5, 10, 20, 30, 45, 60, 90, 120) if largest <= end), 180)
