"""A preconditioning says what a network's output means, and so how it becomes the estimate D.

Each is one file in `ddib.denoising.preconditionings`, which registers itself; checkpoint headers,
the importers, training and the tests against an analytic mixture then know it by its name.
With a = √ᾱ and b = √(1-ᾱ) a noisy state is z = a·image + b·ε.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from ddib.registry import NameIn, Registry

if TYPE_CHECKING:
    from torch import Tensor

    Estimate = Callable[[Tensor, Tensor, float, float], Tensor]
    Target = Callable[[Tensor, Tensor, Tensor | float, Tensor | float], Tensor]


@dataclass(frozen=True)
class Preconditioning:
    """What a network puts out.

    symbol: of what it predicts, as in papers; estimate: (output, z, a, b) to D, the clean image;
    target: (image, ε, a, b) to the output that a perfect network would give. All are tensors
    [N, C, H, W] but a and b, which are numbers, or for `target` tensors that broadcast.
    """

    symbol: str
    estimate: "Estimate"
    target: "Target"


PRECONDITIONINGS: Registry[Preconditioning] = Registry("preconditioning", "preconditionings")

PreconditioningName = Annotated[str, NameIn("preconditioning", PRECONDITIONINGS)]
"""The name of one of them, in a header or a setting."""
