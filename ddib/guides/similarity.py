"""The estimate stays near the source image while decoding."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Self

from pydantic import Field

from ddib.guides.guide import LossGuide, State

if TYPE_CHECKING:
    from torch import Tensor


class Similarity(LossGuide):
    """Lower the squared distance of the estimate from the source image.

    PhenDiff (Bourou et al. 2024) takes such a gradient through the network; here it is that with
    respect to D itself. A scale of 0.5 puts the source in the place of D.
    """

    guide: Literal["similarity"] = "similarity"
    scale: float = Field(
        default=0.02,
        ge=0,
        le=1000,
        description="what minus the gradient of ‖D - x₀‖² is multiplied by; 0: no byte changes",
        json_schema_extra={"symbol": "s"},
    )

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        """Settings that cover what the class can do."""
        return (cls(), cls(scale=0.1, sigma_min=0.5))

    def loss(self, denoised: Tensor, state: State) -> Tensor:
        """Return ‖D - x₀‖² of each image."""
        return (denoised - state.source).square().flatten(1).sum(1)
