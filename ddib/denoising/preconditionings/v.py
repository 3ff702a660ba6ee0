"""A network predicts v = aε - b·image (Salimans & Ho 2022, appendix D)."""

from typing import TYPE_CHECKING

from ddib.denoising.preconditioning import PRECONDITIONINGS, Preconditioning

if TYPE_CHECKING:
    from torch import Tensor


def estimate_image(output: "Tensor", z: "Tensor", a: float, b: float) -> "Tensor":
    """D = az - bv."""
    return a * z - b * output


def wanted_output(
    image: "Tensor", eps: "Tensor", a: "Tensor | float", b: "Tensor | float"
) -> "Tensor":
    """v = aε - b·image."""
    return a * eps - b * image


PRECONDITIONINGS.register("v", Preconditioning("v", estimate_image, wanted_output))
