"""A network predicts the noise ε (Ho et al. 2020)."""

from typing import TYPE_CHECKING

from ddib.denoising.preconditioning import PRECONDITIONINGS, Preconditioning

if TYPE_CHECKING:
    from torch import Tensor


def estimate_image(output: "Tensor", z: "Tensor", a: float, b: float) -> "Tensor":
    """D = (z - bε)/a."""
    return (z - b * output) / a


def wanted_output(
    image: "Tensor", eps: "Tensor", a: "Tensor | float", b: "Tensor | float"
) -> "Tensor":
    """The noise itself."""
    return eps


PRECONDITIONINGS.register("epsilon", Preconditioning("ε", estimate_image, wanted_output))
