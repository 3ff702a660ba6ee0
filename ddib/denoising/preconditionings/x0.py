"""A network predicts the clean image x₀."""

from typing import TYPE_CHECKING

from ddib.denoising.preconditioning import PRECONDITIONINGS, Preconditioning

if TYPE_CHECKING:
    from torch import Tensor


def estimate_image(output: "Tensor", z: "Tensor", a: float, b: float) -> "Tensor":
    """D is the output."""
    return output


def wanted_output(
    image: "Tensor", eps: "Tensor", a: "Tensor | float", b: "Tensor | float"
) -> "Tensor":
    """The image itself."""
    return image


PRECONDITIONINGS.register("x0", Preconditioning("x₀", estimate_image, wanted_output))
