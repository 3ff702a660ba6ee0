"""The low spatial frequencies of the source are kept while decoding (ILVR)."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal, Self

from pydantic import Field

from ddib.guides.guide import Guide, State
from ddib.operations.tensors import frequency_radius

if TYPE_CHECKING:
    from torch import Tensor


class LowPass(Guide):
    """Move the low frequencies of the estimate towards the source's (ILVR).

    Choi et al. 2021 replace the low frequencies of the state by those of the source, noised. Noised
    by the very noise that the state has, √ᾱ·x₀ + (z - √ᾱ·D), this is the same as replacing those of
    D, and needs no random numbers.
    """

    pictures_only: ClassVar[bool] = True

    guide: Literal["low_pass"] = "low_pass"
    cutoff: float = Field(
        default=0.0625,
        ge=0,
        le=1,
        description="radius of what is taken from the source, in cycles per pixel; "
        "ILVR's factor N is about 1/(2N)",
    )

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        """Settings that cover what the class can do."""
        return (cls(), cls(cutoff=0.2, scale=0.5))

    def shift(self, denoised: Tensor, state: State) -> Tensor:
        """Return the frequencies |f| ≤ cutoff of x₀ - D."""
        import torch

        low = frequency_radius(*denoised.shape[-2:]).to(denoised.device) <= self.cutoff
        spectrum = torch.fft.fft2((state.source - denoised).double())
        shift: Tensor = torch.fft.ifft2(spectrum.where(low, 0)).real.to(denoised)
        return shift
