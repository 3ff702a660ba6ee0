"""Operations on the values of each image: their scale, their range, their distribution."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Self

from pydantic import Field, model_validator

from ddib.operations.operation import Context, Operation
from ddib.operations.sweeps import swept_values
from ddib.operations.tensors import amplify, per_image

if TYPE_CHECKING:
    from torch import Tensor


class Normalize(Operation):
    """Give each image (or channel) mean 0 and deviation 1, or divide by its norm or maximum."""

    op: Literal["normalize"] = "normalize"
    mode: Literal["standard", "channel", "l2", "max"] = Field(
        default="standard",
        description="standard: (z - mean) / std of the image; channel: the same per channel; "
        "l2: z / its Euclidean norm; max: z / its largest absolute value",
    )

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        """Settings that cover what the class can do."""
        return (cls(), cls(mode="channel"), cls(mode="l2"), cls(mode="max"))

    def apply(self, z: Tensor, context: Context) -> Tensor:
        """Population statistics; what has no variance stays as it is."""
        return per_image(self._normalize, z)

    def _normalize(self, image: Tensor) -> Tensor:
        import torch

        axes = (1, 2) if self.mode == "channel" else (0, 1, 2)
        # Asking for the extremes is exact where a computed deviation of equal numbers is not.
        flat = image.amax(axes, keepdim=True) == image.amin(axes, keepdim=True)
        if self.mode == "l2":
            normalized = image / image.square().sum().sqrt()
        elif self.mode == "max":
            normalized = image / image.abs().max()
        else:
            centred = image - image.mean(axes, keepdim=True)
            normalized = centred / centred.square().mean(axes, keepdim=True).sqrt()
        return torch.where(flat, image, normalized)


class Scale(Operation):
    """Multiply by a factor."""

    op: Literal["scale"] = "scale"
    factor: float = Field(default=1.0, ge=-1000, le=1000, description="what to multiply by")

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        """Settings that cover what the class can do."""
        return (cls(factor=1.3),)

    def apply(self, z: Tensor, context: Context) -> Tensor:
        """factor·z; on the image stage the brightness (x + 1) / 2 is multiplied."""
        return amplify(z, self.factor, context.stage)


class Gaussianize(Operation):
    """Map the values by their rank to those of a normal distribution."""

    op: Literal["gaussianize"] = "gaussianize"
    over: Literal["image", "channel"] = Field(
        default="image", description="whether all values of an image are ranked, or each channel's"
    )

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        """Settings that cover what the class can do."""
        return (cls(), cls(over="channel"))

    def apply(self, z: Tensor, context: Context) -> Tensor:
        """The k-th smallest of n values becomes Φ⁻¹((k - 1/2) / n), equal ones by their place."""
        return per_image(lambda image: _normal_scores(image, self.over == "channel"), z)


class Clamp(Operation):
    """Bring what is beyond two limits back to them."""

    op: Literal["clamp"] = "clamp"
    low: float = Field(default=-3.0, ge=-1000, le=1000, description="nothing is less")
    high: float = Field(default=3.0, ge=-1000, le=1000, description="nothing is more")

    @model_validator(mode="after")
    def _low_is_not_above_high(self) -> Self:
        low, high = max(swept_values(self.low)), min(swept_values(self.high))
        if low > high:
            raise ValueError(f"low is {low:g} and high {high:g}; low may be at most high")
        return self

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        """Settings that cover what the class can do."""
        return (cls(low=-0.5, high=0.7),)

    def apply(self, z: Tensor, context: Context) -> Tensor:
        """min(max(z, low), high); on the image stage the brightness (x + 1) / 2 is limited."""
        black, unit = (-1, 2) if context.stage == "image" else (0, 1)
        return z.clamp(black + unit * self.low, black + unit * self.high)


def _normal_scores(image: Tensor, per_channel: bool) -> Tensor:
    import torch

    flat = image.flatten(1) if per_channel else image.reshape(1, -1)
    ranks = flat.argsort(dim=1, stable=True).argsort(dim=1)
    scores: Tensor = torch.special.ndtri((ranks.to(image) + 0.5) / flat.shape[1])
    return scores.reshape(image.shape)
