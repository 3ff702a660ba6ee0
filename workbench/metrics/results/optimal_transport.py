"""How far colours are from where optimal transport takes them."""

from __future__ import annotations

from typing import ClassVar

from workbench.metrics.evidence import Results
from workbench.metrics.metric import Figure, Metric


class _TransportError(Metric):
    """Mean squared difference of a result's colours from those of a transport plan."""

    plan: ClassVar[str]

    def applies(self, evidence: Results) -> bool:
        """Where the target is the colours of a picture, and no cloud is too large."""
        from ddib.measures.transport import MOST_POINTS

        picture = evidence.target_picture
        if picture is None:
            return False
        return max(picture[0, 0].numel(), evidence.sources[0, 0].numel()) <= MOST_POINTS

    def measure(self, evidence: Results) -> list[float]:
        """A value for each."""
        from ddib.measures.transport import transport_error

        assert evidence.target_picture is not None
        return transport_error(
            evidence.images, evidence.sources, evidence.target_picture[0], self.plan
        )


class OtMse(_TransportError):
    """Mean squared difference of a result's colours from exact optimal transport's."""

    name = "ot_mse"
    order = 80
    plan = "ot"
    figures = (
        Figure(
            "ot_mse",
            "MSE to optimal transport",
            heading="OT MSE",
            digits=4,
            better="lower",
            short="{:.2g}",
            labels={"sheet": "OT MSE"},
        ),
    )


class SinkhornMse(_TransportError):
    """Mean squared difference of a result's colours from Sinkhorn's transport."""

    name = "sinkhorn_mse"
    order = 81
    plan = "sinkhorn"
    figures = (
        Figure("sinkhorn_mse", "MSE to Sinkhorn", heading="Sinkhorn MSE", digits=4, better="lower"),
    )
