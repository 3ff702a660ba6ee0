"""The angle between the hues of a result and its source."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.metrics.averages import mean, median, missing, percentile
from workbench.metrics.evidence import Results
from workbench.metrics.metric import Figure, Metric

if TYPE_CHECKING:
    from torch import Tensor


class HueError(Metric):
    """Angle between the mean hues of a result and its source, in degrees from 0 to 180."""

    name = "hue_error"
    order = 20
    figures = (
        Figure(
            "hue_error_median",
            "hue error, median",
            median,
            "hue median",
            "°",
            digits=0,
            better="lower",
            labels={"sheet": "hue", "row": "hue", "history": "hue", "runs": "hue"},
            trade_off="x",
        ),
        Figure(
            "hue_error_mean", "hue error, mean", mean, "hue mean", "°", digits=0, better="lower"
        ),
        Figure(
            "hue_error_p95",
            "hue error, 95th percentile",
            percentile(95),
            unit="°",
            digits=0,
            better="lower",
            detail=True,
        ),
        Figure(
            "hue_error_left_out",
            "images without a hue",
            missing,
            digits=0,
            better="lower",
            detail=True,
        ),
    )

    def applies(self, evidence: Results) -> bool:
        """Of pictures in colour."""
        return super().applies(evidence) and evidence.images.shape[1] == 3

    def measure(self, evidence: Results) -> Tensor:
        """Degrees, float64 [N]; NaN where either picture has almost no colour."""
        from ddib.measures.images import hue_error

        return hue_error(evidence.images.cpu(), evidence.sources.cpu())

    def image_captions(self, value: float) -> tuple[str, ...]:
        """The angle."""
        return (f"{value:.0f}°",)
