"""Standard deviation of a latent: 1 for a Gaussian one."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from workbench.metrics.evidence import Latents
from workbench.metrics.metric import Figure, Metric, Subject

if TYPE_CHECKING:
    from torch import Tensor


class LatentStd(Metric):
    """Standard deviation of a latent over all its values, before the recipe's operations."""

    name = "latent_std"
    subject: ClassVar[Subject] = "latent"
    order = 31
    figures = (
        Figure(
            "latent_std",
            "latent std",
            heading="latent std",
            gaussian=1,
            labels={"sheet": "std", "row": "σ"},
        ),
    )

    def measure(self, evidence: Latents) -> Tensor:
        """Of each latent, float64 [N]."""
        return evidence.moments["std"]

    def image_captions(self, value: float) -> tuple[str, ...]:
        """`σ` and the value."""
        return (f"σ {value:.2f}",)


class EditedLatentStd(LatentStd):
    """Standard deviation of a latent over all its values, after the recipe's operations."""

    name = "edited_latent_std"
    subject = "edited_latent"
    order = 41
    figures = (
        Figure(
            "edited_latent_std",
            "edited latent std",
            heading="edited std",
            gaussian=1,
            labels={"sheet": "std", "row": "σ"},
        ),
    )
