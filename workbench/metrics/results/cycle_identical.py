"""Whether a round trip brings back every pixel."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.metrics.evidence import Results
from workbench.metrics.metric import Figure, Metric

if TYPE_CHECKING:
    pass


class CycleIdentical(Metric):
    """1 for a result of a round trip whose every 8-bit pixel is the source's, else 0."""

    name = "cycle_identical"
    order = 50
    figures = (
        Figure(
            "cycle_identical",
            "images back pixel for pixel",
            heading="identical",
            unit="%",
            factor=100,
            digits=0,
            better="higher",
        ),
    )

    def applies(self, evidence: Results) -> bool:
        """Of round trips."""
        return super().applies(evidence) and evidence.cycle

    def measure(self, evidence: Results) -> list[float]:
        """1 or 0 for each."""
        from ddib.data.pixels import to_pixels

        same = to_pixels(evidence.images) == to_pixels(evidence.sources)
        return [float(each) for each in same.reshape(len(same), -1).all(1)]
