"""Classifier-free guidance: the estimate moves away from the unconditional one."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

    from ddib.checkpoints.model import Model
    from ddib.denoising.label import Label


def evaluations(scale: float) -> int:
    """Return how many evaluations of the network an estimate takes."""
    return 1 if scale in (0, 1) else 2


def classifier_free(
    model: "Model", z: "Tensor", sigma: float, label: "Label", w: float
) -> "Tensor":
    """Return D(z, σ, ∅) + w·(D(z, σ, y) - D(z, σ, ∅)), w > 1 beyond the conditional estimate.

    Ho & Salimans 2022, equation 6, whose w is this one less 1: D is linear in ε. Two calls are as
    fast as one of twice the batch, and leave the conditional estimate the bits it has alone.
    """
    if w == 1:
        return model.denoiser(z, sigma, label)
    unconditional = model.denoiser(z, sigma, None)
    if w == 0:
        return unconditional
    return unconditional + w * (model.denoiser(z, sigma, label) - unconditional)
