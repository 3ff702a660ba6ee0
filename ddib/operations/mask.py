"""Edits are kept inside a region only, or outside it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Literal, Self

from pydantic import Field

from ddib.operations.operation import Context, Operation
from ddib.operations.tensors import source_image

if TYPE_CHECKING:
    from torch import Tensor


class Mask(Operation):
    """Keep what the operations above did inside a region only, or outside it."""

    pictures_only: ClassVar[bool] = True

    op: Literal["mask"] = "mask"
    shape: Literal["ellipse", "rectangle", "foreground"] = Field(
        default="ellipse", description="the region; foreground: where the source image is bright"
    )
    keep: Literal["inside", "outside"] = Field(
        default="inside", description="where the edit stays; elsewhere it is taken back"
    )
    operations: int = Field(
        default=1,
        ge=1,
        le=1000,
        description="how many of the operations above it, those switched off included",
    )
    x: float = Field(
        default=0.5, ge=0, le=1, description="centre, as a share of the width; 0: left"
    )
    y: float = Field(
        default=0.5, ge=0, le=1, description="centre, as a share of the height; 0: top"
    )
    width: float = Field(default=0.5, ge=0, le=2, description="as a share of the image's")
    height: float = Field(default=0.5, ge=0, le=2, description="as a share of the image's")
    threshold: float = Field(
        default=0.1, ge=0, le=1, description="brightness above which the foreground begins"
    )

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        """Settings that cover what the class can do."""
        return (
            cls(),
            cls(shape="rectangle", keep="outside", x=0.25, height=1.0, operations=9),
            cls(shape="foreground", threshold=0.5),
        )

    def adjust_to(self, above: Sequence[bool]) -> Mask | None:
        """Count only the operations above that run; a mask of none of them does not run."""
        running = sum(above[-self.operations :])
        return self.model_copy(update={"operations": running}) if running else None

    def apply(self, z: Tensor, context: Context) -> Tensor:
        """z in the region, elsewhere as it was before the operations; z where there is none above.

        A pixel is in the region when its centre is. InputError for the foreground as for Blend.
        """
        if not context.before:
            return z
        before = context.before[-min(self.operations, len(context.before))]
        inside = self._region(z, context)
        return z.where(inside if self.keep == "inside" else ~inside, before)

    def _region(self, z: Tensor, context: Context) -> Tensor:
        import torch

        if self.shape == "foreground":
            brightness = (source_image(z, context, self.op) + 1) / 2
            return brightness.amax(1, keepdim=True) > self.threshold
        down, across = (
            ((torch.arange(size, dtype=torch.float64) + 0.5) / size - centre).abs()
            for size, centre in ((z.shape[-2], self.y), (z.shape[-1], self.x))
        )
        if self.shape == "rectangle":
            inside = (down <= self.height / 2)[:, None] & (across <= self.width / 2)
        else:
            scaled = torch.hypot((down * self.width)[:, None], across * self.height)
            inside = scaled <= self.width * self.height / 2
        return inside.to(z.device)
