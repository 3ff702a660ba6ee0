"""How near a round trip comes to its source, in decibels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.metrics.averages import mean, percentile
from workbench.metrics.evidence import Results
from workbench.metrics.metric import Figure, Metric

if TYPE_CHECKING:
    from torch import Tensor


MOST_PSNR = 200.0  # dB; an image that comes back to the last digit has no error to speak of


class CyclePsnr(Metric):
    """Peak signal-to-noise ratio of a round trip, in dB, data range 2, at most 200."""

    name = "cycle_psnr"
    order = 60
    figures = (
        Figure(
            "cycle_psnr",
            "round trip",
            mean,
            "cycle",
            "dB",
            digits=1,
            better="higher",
            labels={"sheet": "", "row": "", "history": "cycle", "cycles": "PSNR"},
        ),
        Figure(
            "cycle_psnr_p5",
            "round trip, 5th percentile",
            percentile(5),
            unit="dB",
            digits=1,
            better="higher",
            detail=True,
        ),
    )

    def applies(self, evidence: Results) -> bool:
        """Of round trips."""
        return super().applies(evidence) and evidence.cycle

    def measure(self, evidence: Results) -> Tensor:
        """dB, float64 [N]."""
        from ddib.measures.images import psnr

        return psnr(evidence.images.cpu(), evidence.sources.cpu()).clamp(max=MOST_PSNR)
