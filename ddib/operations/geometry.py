"""Operations that move pixels or points: rotate, flip and shuffle."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar, Literal, Self

from pydantic import Field

from ddib.operations.operation import Context, Operation
from ddib.operations.tensors import LARGEST_SEED, is_plane

if TYPE_CHECKING:
    from torch import Tensor


class Rotate(Operation):
    """Rotate counter-clockwise about the centre; the size stays, corners are filled."""

    op: Literal["rotate"] = "rotate"
    degrees: float = Field(default=60.0, ge=-360, le=360, description="angle, counter-clockwise")
    interpolation: Literal["nearest", "bilinear"] = Field(
        default="nearest", description="how values between pixels are found"
    )
    fill: float = Field(
        default=0.0, ge=-100, le=100, description="what comes in from outside; image: 0 is black"
    )

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        """Settings that cover what the class can do."""
        return (cls(degrees=30, interpolation="bilinear", fill=0.5),)

    def apply(self, z: Tensor, context: Context) -> Tensor:
        """As torchvision.transforms.functional.rotate on tensors, with `fill`.

        On the image stage it is the brightness (x + 1) / 2 that is rotated and filled. Points of
        a plane, [N, 2, H, W], turn about the origin.
        """
        import torch

        if is_plane(z):
            return _rotated_points(z, self.degrees)
        black, unit = (-1, 2) if context.stage == "image" else (0, 1)
        grid = _rotation_grid(z.shape[-2], z.shape[-1], self.degrees)
        rotated = [self._rotate(image, grid, unit * self.fill) for image in z.cpu() - black]
        return (torch.stack(rotated) + black).to(z)

    def _rotate(self, image: Tensor, grid: Tensor, fill: float) -> Tensor:
        import torch
        from torch.nn.functional import grid_sample

        inside = torch.ones_like(image[:1])
        sampled = grid_sample(
            torch.cat([image, inside])[None],
            grid.to(image),
            mode=self.interpolation,
            padding_mode="zeros",
            align_corners=False,
        )[0]
        # How much of each pixel comes from inside: 0 or 1 for nearest. torchvision weighs by it
        # once more although the zeros outside have done so already, and so do we.
        share = sampled[-1:]
        return sampled[:-1] * share + (1 - share) * fill


class Flip(Operation):
    """Mirror."""

    op: Literal["flip"] = "flip"
    direction: Literal["horizontal", "vertical"] = Field(
        default="horizontal", description="horizontal: left and right change places"
    )

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        """Settings that cover what the class can do."""
        return (cls(), cls(direction="vertical"))

    def apply(self, z: Tensor, context: Context) -> Tensor:
        """As torchvision's hflip or vflip; points of a plane, [N, 2, H, W], change a sign."""
        if is_plane(z):
            signs = (-1, 1) if self.direction == "horizontal" else (1, -1)
            return z * z.new_tensor(signs)[:, None, None]
        return z.flip(-1 if self.direction == "horizontal" else -2)


class Shuffle(Operation):
    """Cut into square patches and put them together in another order."""

    pictures_only: ClassVar[bool] = True

    op: Literal["shuffle"] = "shuffle"
    patch: int = Field(default=8, ge=1, le=4096, description="edge of a patch in pixels")
    seed: int = Field(default=0, ge=0, le=LARGEST_SEED, description="which order is drawn")

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        """Settings that cover what the class can do."""
        return (cls(patch=5),)

    def apply(self, z: Tensor, context: Context) -> Tensor:
        """The same order for every image; what no whole patch covers stays where it is."""
        import numpy as np
        import torch

        size = self.patch
        down, across = z.shape[-2] // size, z.shape[-1] // size
        order = torch.from_numpy(np.random.default_rng(self.seed).permutation(down * across))
        inner = z[..., : down * size, : across * size]
        grid = inner.reshape(*z.shape[:2], down, size, across, size).transpose(-3, -2)
        patches = grid.flatten(-4, -3)[..., order.to(z.device), :, :].reshape(grid.shape)
        shuffled = z.clone()
        shuffled[..., : down * size, : across * size] = patches.transpose(-3, -2).reshape(
            inner.shape
        )
        return shuffled


def _rotated_points(z: Tensor, degrees: float) -> Tensor:
    import torch

    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    x, y = z.double().unbind(1)
    return torch.stack([cos * x - sin * y, sin * x + cos * y], 1).to(z)


def _rotation_grid(height: int, width: int, degrees: float) -> Tensor:
    """Where each pixel of the rotated image comes from: [1, H, W, 2] in [-1, 1], float32.

    The order of the arithmetic is torchvision's, so that ties between two nearest pixels fall
    the same way.
    """
    import torch

    cos, sin = math.cos(math.radians(-degrees)), math.sin(math.radians(-degrees))
    x = torch.arange(width) - (width - 1) / 2
    y = torch.arange(height) - (height - 1) / 2
    pixels = torch.stack([*torch.meshgrid(x, y, indexing="xy"), torch.ones(height, width)], dim=-1)
    half_size = torch.tensor([width / 2, height / 2])
    inverse = torch.tensor([[cos, sin, 0.0], [-sin, cos, 0.0]]).T / half_size
    return (pixels.reshape(1, -1, 3) @ inverse).reshape(1, height, width, 2)
