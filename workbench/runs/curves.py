"""A sweep as curves: its metrics against the swept value, and against each other.

Nothing is drawn here: the screen and the run directory draw the same plots.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from math import isfinite, log10
from typing import Any

from workbench.metrics.metric import Figure, measured, usual_trade_off

CROWDED = 0.05  # of an axis: points nearer than that are told apart on a logarithmic one, if at all
_CATEGORIES = ("label", "seed")  # parameters whose numbers are names


@dataclass(frozen=True)
class Swept:
    """A variant of a sweep; without metrics while it is not finished."""

    values: Mapping[str, Any]
    label: str
    metrics: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Parameter:
    """What is swept."""

    path: str  # as in the variants' values: latent.1.coefficient
    name: str  # as in the variants' labels: c
    values: tuple[Any, ...]  # in the order of the session, each once
    numeric: bool  # else the values are names: they have an order but no distance

    @property
    def title(self) -> str:
        """The field's name and the symbol for it: `coefficient c`."""
        word = self.path.rpartition(".")[2].replace("_", " ")
        return self.name if word in self.name else f"{word} {self.name}"


@dataclass(frozen=True)
class Axis:
    """A direction of a plot. Ticks: where a value of the sweep lies, and its name."""

    title: str
    factor: float = 1.0  # from a point's number to what the axis shows
    ticks: tuple[tuple[float, str], ...] = ()
    logarithmic: bool = False
    metric: Figure | None = None


@dataclass(frozen=True)
class Point:
    """Where a variant lies, in the manifest's numbers."""

    variant: int
    x: float
    y: float


@dataclass(frozen=True)
class Series:
    """The variants that differ in the parameter across only, in its order."""

    label: str  # the values of the other parameters: `σ = 1`; empty when there are none
    points: tuple[Point, ...]


@dataclass(frozen=True)
class Plot:
    """Series on two axes."""

    x: Axis
    y: Axis
    series: tuple[Series, ...]
    joined: bool  # the points of a series by lines

    @property
    def points(self) -> list[Point]:
        """All points, series after series."""
        return [point for series in self.series for point in series.points]


def parameters(sweep: Sequence[Swept]) -> list[Parameter]:
    """What takes several values, in the order of the session; nothing when there is no sweep."""
    found = []
    for place, path in enumerate(sweep[0].values if sweep else ()):
        values = tuple(dict.fromkeys(variant.values.get(path) for variant in sweep))
        if len(values) > 1:
            name = _part(sweep[0], place).rpartition(" = ")[0] or path
            numeric = path.rpartition(".")[2] not in _CATEGORIES and all(map(_is_number, values))
            found.append(Parameter(path, name, values, numeric))
    return found


def across(sweep: Sequence[Swept]) -> Parameter:
    """The parameter that is best looked at along an axis: numbers, as many as there are."""
    return max(reversed(parameters(sweep)), key=lambda each: (each.numeric, len(each.values)))


def against_value(sweep: Sequence[Swept], metric: Figure, parameter: Parameter) -> Plot:
    """A metric against the values of a parameter."""
    places = _places(parameter)
    ticks = tuple((place, _text(value)) for value, place in places.items())
    x = Axis(parameter.title, ticks=ticks, logarithmic=_is_logarithmic(parameter))
    series = _series(sweep, parameter, lambda v: places[v.values[parameter.path]], metric.name)
    return Plot(x, _axis(metric), series, parameter.numeric)


def trade_off(sweep: Sequence[Swept], x: Figure, y: Figure, parameter: Parameter) -> Plot:
    """A metric against another, the variants in the order of a parameter's values."""
    series = _series(sweep, parameter, lambda v: v.metrics.get(x.name), y.name)
    return Plot(_axis(x), _axis(y), series, parameter.numeric)


def trade_off_metrics(sweep: Sequence[Swept]) -> tuple[Figure, Figure] | None:
    """The usual two where both are measured, else the first two metrics that vary."""
    there = measured(variant.metrics for variant in sweep)
    usual = usual_trade_off()
    if all(metric in there for metric in usual):
        return usual
    chosen = varying(sweep)
    return (chosen[1], chosen[0]) if len(chosen) > 1 else None


def varying(sweep: Sequence[Swept]) -> list[Figure]:
    """The metrics worth a curve each: not details, and not the same for all variants."""

    def spread(metric: Figure) -> float:
        name = metric.name
        values = [v.metrics[name] for v in sweep if isfinite(v.metrics.get(name, float("nan")))]
        return max(values) - min(values)

    there = measured(variant.metrics for variant in sweep)
    return [metric for metric in there if not metric.detail and spread(metric) > 0]


def swept_text(sweep: Sequence[Swept], variant: int, parameter: Parameter) -> str:
    """A variant's value of a parameter."""
    return _text(sweep[variant].values[parameter.path])


def _series(
    sweep: Sequence[Swept],
    parameter: Parameter,
    place: Callable[[Swept], float | None],
    metric: str,
) -> tuple[Series, ...]:
    order = list(_places(parameter))
    found: dict[str, list[tuple[int, Point]]] = {}
    for index, variant in enumerate(sweep):
        x, y = place(variant), variant.metrics.get(metric)
        points = found.setdefault(_others(sweep, variant, parameter), [])
        if x is not None and y is not None and isfinite(x) and isfinite(y):
            points.append((order.index(variant.values[parameter.path]), Point(index, x, y)))
    return tuple(
        Series(label, tuple(point for _, point in sorted(points, key=lambda each: each[0])))
        for label, points in found.items()
    )


def _others(sweep: Sequence[Swept], variant: Swept, parameter: Parameter) -> str:
    """The values of the other parameters as the label has them."""
    several = {each.path for each in parameters(sweep)} - {parameter.path}
    parts = [_part(variant, place) for place, path in enumerate(variant.values) if path in several]
    return ", ".join(parts)


def _part(variant: Swept, place: int) -> str:
    """What the label says of one of the swept values."""
    parts = variant.label.split(", ")
    if len(parts) == len(variant.values):
        return parts[place]
    path, value = list(variant.values.items())[place]
    return f"{path} = {_text(value)}"


def _places(parameter: Parameter) -> dict[Any, float]:
    """Where the values lie along an axis, from left to right."""
    if parameter.numeric:
        return {value: float(value) for value in sorted(parameter.values)}
    return {value: float(place) for place, value in enumerate(parameter.values)}


def _is_logarithmic(parameter: Parameter) -> bool:
    """Whether values lie on top of each other on a linear axis, and not on a logarithmic one."""
    values = list(_places(parameter).values())
    if not parameter.numeric or values[0] <= 0:
        return False
    linear, logarithmic = _least_gap(values), _least_gap([log10(value) for value in values])
    return linear < CROWDED and linear < logarithmic


def _least_gap(places: Sequence[float]) -> float:
    """The least distance of neighbours, as a share of the whole."""
    return min(b - a for a, b in pairwise(places)) / (places[-1] - places[0])


def _axis(metric: Figure) -> Axis:
    return Axis(metric.axis, metric.factor, metric=metric)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)


def _text(value: object) -> str:
    """A value as labels have it."""
    return value if isinstance(value, str) else repr(value).removesuffix(".0")
