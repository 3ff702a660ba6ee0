"""Latents are turned along the sphere on which Gaussian noise lies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Self

from pydantic import Field

from ddib.operations.operation import Context, Operation
from ddib.operations.tensors import LARGEST_SEED, fixed_noise, other_images_latents, per_image

if TYPE_CHECKING:
    from torch import Tensor


class Slerp(Operation):
    """Turn the latent along the sphere towards fixed noise or another image's latent."""

    op: Literal["slerp"] = "slerp"
    fraction: float = Field(
        default=0.2,
        ge=0,
        le=1,
        description="t, how much of the angle",
        json_schema_extra={"symbol": "t"},
    )
    other: Literal["noise", "image"] = Field(
        default="noise",
        description="what it is turned towards: Gaussian noise, or another image's latent",
    )
    offset: int = Field(
        default=1,
        ge=1,
        le=1_000_000,
        description="which image: so many places further, going round",
    )
    seed: int = Field(default=0, ge=0, le=LARGEST_SEED, description="which noise is drawn")
    per_image: bool = Field(default=False, description="true: each image has noise of its own")

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        """Settings that cover what the class can do."""
        return (
            cls(fraction=0.3),
            cls(fraction=0.3, per_image=True),
            cls(fraction=0.3, other="image"),
        )

    @property
    def reads_everything(self) -> bool:
        """Towards noise no image needs another."""
        return self.other == "image"

    def apply(self, z: Tensor, context: Context) -> Tensor:
        """(sin((1 - t)θ)·z + sin(tθ)·n) / sin θ (Song et al., DDIM, appendix D.5).

        n is noise or the other image's unedited latent, θ the angle between z and n, both as
        vectors of C·H·W numbers. InputError when the context has no other image's latent.
        """
        import torch

        if self.reads_everything:
            other = other_images_latents(z, context, self.offset, self.op)
        else:
            other = fixed_noise(z, self.seed, self.per_image, context.first_index)
        return per_image(
            lambda both: _slerp(both[0], both[1], self.fraction), torch.stack([z, other], 1)
        )


def _slerp(one: Tensor, other: Tensor, fraction: float) -> Tensor:
    import torch

    norms = one.norm() * other.norm()
    angle = torch.acos(((one * other).sum() / norms.clamp(min=1e-300)).clamp(-1, 1))
    if angle.sin() == 0:
        return one
    return (((1 - fraction) * angle).sin() * one + (fraction * angle).sin() * other) / angle.sin()
