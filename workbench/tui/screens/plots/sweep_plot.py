"""A plot of a sweep in characters, drawn by plotext. Importing this loads it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import cycle
from math import ceil, floor, log10
from typing import TypeVar

from rich.style import Style
from rich.text import Span, Text
from textual.color import Color
from textual_plotext import PlotextPlot

from workbench.runs.curves import Axis, Plot

T = TypeVar("T")

COLORS = ("primary", "success", "error", "warning", "secondary")  # of the series, by turns
_MARGIN = 0.06  # of an axis, beyond its first and last point
_LINES = 2  # between two ticks of the upright axis, about
_CELLS = 12  # and of the other one


@dataclass(frozen=True)
class Ground:
    """What lies between the axes: its limits, and its size in cells."""

    left: float
    right: float
    low: float
    high: float
    columns: int
    rows: int

    @property
    def cell(self) -> float:
        """How far it is from a cell to the next one."""
        return (self.right - self.left) / max(1, self.columns - 1)

    def dots(self, place: tuple[float, float]) -> tuple[float, float]:
        """A place as plotext's lines have it, which lie beside its points.

        Points are put into `rows` cells, lines into 4·`rows` dots from the same first to the
        same last place.
        """
        x, y = place
        across, up = (x - self.left) / (self.right - self.left), (y - self.low) / self._height
        across = (2 * across * (self.columns - 1) + 0.5) / (2 * self.columns - 1)
        up = (4 * up * (self.rows - 1) + 1.5) / (4 * self.rows - 1)
        return self.left + across * (self.right - self.left), self.low + up * self._height

    @property
    def _height(self) -> float:
        return self.high - self.low


class SweepPlot(PlotextPlot):
    """Series on two axes; the point of the variant that is looked at stands out."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._shown: Plot | None = None
        self._variant = 0
        self._names: Sequence[str] = ()

    def show(self, plot: Plot, variant: int, names: Sequence[str] = ()) -> None:
        """Draw a plot, with a variant marked; `names`: of the variants, beside their points."""
        if (plot, variant, names) != (self._shown, self._variant, self._names):
            self._shown, self._variant, self._names = plot, variant, names
            self.refresh()

    def render(self) -> Text:
        """Lines, points, axes, in the theme's colours."""
        width, height = self.size
        if self._shown is None or not self._shown.points or height < 4:
            return Text()
        shown, draw = self._shown, self.plt
        draw.clear_figure()
        draw.plotsize(width, height)
        draw._set_size(width, height)  # textual-plotext: plotsize alone does not take
        draw.canvas_color(self._color("background"))
        draw.axes_color(self._color("background"))
        draw.ticks_color(self._color("dim"))
        draw.xaxes(True, False)
        draw.yaxes(True, False)
        ground = self._set_axes(shown, width, height)
        for series, variable in zip(shown.series, cycle(COLORS), strict=False):
            color = self._color(variable)
            places = [(_place(shown.x, p.x), _place(shown.y, p.y)) for p in series.points]
            if shown.joined and len(places) > 1:
                draw.plot(*_columns(map(ground.dots, places)), marker="braille", color=color)
            draw.scatter(*_columns(places), marker="●", color=color)
        for point in shown.points:
            x, y = _place(shown.x, point.x), _place(shown.y, point.y)
            chosen = point.variant == self._variant
            if chosen:
                draw.scatter([x], [y], marker="◆", color=self._color("accent"))
            if self._names:
                name = self._names[point.variant]
                before = x + (len(name) + 2) * ground.cell > ground.right
                draw.text(
                    name,
                    x - 2 * ground.cell if before else x + 2 * ground.cell,
                    y,
                    color=self._color("accent" if chosen else "dim"),
                    background=self._color("background"),
                    alignment="right" if before else "left",
                )
        return _on_any_ground(Text.from_ansi(draw.build(), no_wrap=True))

    def _set_axes(self, shown: Plot, width: int, height: int) -> Ground:
        left, right = _limits([_place(shown.x, p.x) for p in shown.points])
        low, high = _limits([_place(shown.y, p.y) for p in shown.points])
        self.plt.xlim(left, right)
        self.plt.ylim(low, high)
        upwards = _ticks(shown.y, low, high, max(2, height // _LINES))
        self.plt.yticks(*_columns(upwards))
        beside = max((len(text) for _, text in upwards), default=0) + 1
        ground = Ground(left, right, low, high, width - beside, height - 2)
        across = _ticks(shown.x, left, right, max(2, width // _CELLS))
        self.plt.xticks(*_columns(_apart(across, 1 / ground.cell)))
        return ground

    def _color(self, name: str) -> tuple[int, int, int]:
        return Color.parse(self.app.theme_variables[name]).rgb


def _place(axis: Axis, number: float) -> float:
    """Where a number lies along an axis."""
    return log10(number) if axis.logarithmic else number * axis.factor


def _limits(places: Sequence[float]) -> tuple[float, float]:
    low, high = min(places), max(places)
    margin = _MARGIN * (high - low) or 0.1 * abs(high) or 1.0
    return low - margin, high + margin


def _ticks(axis: Axis, low: float, high: float, count: int) -> list[tuple[float, str]]:
    """The values of the sweep, or round numbers."""
    if axis.ticks:
        named = [(_place(axis, number), text) for number, text in axis.ticks]
        return [tick for tick in named if low <= tick[0] <= high]
    power = 10.0 ** floor(log10((high - low) / count))
    step = next(s * power for s in (1, 2, 5, 10) if (high - low) / (s * power) <= count)
    rounds = range(ceil(low / step), floor(high / step) + 1)
    return [(turn * step, f"{turn * step:.6g}") for turn in rounds]


def _apart(ticks: Sequence[tuple[float, str]], scale: float) -> list[tuple[float, str]]:
    """Those ticks whose names do not run into the one before; `scale`: cells per number."""
    kept: list[tuple[float, str]] = []
    end = float("-inf")
    for place, text in ticks:
        if place * scale - len(text) / 2 >= end:
            kept.append((place, text))
            end = place * scale + len(text) / 2 + 1
    return kept


def _columns(pairs: Iterable[tuple[float, T]]) -> tuple[list[float], list[T]]:
    """The first of each pair, the second of each."""
    both = list(pairs)
    return [one for one, _ in both], [other for _, other in both]


def _on_any_ground(drawn: Text) -> Text:
    """Without plotext's background, which a terminal's own would not match."""
    spans = [
        Span(span.start, span.end, Style(color=span.style.color))
        for span in drawn.spans
        if isinstance(span.style, Style)
    ]
    return Text(drawn.plain, spans=spans, no_wrap=True)
