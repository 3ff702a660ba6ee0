"""Kurtosis of a latent: 3 for a Gaussian one."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from workbench.metrics.evidence import Latents
from workbench.metrics.metric import Figure, Metric, Subject

if TYPE_CHECKING:
    from torch import Tensor


class LatentKurtosis(Metric):
    """Kurtosis of a latent over all its values, before the recipe's operations."""

    name = "latent_kurtosis"
    subject: ClassVar[Subject] = "latent"
    order = 32
    figures = (
        Figure(
            "latent_kurtosis",
            "latent kurtosis",
            heading="kurtosis",
            digits=1,
            gaussian=3,
            labels={"sheet": "kurtosis", "row": "κ"},
        ),
    )

    def measure(self, evidence: Latents) -> Tensor:
        """Of each latent, float64 [N]."""
        return evidence.moments["kurtosis"]

    def image_captions(self, value: float) -> tuple[str, ...]:
        """`κ` and the value."""
        return (f"κ {value:.1f}", f"κ {value:.0f}")


class EditedLatentKurtosis(LatentKurtosis):
    """Kurtosis of a latent over all its values, after the recipe's operations."""

    name = "edited_latent_kurtosis"
    subject = "edited_latent"
    order = 42
    figures = (
        Figure(
            "edited_latent_kurtosis",
            "edited latent kurtosis",
            digits=1,
            gaussian=3,
            labels={"sheet": "kurtosis", "row": "κ"},
        ),
    )
