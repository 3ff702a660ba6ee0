"""The Euclidean distance of a round trip's end from its beginning."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.metrics.averages import largest, mean
from workbench.metrics.evidence import Results
from workbench.metrics.metric import Figure, Metric

if TYPE_CHECKING:
    from torch import Tensor


MEAN = Figure(
    "cycle_l2_mean",
    "round trip, mean distance",
    mean,
    "cycle L2",
    digits=5,
    better="lower",
    short="{:.2g}",
    labels={"sheet": "cycle L2", "cycles": "mean L2"},
    unless="cycle_psnr",
)
LARGEST = Figure(
    "cycle_l2_max",
    "round trip, largest distance",
    largest,
    "largest L2",
    digits=5,
    better="lower",
    labels={"cycles": "max L2"},
)


class CycleL2(Metric):
    """Euclidean norm of all that is off in a picture of a round trip."""

    name = "cycle_l2"
    order = 70
    figures = (MEAN, LARGEST)

    def applies(self, evidence: Results) -> bool:
        """Of round trips of pictures."""
        return super().applies(evidence) and evidence.cycle

    def measure(self, evidence: Results) -> Tensor:
        """Float64 [N]."""
        off = evidence.images.cpu().double() - evidence.sources.cpu().double()
        norms: Tensor = off.flatten(1).norm(dim=1)
        return norms


class CycleL2Mean(Metric):
    """Mean distance of the points of a cloud from where they began, after a round trip."""

    name = "cycle_l2_mean"
    order = 71
    figures = (MEAN,)

    def applies(self, evidence: Results) -> bool:
        """Of round trips of points."""
        return evidence.points and evidence.cycle

    def measure(self, evidence: Results) -> Tensor:
        """Float64 [N]."""
        return evidence.distances.mean(1)


class CycleL2Max(Metric):
    """Largest distance of a point of a cloud from where it began, after a round trip."""

    name = "cycle_l2_max"
    order = 72
    figures = (LARGEST,)

    def applies(self, evidence: Results) -> bool:
        """Of round trips of points."""
        return evidence.points and evidence.cycle

    def measure(self, evidence: Results) -> Tensor:
        """Float64 [N]."""
        return evidence.distances.amax(1)
