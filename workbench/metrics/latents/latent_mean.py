"""Mean of a latent: 0 for a Gaussian one."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from workbench.metrics.evidence import Latents
from workbench.metrics.metric import Figure, Metric, Subject

if TYPE_CHECKING:
    from torch import Tensor


class LatentMean(Metric):
    """Mean of a latent over all its values, before the recipe's operations."""

    name = "latent_mean"
    subject: ClassVar[Subject] = "latent"
    order = 30
    figures = (
        Figure(
            "latent_mean",
            "latent mean",
            gaussian=0,
            detail=True,
        ),
    )

    def measure(self, evidence: Latents) -> Tensor:
        """Of each latent, float64 [N]."""
        return evidence.moments["mean"]


class EditedLatentMean(LatentMean):
    """Mean of a latent over all its values, after the recipe's operations."""

    name = "edited_latent_mean"
    subject = "edited_latent"
    order = 40
    figures = (
        Figure(
            "edited_latent_mean",
            "edited latent mean",
            gaussian=0,
            detail=True,
        ),
    )
