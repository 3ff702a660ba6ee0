"""Operations on the spatial frequencies of each image: blur, whiten and mix."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal, Self

from pydantic import Field

from ddib.operations.operation import Context, Operation
from ddib.operations.tensors import (
    LARGEST_SEED,
    amplify,
    fixed_noise,
    frequency_radius,
    other_images_latents,
    per_image,
)

if TYPE_CHECKING:
    from torch import Tensor

_TRUNCATE = 4.0  # scipy.ndimage.gaussian_filter's default: the kernel ends at 4 sigma


class Blur(Operation):
    """Blur in space with a Gaussian, then multiply by a gain."""

    pictures_only: ClassVar[bool] = True

    op: Literal["blur"] = "blur"
    sigma: float = Field(
        default=2.0, ge=0, le=1000, description="width of the Gaussian in pixels; 0: no blur"
    )
    gain: float = Field(default=1.0, ge=0, le=1000, description="what to multiply by afterwards")

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        """Settings that cover what the class can do."""
        return (cls(sigma=1.5, gain=1 / 0.6),)

    def apply(self, z: Tensor, context: Context) -> Tensor:
        """As scipy.ndimage.gaussian_filter over H and W (mode reflect, truncate 4), times gain.

        On the image stage the gain multiplies the brightness (x + 1) / 2.
        """
        vertical = _blur_matrix(z.shape[-2], self.sigma)
        horizontal = _blur_matrix(z.shape[-1], self.sigma)
        blurred = per_image(lambda image: vertical @ image @ horizontal.T, z)
        return amplify(blurred, self.gain, context.stage)


class Whiten(Operation):
    """Flatten the spectrum, so that neighbouring pixels are no more alike than distant ones."""

    pictures_only: ClassVar[bool] = True

    op: Literal["whiten"] = "whiten"
    amount: float = Field(
        default=1.0, ge=0, le=1, description="0: the spectrum stays, 1: it is flat"
    )

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        """Settings that cover what the class can do."""
        return (cls(amount=0.7),)

    def apply(self, z: Tensor, context: Context) -> Tensor:
        """Fourier amplitudes over the root mean square of their ring, to the power `amount`.

        A ring is one cycle per image wide. Mean and deviation of each channel stay.
        """
        return per_image(lambda image: _whitened(image, self.amount), z)


class FrequencyMix(Operation):
    """Keep the low frequencies and take the high ones from noise or another image's latent."""

    pictures_only: ClassVar[bool] = True

    op: Literal["frequency_mix"] = "frequency_mix"
    cutoff: float = Field(
        default=0.25, ge=0, le=1, description="radius of what is kept, in cycles per pixel"
    )
    other: Literal["noise", "image"] = Field(
        default="noise",
        description="where the high ones come from: Gaussian noise, or another image's latent",
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
        return (cls(), cls(per_image=True), cls(other="image", offset=4))

    @property
    def reads_everything(self) -> bool:
        """Towards noise no image needs another."""
        return self.other == "image"

    def apply(self, z: Tensor, context: Context) -> Tensor:
        """z where |f| ≤ cutoff, elsewhere n ~ N(0, 1), or the unedited latent of another image.

        0.71 and more keeps everything. InputError when the context has no other image's latent.
        """
        import torch

        low = frequency_radius(z.shape[-2], z.shape[-1]) <= self.cutoff
        if self.reads_everything:
            other = other_images_latents(z, context, self.offset, self.op)
        else:
            other = fixed_noise(z, self.seed, self.per_image, context.first_index)
        return per_image(
            lambda both: (
                torch.fft.ifft2(torch.fft.fft2(both[0]).where(low, torch.fft.fft2(both[1]))).real
            ),
            torch.stack([z, other], 1),
        )


def _whitened(image: Tensor, amount: float) -> Tensor:
    import torch

    mean = image.mean((1, 2), keepdim=True)
    deviation = image.std((1, 2), correction=0, keepdim=True)
    spectrum = torch.fft.fft2(image - mean)
    rings = (frequency_radius(*image.shape[1:]) * max(image.shape[1:])).round().long().flatten()
    sums = torch.zeros(len(image), int(rings.max()) + 1, dtype=torch.float64)
    sums.index_add_(1, rings, spectrum.abs().square().flatten(1))
    level = (sums / torch.bincount(rings).clamp(min=1))[:, rings].reshape(image.shape)
    flat = torch.where(level > 0, spectrum / level ** (amount / 2), spectrum)
    white = torch.fft.ifft2(flat).real
    now = white.std((1, 2), correction=0, keepdim=True)
    return mean + torch.where(now > 0, white / now * deviation, white)


def _blur_matrix(size: int, sigma: float) -> Tensor:
    """The blur along one axis as a matrix [size, size], float64.

    Row i holds the kernel around i, with what falls outside folded back (d c b a | a b c d |
    d c b a), as often as a kernel wider than the image needs.
    """
    import torch

    radius = int(_TRUNCATE * sigma + 0.5)
    if radius == 0:
        return torch.eye(size, dtype=torch.float64)
    offsets = torch.arange(-radius, radius + 1)
    kernel = torch.exp(-0.5 * (offsets.double() / sigma) ** 2)
    centres = torch.arange(size)[:, None]
    unfolded = (centres + offsets) % (2 * size)
    columns = torch.minimum(unfolded, 2 * size - 1 - unfolded)
    matrix = torch.zeros(size, size, dtype=torch.float64)
    return matrix.scatter_add_(1, columns, (kernel / kernel.sum()).expand(size, -1))
