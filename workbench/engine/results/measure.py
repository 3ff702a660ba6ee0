"""The registered metrics, computed on what a run makes: values for each image, and figures.

They are computed on the CPU, in float64, which not every device has.
"""

from collections.abc import Mapping, Sequence
from math import isfinite

from torch import Tensor

from ddib.errors import RunError
from workbench.engine.protocol.messages import Metrics
from workbench.metrics.evidence import Evidence
from workbench.metrics.metric import METRICS, Subject, metrics_of

PerImage = dict[str, list[float | None]]
"""A value for each image, None where an image has no such value."""


def measure(subject: Subject, evidence: Evidence, count: int) -> PerImage:
    """Every metric of a subject that applies, for each of `count` images.

    Raises RunError when a metric gives another number of values.
    """
    found: PerImage = {}
    for metric in metrics_of(subject):
        if metric.applies(evidence):
            values = _listed(metric.measure(evidence))
            if len(values) != count:
                raise RunError(
                    f"the metric {metric.name} gives {len(values)} values for {count} images; "
                    "expected one for each image"
                )
            found[metric.name] = values
    return found


def summary(per_image: Mapping[str, list[float | None]]) -> Metrics:
    """A variant's figures: the averages of each metric over the images, where they are finite."""
    averages = {
        figure.name: figure.average(values)
        for name, values in per_image.items()
        for figure in METRICS[name].figures
    }
    return {n: value for n, value in averages.items() if value is not None and isfinite(value)}


def _listed(values: Tensor | Sequence[float]) -> list[float | None]:
    numbers = values.tolist() if isinstance(values, Tensor) else values
    return [value if isfinite(value) else None for value in numbers]
