"""These checks try what holds for every metric on evidence of each kind that a run has.

`check_metric("brightness")` in a test of one's own, or in the tests of this repository for every
member of the registry, raises AssertionError where a metric breaks a promise that runs and
surfaces rely on.
"""

from __future__ import annotations

from math import isnan
from typing import TYPE_CHECKING, get_args

from workbench.metrics.averages import mean
from workbench.metrics.evidence import Evidence, Latents, Results
from workbench.metrics.metric import METRICS, Figure, Metric, Subject, Surface

if TYPE_CHECKING:
    from ddib.networks.probe import Probe

_IMAGES = 3


def check_metric(name: str) -> None:
    """Check a registered metric; raises AssertionError with what is wrong."""
    metric = METRICS[name]
    assert metric.name == name, f"{name} is registered under another name"
    assert metric.subject in get_args(Subject), f"{name} measures no known subject"
    for figure in metric.figures:
        check_figure(figure)
    check_captions(metric)
    kind = Results if metric.subject == "result" else Latents
    applying = [one for one in examples() if isinstance(one, kind) and metric.applies(one)]
    assert applying, f"{name} applies to no evidence"
    for evidence in applying:
        check_values(metric, evidence)


def check_figure(figure: Figure) -> None:
    """A figure has a title and stands on surfaces that exist."""
    assert figure.title, f"{figure.name} has no title"
    unknown = set(figure.labels) - set(get_args(Surface))
    assert not unknown, f"{figure.name} is labelled for {unknown}; expected {get_args(Surface)}"
    assert figure.text(1.0), f"{figure.name} has no text"
    assert figure.short_text(1.0), f"{figure.name} has no short text"


def check_captions(metric: Metric) -> None:
    """What stands under a single image goes from the longest to the shortest."""
    lengths = [len(text) for text in metric.image_captions(3.0)]
    assert lengths == sorted(lengths, reverse=True), f"{metric.name}: captions do not get shorter"


def check_values(metric: Metric, evidence: Evidence) -> None:
    """There is a number or NaN for each image, and each figure averages them to a number or None.

    A mean must be a number: one image with a value suffices for it.
    """
    found = [float(value) for value in metric.measure(evidence)]
    assert len(found) == _IMAGES, (
        f"{metric.name} gives {len(found)} values for {_IMAGES} images; expected one for each"
    )
    values = [None if isnan(value) else value for value in found]
    for figure in metric.figures:
        average = figure.average(values)
        assert average is None or not isnan(average), f"{figure.name} averages to {average}"
        assert average is not None or figure.average is not mean, f"{figure.name} has no value"


def examples() -> list[Evidence]:
    """Return small evidence of each kind: latents, pictures, clouds of points, a cloud of colours.

    Every metric applies to some of it.
    """
    import torch

    generator = torch.Generator().manual_seed(0)
    pictures = torch.rand((_IMAGES, 3, 8, 8), generator=generator) * 2 - 1
    others = torch.rand((_IMAGES, 3, 8, 8), generator=generator) * 2 - 1
    points = torch.randn((_IMAGES, 3, 1, 20), generator=generator)
    nowhere = [None] * _IMAGES
    return [
        Latents(pictures),
        Results(pictures, others, [7, 7, 5], _probe(), cycle=True),
        Results(points, points + 1, nowhere, cycle=True, points=True),
        Results(points, points + 1, nowhere, points=True, target_picture=pictures[:1]),
    ]


def _probe() -> Probe:
    """Return an untrained probe of ten classes, the same each time."""
    import torch

    from ddib.networks.configurations import ProbeConfig
    from ddib.networks.probe import Probe

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return Probe(ProbeConfig()).eval()
