"""A metric is a class that registers itself; its figures say how it is averaged and shown.

Importing this loads no torch: a metric imports what it needs in `measure`, which only the engine
calls.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from ddib.registry import Registry
from workbench.metrics.averages import Average, mean

if TYPE_CHECKING:
    from torch import Tensor

Subject = Literal["latent", "edited_latent", "result"]
"""What is measured: latents before the recipe's operations or after them, or results."""

Surface = Literal["sheet", "row", "history", "runs", "cycles"]
"""Where a figure may stand in short: in the margin of the contact sheet, beside a row of pictures
on the screen, in the history, in the table of runs, in the table of round trips."""


@dataclass(frozen=True)
class Figure:
    """A number of a variant: a metric averaged over the images, and how people read it.

    heading: over its column in the table of a run; empty: not in that table.
    factor: from the manifest's number to one of the unit.
    gaussian: its value for a standard normal latent.
    detail: shown when somebody asks for it.
    short: the format of the manifest's number where there is little room; empty: as elsewhere.
    labels: the surfaces that show it in short, and what stands before the number there.
    share: whether it is the fraction of results that the probe takes for the target label.
    unless: a figure beside which this one is left out where there is little room.
    trade_off: the axis of the usual trade-off that it is on.
    """

    name: str  # in the manifest
    title: str  # in words
    average: Average = mean
    heading: str = ""
    unit: str = ""
    factor: float = 1.0
    digits: int = 2
    better: Literal["higher", "lower"] | None = None
    gaussian: float | None = None
    detail: bool = False
    short: str = ""
    labels: Mapping[Surface, str] = field(default_factory=dict, hash=False)
    share: bool = False
    unless: str = ""
    trade_off: Literal["x", "y"] | None = None

    def text(self, value: float) -> str:
        """A value with its unit: 97 %, 14°, 1.00."""
        blank = "" if self.unit in ("", "°") else " "
        return f"{self.factor * value:.{self.digits}f}{blank}{self.unit}"

    def short_text(self, value: float) -> str:
        """A value where there is little room: 97%, 14°."""
        return self.short.format(value) if self.short else self.text(value)

    @property
    def axis(self) -> str:
        """The title with its unit: `target accuracy (%)`."""
        return f"{self.title} ({self.unit})" if self.unit else self.title

    @property
    def aim(self) -> str:
        """Which way is better, in words; empty where none is."""
        if self.gaussian is not None:
            return f"Gaussian: {self.gaussian:g}"
        return f"{self.better} is better" if self.better else ""


class Metric(ABC):
    """A value for each image, and its figures; a subclass with a name registers itself.

    name: of the values per image, in the manifest.
    subject: what it measures.
    figures: the numbers over all images, in the order in which they are shown.
    order: metrics with lower numbers are shown first.
    """

    name: ClassVar[str]
    subject: ClassVar[Subject] = "result"
    figures: ClassVar[tuple[Figure, ...]] = ()
    order: ClassVar[int] = 1000

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "name" in cls.__dict__:
            METRICS.register(cls.name, cls())

    def applies(self, evidence: Any) -> bool:
        """Whether it can be computed; results that are points are for metrics that say so."""
        return not getattr(evidence, "points", False)

    @abstractmethod
    def measure(self, evidence: Any) -> Tensor | Sequence[float]:
        """A value for each image [N] of the evidence, `Latents` or `Results`; NaN for none."""

    def image_captions(self, value: float) -> tuple[str, ...]:
        """What stands under a single image on the screen, from the longest to the shortest."""
        return ()


def _check(name: str, metric: Metric) -> None:
    """Refuse a metric whose figures would be taken for another's."""
    others = {f.name for m in METRICS.values() if m.name != name for f in m.figures}
    if taken := next((figure.name for figure in metric.figures if figure.name in others), None):
        raise ValueError(f"another metric has a figure {taken}: choose another name")


METRICS: Registry[Metric] = Registry("metric", "metrics", _check)
"""Every metric by its name."""


def metrics_of(subject: Subject) -> list[Metric]:
    """The metrics of a subject, in the order in which they are shown."""
    return [metric for metric in _in_order() if metric.subject == subject]


def all_figures() -> dict[str, Figure]:
    """Every figure by its name, in the order in which they are shown."""
    return {figure.name: figure for metric in _in_order() for figure in metric.figures}


def measured(variants: Iterable[Mapping[str, float]]) -> list[Figure]:
    """The figures that at least one variant has, in the order in which they are shown."""
    there = {name for numbers in variants for name, value in numbers.items() if isfinite(value)}
    return [figure for name, figure in all_figures().items() if name in there]


def shown_on(surface: Surface) -> list[Figure]:
    """The figures that a surface shows in short."""
    return [figure for figure in all_figures().values() if surface in figure.labels]


def usual_trade_off() -> tuple[Figure, Figure]:
    """The figures of the usual trade-off, across and upwards."""
    axes = {figure.trade_off: figure for figure in reversed(all_figures().values())}
    return axes["x"], axes["y"]


def captions(
    numbers: Mapping[str, float], surface: Surface, what: str = "", images: int | None = None
) -> list[str]:
    """The figures of a row in short, as a surface has them.

    what: what the images were to become, in words, for the share that did.
    images: how many there are, where that share is told as a count.
    """
    return [
        _caption(figure, numbers[figure.name], surface, what, images)
        for figure in shown_on(surface)
        if figure.name in numbers and figure.unless not in numbers
    ]


def _caption(figure: Figure, value: float, surface: Surface, what: str, images: int | None) -> str:
    if not figure.share:
        return f"{figure.labels[surface]} {figure.short_text(value)}".strip()
    share = figure.short_text(value) if images is None else f"{round(value * images)}/{images}"
    return f"{share} {what}".strip()


def range_text(figure: Figure, variants: Iterable[Mapping[str, float]]) -> str:
    """The smallest and the largest value of a figure in short: `90%–97%`; empty for none."""
    values = [numbers[figure.name] for numbers in variants if figure.name in numbers]
    if not values:
        return ""
    return "–".join(dict.fromkeys(figure.short_text(end) for end in (min(values), max(values))))


def _in_order() -> list[Metric]:
    return sorted(METRICS.values(), key=lambda metric: metric.order)
