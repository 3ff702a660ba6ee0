"""Fixed noise is added to images and latents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Self

from pydantic import Field

from ddib.operations.operation import Context, Operation
from ddib.operations.tensors import LARGEST_SEED, fixed_noise

if TYPE_CHECKING:
    from torch import Tensor


class AddNoise(Operation):
    """Add fixed Gaussian noise: z + c·n, or z + c·n·z when multiplicative."""

    op: Literal["add_noise"] = "add_noise"
    coefficient: float = Field(
        default=0.1,
        ge=0,
        le=100,
        description="c, the strength of the noise",
        json_schema_extra={"symbol": "c"},
    )
    seed: int = Field(default=0, ge=0, le=LARGEST_SEED, description="which noise is drawn")
    per_image: bool = Field(default=False, description="true: each image has noise of its own")
    multiplicative: bool = Field(default=False, description="true: the noise is multiplied by z")

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        """Settings that cover what the class can do."""
        return (cls(), cls(per_image=True), cls(multiplicative=True))

    def apply(self, z: Tensor, context: Context) -> Tensor:
        """z + c·n, n ~ N(0, 1) of shape [C, H, W], or one for each image."""
        noise = self.coefficient * fixed_noise(z, self.seed, self.per_image, context.first_index)
        return z + (noise * z if self.multiplicative else noise)
