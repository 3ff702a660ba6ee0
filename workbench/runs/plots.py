"""The curves of a sweep as PNG, drawn by matplotlib. Importing this loads it."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import matplotlib
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

from workbench.runs.curves import (
    Axis,
    Parameter,
    Plot,
    Swept,
    across,
    against_value,
    swept_text,
    trade_off,
    trade_off_metrics,
    varying,
)
from workbench.runs.files import CURVES, TRADE_OFF
from workbench.support.files import atomic_write

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.text import Annotation
    from matplotlib.transforms import Bbox

COLORS = ("#2b6cb0", "#c8741a", "#3f8f4f", "#b83a4b", "#6b5b95", "#4a5568", "#a08a1f", "#2a9d9d")
MARKERS = "os^DvP<X"
_INK, _DIM, _FAINT = "#1f2530", "#5b6472", "#dfe3e9"
_STYLE = {
    "font.family": "DejaVu Sans",  # comes with matplotlib: the same on every machine
    "font.size": 9,
    "text.color": _INK,
    "axes.edgecolor": _DIM,
    "axes.labelcolor": _INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "grid.color": _FAINT,
    "grid.linewidth": 0.6,
    "xtick.color": _DIM,
    "ytick.color": _DIM,
    "xtick.labelcolor": _INK,
    "ytick.labelcolor": _INK,
    "xtick.labelsize": 8.5,
    "ytick.labelsize": 8.5,
    "lines.linewidth": 1.6,
    "lines.markersize": 5.5,
}
_DPI = 110
_LEFT, _RIGHT, _TOP, _BOTTOM = 0.55, 0.2, 0.5, 0.55  # inches around the axes of a panel
_PANEL = (2.9, 1.75)  # inches of a panel's axes
_LARGE = (5.6, 3.9)  # and of the one of a trade-off
_HEAD, _LINE = 0.62, 0.22  # inches of title and subtitle, and of a line of the legend
_GLYPH = 5.4  # points a digit of a tick's name is wide
_AROUND = ((0, 7), (0, -14), (8, -3), (-8, -3), (7, 5), (-7, 5), (7, -12), (-7, -12))  # points


def save_plots(sweep: Sequence[Swept], folder: Path, title: str, subtitle: str) -> None:
    """Write `curves.png` and `trade-off.png` of a sweep, those that there is something to draw of.

    Raises OSError.
    """
    parameter = across(sweep)
    with _style():
        if metrics := varying(sweep):
            panels = [against_value(sweep, metric, parameter) for metric in metrics]
            atomic_write(folder / CURVES, _png(_small_multiples(panels, title, subtitle)))
        if both := trade_off_metrics(sweep):
            plot = trade_off(sweep, *both, parameter)
            figure = _one_large(plot, sweep, parameter, title, subtitle)
            atomic_write(folder / TRADE_OFF, _png(figure))


def _small_multiples(plots: Sequence[Plot], title: str, subtitle: str) -> Figure:
    """A panel for each plot, up to three beside each other."""
    columns = 2 if len(plots) in (2, 4) else min(3, len(plots))
    figure, panels = _figure(plots[0], len(plots), columns, _PANEL, title, subtitle)
    for plot, axes in zip(plots, panels, strict=True):
        _draw(axes, plot)
        metric = plot.y.metric
        _head(axes, plot.y.title, metric.aim if metric else "")
        axes.set_xlabel(plot.x.title)
        if metric and metric.gaussian is not None:
            axes.axhline(metric.gaussian, color=_DIM, linewidth=0.9, linestyle=(0, (4, 3)))
    return figure


def _one_large(
    plot: Plot, sweep: Sequence[Swept], parameter: Parameter, title: str, subtitle: str
) -> Figure:
    """A metric against another, each point with the swept value."""
    figure, (axes,) = _figure(plot, 1, 1, _LARGE, title, subtitle)
    _draw(axes, plot)
    _head(axes, f"Each point is a value of {parameter.title}", "")
    for axis, name in ((axes.xaxis, plot.x), (axes.yaxis, plot.y)):
        aim = name.metric.aim if name.metric else ""
        axis.set_label_text(f"{name.title}{', ' if aim else ''}{aim}")
    texts = [(p.x, p.y, swept_text(sweep, p.variant, parameter)) for p in plot.points]
    _label(axes, texts)
    return figure


# ---- parts of a figure


def _figure(
    plot: Plot,
    count: int,
    columns: int,
    size: tuple[float, float],
    title: str,
    subtitle: str,
) -> tuple[Figure, list[Axes]]:
    """Title, legend and the empty panels, row by row; everything has its size in inches."""
    across, down = size[0] + _LEFT + _RIGHT, size[1] + _TOP + _BOTTOM
    width = _RIGHT + max(columns, 1) * across
    width = max(width, _LEFT + 5.6)
    names = [series.label for series in plot.series if series.label]
    longest = max(map(len, names), default=0)
    beside = max(1, int((width - 2 * _RIGHT) / (0.55 + 0.08 * longest)))
    legend = ceil(len(names) / beside) * _LINE
    rows = ceil(count / columns)
    height = _HEAD + legend + rows * down
    figure = Figure((width, height), dpi=_DPI, facecolor="white")
    left = _RIGHT / width
    figure.text(left, 1 - 0.18 / height, _plain(title), size=12, weight="bold", va="top")
    figure.text(left, 1 - 0.42 / height, _plain(subtitle), size=8.5, color=_DIM, va="top")
    panels = []
    for index in range(count):
        row, column = divmod(index, columns)
        x = _RIGHT + column * across + _LEFT
        y = height - _HEAD - legend - row * down - _TOP - size[1]
        panels.append(figure.add_axes((x / width, y / height, size[0] / width, size[1] / height)))
    if names:
        lines = [
            panels[0].plot([], [], color=color, marker=marker, label=name)[0]
            for name, (color, marker) in zip(names, _looks(), strict=False)
        ]
        figure.legend(
            handles=lines,
            loc="upper left",
            bbox_to_anchor=(left, 1 - _HEAD / height),
            ncols=beside,
            frameon=False,
            borderpad=0,
            borderaxespad=0,
        )
    return figure, panels


def _looks() -> Iterator[tuple[str, str]]:
    """Colour and marker of each series; no two pairs are the same for the first 64."""
    for index in range(len(COLORS) * len(MARKERS)):
        turn, place = divmod(index, len(COLORS))
        yield COLORS[place], MARKERS[(place + turn) % len(MARKERS)]


def _draw(axes: Axes, plot: Plot) -> None:
    """Points and lines, and ticks where they are known."""
    for series, (color, marker) in zip(plot.series, _looks(), strict=False):
        xs, ys = [p.x for p in series.points], [p.y for p in series.points]
        line = "-" if plot.joined else "none"
        axes.plot(xs, ys, color=color, marker=marker, linestyle=line, clip_on=False, zorder=3)
    if plot.x.logarithmic:
        axes.set_xscale("log")
    axes.margins(0.06 if plot.joined else 0.12, 0.16)
    _ticks(axes, "x", plot.x)
    _ticks(axes, "y", plot.y)


def _ticks(axes: Axes, which: str, named: Axis) -> None:
    axis = axes.xaxis if which == "x" else axes.yaxis
    if named.ticks:
        axis.set_major_locator(FixedLocator([place for place, _ in named.ticks]))
        axis.set_minor_locator(NullLocator())
        axis.set_ticklabels(_thinned(axes, named.ticks))
        return
    if named.metric is not None and named.metric.unit == "%":
        low, high = axis.get_view_interval()
        axis.set_view_interval(max(low, -0.04), min(high, 1.04), ignore=True)
    axis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10]))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{named.factor * value:g}"))


def _thinned(axes: Axes, ticks: Sequence[tuple[float, str]]) -> list[str]:
    """The names of ticks, empty where one would run into the name before."""
    axes.get_xlim()  # the limits follow the points only when they are asked for
    right, names = float("-inf"), []
    for place, text in ticks:
        middle = axes.transData.transform((place, 0))[0] * 72 / _DPI
        half = len(text) * _GLYPH / 2
        names.append(_plain(text) if middle - half > right else "")
        right = middle + half + _GLYPH / 2 if names[-1] else right
    return names


def _head(axes: Axes, title: str, aim: str) -> None:
    """What a panel shows, above it, and on the right which way is better."""
    look: Any = {"y": 1, "pad": 10}  # with y given, nothing is laid out to find one
    axes.set_title(title[:1].upper() + title[1:], loc="left", size=9.5, weight="bold", **look)
    axes.set_title(aim, loc="right", size=8, color=_DIM, **look)


def _label(axes: Axes, texts: Sequence[tuple[float, float, str]]) -> None:
    """A text beside each point, where it hides no point and no other text; else none."""
    taken: list[Bbox] = []
    dots = axes.transData.transform([(x, y) for x, y, _ in texts])
    for x, y, text in texts:
        for offset in _AROUND:
            note = _note(axes, x, y, text, offset)
            box = note.get_window_extent()
            free = not any(box.overlaps(other) for other in taken)
            if free and not any(box.padded(3).contains(*dot) for dot in dots):
                taken.append(box)
                break
            note.remove()


def _note(axes: Axes, x: float, y: float, text: str, offset: tuple[int, int]) -> Annotation:
    beside = "center" if not offset[0] else "left" if offset[0] > 0 else "right"
    return axes.annotate(
        _plain(text), (x, y), offset, textcoords="offset points", ha=beside, size=8, color=_DIM
    )


# ---- the file


@contextmanager
def _style() -> Iterator[None]:
    """Our look, whatever the user's matplotlib is set to."""
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(cast(Any, _STYLE))
        yield


def _png(figure: Figure) -> bytes:
    """The same bytes for the same figure: no date, no version."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()


def _plain(text: str) -> str:
    """A text in which matplotlib sees no formula."""
    return text.replace("$", r"\$")
