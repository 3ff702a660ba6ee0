"""A small bar chart with the expected height of each bar drawn over it."""

from __future__ import annotations

from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.reactive import reactive
from textual.strip import Strip
from textual.widget import Widget

from workbench.tui.models import BarsView

EIGHTHS = " ▁▂▃▄▅▆▇█"
LINES = "▁─▔"  # a line in the lower, middle or upper third of a cell
LEFT = 5  # cells for the figures and the axis
BELOW = 2  # lines for the axis and its figures


class Bars(Widget):
    """As many cells a bar as there is room for; where there are fewer, bars are averaged."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "bars--axis",
        "bars--bar",
        "bars--far",
        "bars--expected",
    }

    view: reactive[BarsView] = reactive(BarsView(), layout=False)

    def render_line(self, y: int) -> Strip:
        """Line y: figures and axis, then a cell of each bar."""
        width, height = self.size
        rows, room = height - BELOW, width - LEFT
        count = len(self.view.heights)
        if rows < 2 or room < 8 or not count:
            return Strip.blank(width, self.rich_style)
        axis = self.get_component_rich_style("bars--axis")
        together = -(-count // room)  # bars in a cell
        bars = -(-count // together)
        cells = room // bars
        columns = bars * cells
        if y == rows:
            return self._padded([Segment(" " * (LEFT - 1) + "└" + "─" * columns, axis)])
        if y > rows:
            return self._padded([Segment(" " * LEFT + self._ends(columns), axis)])
        cut = "≥" if max(self.view.heights) > self.view.top else ""
        figure = {0: f"{cut}{self.view.top:.2g}", rows - 1: "0"}.get(y, "")
        lead = Segment(f"{figure:>{LEFT - 1}}│", axis)
        drawn = [
            self._cell(range(at, min(at + together, count)), rows - 1 - y, rows, cells)
            for at in range(0, count, together)
        ]
        return self._padded([lead, *drawn])

    def _cell(self, bars: range, row: int, rows: int, cells: int) -> Segment:
        """A bar's part in a row counted from below."""
        view, scale = self.view, rows / self.view.top
        height = sum(view.heights[i] for i in bars) / len(bars) * scale - row
        expected = sum(view.expected[i] for i in bars) / len(bars) * scale - row
        far = any(view.far[i] for i in bars)
        style = self.rich_style + self.get_component_rich_style(
            "bars--far" if far else "bars--bar", partial=True
        )
        if 0 <= expected < 1:
            line = self.get_component_rich_style("bars--expected", partial=True)
            ground = style.color if height > 0.5 else self.rich_style.bgcolor
            return Segment(
                LINES[int(expected * 3)] * cells, Style(color=line.color, bgcolor=ground)
            )
        return Segment(EIGHTHS[round(max(0.0, min(height, 1.0)) * 8)] * cells, style)

    def _ends(self, columns: int) -> str:
        left, middle, right = self.view.axis
        text = f"{middle:^{columns}}"
        return left + text[len(left) : max(len(left), columns - len(right))] + right

    def _padded(self, segments: list[Segment]) -> Strip:
        return Strip(segments).adjust_cell_length(self.size.width, self.rich_style).simplify()
