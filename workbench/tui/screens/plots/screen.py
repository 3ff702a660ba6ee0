"""A sweep as curves: a metric against the swept value, or two metrics against each other."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Static

from workbench.metrics.metric import Figure, measured
from workbench.runs.curves import (
    Axis,
    Parameter,
    Plot,
    across,
    against_value,
    parameters,
    swept_text,
    trade_off,
    trade_off_metrics,
)
from workbench.tui.actions import ActionGroup, key_of
from workbench.tui.models import PlotsView, SheetView
from workbench.tui.screens.plots.actions import PLOTS_ACTIONS
from workbench.tui.screens.plots.sweep_plot import COLORS, SweepPlot
from workbench.tui.widgets.action_screen import ActionScreen
from workbench.tui.widgets.key_hints import KeyHints
from workbench.tui.widgets.sheet import ContactSheet

NOT_MEASURED = "No variant is measured yet."


class PlotsScreen(ActionScreen[int | None]):
    """The plot above, the pictures of the variant under its cursor below; gives that variant."""

    VERTICAL_BREAKPOINTS = [(0, "-low"), (34, "-tall"), (50, "-high")]  # noqa: RUF012  # as textual
    ACTION_GROUP: ClassVar[ActionGroup] = PLOTS_ACTIONS

    def __init__(self, view: PlotsView, variant: int = 0, image: int = 0) -> None:
        """`variant`: the one under the cursor; `image`: the picture of it that comes first."""
        super().__init__()
        self.view = view
        self.variant = variant
        self.trading = False  # a metric against another
        self._image = image
        self._metric = ""  # the first that there is
        self._axes: dict[str, str] = {}  # of the trade-off, once they were chosen

    def compose(self) -> ComposeResult:
        """What is plotted, the plot, what is known of a variant, its pictures, keys."""
        yield Static(id="plot-title", markup=False)
        yield Static(id="plot-legend")
        yield SweepPlot(id="plot")
        yield Static(id="plot-none", markup=False)
        yield Static(id="plot-facts", markup=False)
        pictures = ContactSheet(id="plot-pictures")
        pictures.can_focus = False
        yield pictures
        yield KeyHints()

    def on_mount(self) -> None:
        """The plot as it is now."""
        self._show()

    # ---- what is plotted

    @property
    def metrics(self) -> list[Figure]:
        """What can be plotted."""
        found = measured(variant.metrics for variant in self.view.sweep)
        return [metric for metric in found if not metric.detail]

    @property
    def parameter(self) -> Parameter | None:
        """What is swept along the axis; None: there is no sweep."""
        return across(self.view.sweep) if parameters(self.view.sweep) else None

    @property
    def metric(self) -> Figure:
        """The metric against the swept value."""
        return next((m for m in self.metrics if m.name == self._metric), self.metrics[0])

    @property
    def axes(self) -> tuple[Figure, Figure]:
        """The two metrics of the trade-off, across and upwards."""
        there = {metric.name: metric for metric in self.metrics}
        usual = trade_off_metrics(self.view.sweep) or (self.metrics[0], self.metrics[-1])
        x, y = (there.get(self._axes.get(axis, ""), m) for axis, m in zip("xy", usual, strict=True))
        return x, y

    @property
    def plot(self) -> Plot | None:
        """The plot that is shown, when there is one."""
        parameter = self.parameter
        if parameter is None or not self.metrics:
            return None
        if self.trading:
            return trade_off(self.view.sweep, *self.axes, parameter)
        return against_value(self.view.sweep, self.metric, parameter)

    # ---- showing

    def show(self, view: PlotsView) -> None:
        """A sweep, or news of it."""
        self.view = view
        if self.is_mounted:
            self._show()

    def _show(self) -> None:
        self.variant = min(self.variant, max(0, len(self.view.sweep) - 1))
        plot = self.plot
        for name in ("#plot", "#plot-facts", "#plot-pictures", "#plot-title"):
            self.query_one(name).display = plot is not None
        none = self.query_one("#plot-none", Static)
        none.display = plot is None
        none.update(NOT_MEASURED if self.parameter else no_sweep())
        self.query_one("#plot-legend").display = plot is not None and len(plot.series) > 1
        if plot is not None:
            self.query_one(SweepPlot).show(plot, self.variant, self._names())
            self.query_one("#plot-title", Static).update(_title(plot))
            self.query_one("#plot-legend", Static).update(_legend(plot))
            self.query_one("#plot-facts", Static).update(self._facts())
            self._show_pictures()
        self.refresh_bindings()

    def _facts(self) -> str:
        variant = self.view.sweep[self.variant]
        shown = self.axes if self.trading else (self.metric,)
        figures = [
            f"{metric.title} {metric.text(variant.metrics[metric.name])}"
            for metric in shown
            if metric.name in variant.metrics
        ]
        place = f"variant {self.variant + 1} of {len(self.view.sweep)}"
        return " · ".join([f"◆ {variant.label}", *(figures or ["not finished"]), place])

    def _names(self) -> tuple[str, ...]:
        """The swept values, where no axis has them."""
        parameter = self.parameter
        if parameter is None or not self.trading:
            return ()
        return tuple(swept_text(self.view.sweep, i, parameter) for i in range(len(self.view.sweep)))

    def _show_pictures(self) -> None:
        sheet = self.view.sheet
        rows = [r for r in sheet.rows if r.kind == "source" or r.variant == self.variant]
        pictures = self.query_one("#plot-pictures", ContactSheet)
        pictures.view = SheetView("", tuple(rows), sheet.columns, sheet.size, names=sheet.names)
        pictures.move_to(self._image, len(rows) - 1)

    # ---- keys

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Without a plot there is only the way back; axes are chosen of the trade-off."""
        if action in ("take", "variant", "metric", "trade_off", "axis") and self.plot is None:
            return False
        return self.trading if action == "axis" else True

    def action_variant(self, by: int) -> None:
        """The next point, series after series, then what has no point."""
        assert self.plot is not None
        points = [point.variant for point in self.plot.points]
        order = list(dict.fromkeys([*points, *range(len(self.view.sweep))]))
        place = order.index(self.variant) + by
        self.variant = order[max(0, min(place, len(order) - 1))]
        self._show()

    def action_metric(self, by: int) -> None:
        """Another metric upwards; after the last comes the first."""
        if self.trading:
            self._axes["y"] = self._next(self.axes[1], by)
        else:
            self._metric = self._next(self.metric, by)
        self._show()

    def action_axis(self, axis: str) -> None:
        """Another metric along an axis of the trade-off."""
        self._axes[axis] = self._next(self.axes["xy".index(axis)], 1)
        self._show()

    def _next(self, metric: Figure, by: int) -> str:
        metrics = self.metrics
        return metrics[(metrics.index(metric) + by) % len(metrics)].name

    def action_trade_off(self) -> None:
        """Two metrics against each other, or one against the swept value."""
        self.trading = not self.trading
        self._show()

    def action_take(self) -> None:
        """Back, to the variant under the cursor."""
        self.dismiss(self.variant)


