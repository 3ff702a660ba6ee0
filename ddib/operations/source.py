"""Operations that mix in the source image or its colour."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal, Self

from pydantic import Field

from ddib.operations.operation import Context, Operation
from ddib.operations.tensors import LARGEST_SEED, per_image, source_image, standard_noise

if TYPE_CHECKING:
    from torch import Tensor


class Blend(Operation):
    """Mix with the source image: (1 - p)·z + p·image."""

    op: Literal["blend"] = "blend"
    proportion: float = Field(
        default=0.1,
        ge=0,
        le=1,
        description="p, the share of the source image",
        json_schema_extra={"symbol": "p"},
    )

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        """Settings that cover what the class can do."""
        return (cls(proportion=0.3),)

    def apply(self, z: Tensor, context: Context) -> Tensor:
        """(1 - p)·z + p·x₀; InputError when the context has no image of z's shape."""
        return (1 - self.proportion) * z + self.proportion * source_image(z, context, self.op)


class Checkerboard(Operation):
    """Replace every other cell by the source image or by fixed Gaussian noise."""

    pictures_only: ClassVar[bool] = True

    op: Literal["checkerboard"] = "checkerboard"
    other: Literal["image", "noise"] = Field(
        default="image", description="what the odd cells show: the source image or noise"
    )
    cell: int = Field(default=1, ge=1, le=4096, description="edge of a cell in pixels")
    phase: int = Field(default=0, ge=0, le=1, description="1: the even cells are replaced instead")
    seed: int = Field(default=0, ge=0, le=LARGEST_SEED, description="which noise is drawn")

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        """Settings that cover what the class can do."""
        return (cls(), cls(other="noise", cell=3))

    def apply(self, z: Tensor, context: Context) -> Tensor:
        """z where ⌊i/cell⌋ + ⌊j/cell⌋ + phase is even; InputError as for Blend."""
        import torch

        rows = torch.arange(z.shape[-2], device=z.device)[:, None] // self.cell
        columns = torch.arange(z.shape[-1], device=z.device)[None, :] // self.cell
        if self.other == "image":
            other = source_image(z, context, self.op)
        else:
            other = standard_noise(self.seed, None, z.shape[1:]).to(z)
        return torch.where((rows + columns + self.phase) % 2 == 0, z, other)


class Tint(Operation):
    """Shift the channels by the source's foreground colour: z + a·(c - mean of c)."""

    pictures_only: ClassVar[bool] = True

    op: Literal["tint"] = "tint"
    amount: float = Field(
        default=0.1,
        ge=-10,
        le=10,
        description="a, how far; negative: towards the opposite colour",
        json_schema_extra={"symbol": "a"},
    )

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        """Settings that cover what the class can do."""
        return (cls(amount=0.3),)

    def apply(self, z: Tensor, context: Context) -> Tensor:
        """c: the source's mean colour in [0, 1], weighted by brightness. InputError as for Blend.

        The mean of c over its channels is taken off, so that grey shifts nothing.
        """
        image = source_image(z, context, self.op)
        return z + self.amount * per_image(_foreground_shift, image)


def _foreground_shift(image: Tensor) -> Tensor:
    """An image [C, H, W] in [-1, 1] to its colour less the colour's mean, the same everywhere."""
    rgb = (image.clamp(-1, 1) + 1) / 2
    weight = rgb.amax(0)
    colour = (rgb * weight).sum((1, 2)) / weight.sum().clamp(min=1e-12)
    return (colour - colour.mean())[:, None, None].expand_as(image)
