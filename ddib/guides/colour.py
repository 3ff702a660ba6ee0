"""The colour of the source is kept while decoding."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal, Self

from ddib.guides.guide import Guide, State

if TYPE_CHECKING:
    from torch import Tensor

_BLACK = 1e-6  # brightness below which a picture has no colour


class Colour(Guide):
    """Move the chroma of each pixel towards the source's foreground colour; brightness stays.

    The source's colour is one for all of a picture: the mean of its pixels, weighted by their
    brightness. A picture of many hues moves towards their mixture.
    """

    pictures_only: ClassVar[bool] = True

    guide: Literal["colour"] = "colour"

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        """Settings that cover what the class can do."""
        return (cls(scale=0.3), cls(scale=0.3, sigma_min=0.1, sigma_max=2.0))

    def shift(self, denoised: Tensor, state: State) -> Tensor:
        """Return 2·(b·h - v), v = (D + 1)/2 of a pixel, b its brightness max(v, 0) over channels.

        h is the source's colour over its largest channel, so that brightness b stays. A black
        source has no colour and shifts nothing.
        """
        import torch

        values = (denoised + 1) / 2
        brightness = values.amax(1, keepdim=True).clamp(min=0)
        colour = _foreground_colour(state.source)
        largest = colour.amax(1, keepdim=True)
        hue = colour / largest.clamp(min=_BLACK)
        return torch.where(largest > _BLACK, 2 * (brightness * hue - values), 0.0)


def _foreground_colour(images: Tensor) -> Tensor:
    """Return the mean colour of images [N, C, H, W], weighted by brightness: 0-1, [N, C, 1, 1]."""
    values = (images.clamp(-1, 1) + 1) / 2
    weight = values.amax(1, keepdim=True)
    total = weight.sum((2, 3), keepdim=True).clamp(min=_BLACK)
    return (values * weight).sum((2, 3), keepdim=True) / total