def _title(plot: Plot) -> str:
    """What is plotted, and which way is better."""
    words = f"{plot.y.title[:1].upper()}{plot.y.title[1:]} against {plot.x.title}"
    if plot.x.metric is None:
        aim = plot.y.metric.aim if plot.y.metric else ""
    else:
        upwards = _better_direction(plot.y, "up", "down")
        sideways = _better_direction(plot.x, "right", "left")
        aim = " and ".join(filter(None, (upwards, sideways)))
        aim = aim and f"better: {aim}"
    return f"{words} · {aim}" if aim else words


def _better_direction(axis: Axis, higher: str, lower: str) -> str:
    """Where along an axis it is better."""
    better = axis.metric.better if axis.metric else None
    return {"higher": higher, "lower": lower, None: ""}[better]


def _legend(plot: Plot) -> Content:
    parts: list[tuple[str, str] | str] = []
    for index, series in enumerate(plot.series):
        parts += [("● ", f"${COLORS[index % len(COLORS)]}"), f"{series.label}   "]
    return Content.assemble(*parts)


def no_sweep() -> str:
    """What there must be before there is something to plot."""
    return (
        "There is no sweep to plot yet. Give a parameter of the recipe several values "
        f"(4, {key_of('form')}, then for example 0.1 0.3 0.5) and run it ({key_of('run')})."
    )
