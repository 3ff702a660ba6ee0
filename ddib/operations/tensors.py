"""Computations on tensors that several operations share.

Importing this module loads no torch.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ddib.data.pixels import POINT_CHANNELS
from ddib.errors import InputError
from ddib.operations.operation import Context, Stage

if TYPE_CHECKING:
    from torch import Tensor

LARGEST_SEED = 2**32 - 1


def standard_noise(seed: int, index: int | None, shape: tuple[int, ...]) -> Tensor:
    """Return N(0, 1) noise of a shape, float32 on the CPU, keyed by (seed, index of the image).

    index None is the noise that all images share. numpy's generator rather than torch's: it has
    a key wide enough for both numbers, and does not depend on the CPU's vector instructions.
    """
    import numpy as np
    import torch

    key = np.random.SeedSequence(seed, spawn_key=() if index is None else (index,))
    noise = np.random.default_rng(key).standard_normal(tuple(shape), dtype=np.float32)
    return torch.from_numpy(noise)


def fixed_noise(z: Tensor, seed: int, per_image: bool, first_index: int) -> Tensor:
    """Fixed noise of z's shape: the same for every image, or each image's own."""
    import torch

    if not per_image:
        return standard_noise(seed, None, z.shape[1:]).to(z).expand_as(z)
    indices = range(first_index, first_index + len(z))
    return torch.stack([standard_noise(seed, i, z.shape[1:]) for i in indices]).to(z)


def other_images_latents(z: Tensor, context: Context, offset: int, op: str) -> Tensor:
    """Return for each image the unedited latent of the one `offset` places further, going round.

    Raises InputError, naming `op`, when the context has none of z's shape.
    """
    if context.everything is None:
        raise InputError(
            f"{op} with another image needs the latents of all: "
            "pass Context(everything=…), a tensor [M, C, H, W]"
        )
    first, count = context.first_index + offset, len(context.everything)
    others = context.everything[[place % count for place in range(first, first + len(z))]]
    if others.shape != z.shape:
        raise InputError(
            f"{op} needs other latents of the shape {tuple(z.shape)}, not {tuple(others.shape)}"
        )
    return others.to(z)


def source_image(z: Tensor, context: Context, op: str) -> Tensor:
    """Return the source image of z's shape; raises InputError, naming `op`, without one."""
    if context.image is None:
        raise InputError(f"{op} needs the source image: pass Context(image=…)")
    if context.image.shape != z.shape:
        raise InputError(
            f"{op} needs a source image of the latent's shape {tuple(z.shape)}, "
            f"not {tuple(context.image.shape)}"
        )
    return context.image.to(z)


def per_image(edit: Callable[[Tensor], Tensor], z: Tensor) -> Tensor:
    """`edit` each image [C, H, W] on its own, in float64 on the CPU.

    Sums over a whole batch are split differently for different batch sizes and devices, which
    shows in the last bits; an image by itself always gives the same.
    """
    import torch

    return torch.stack([edit(image.cpu().double().contiguous()) for image in z]).to(z)


def amplify(z: Tensor, factor: float, stage: Stage) -> Tensor:
    """factor·z, or on the image stage 2·(factor·(x + 1)/2) - 1.

    That is done in float64, so that black stays -1 and a factor of 1 changes nothing.
    """
    if stage == "latent":
        return z * factor
    return per_image(lambda image: (image + 1) * factor - 1, z)


def is_plane(z: Tensor) -> bool:
    """Whether these are points of two coordinates: no picture has two channels."""
    return z.shape[1] == POINT_CHANNELS


def frequency_radius(height: int, width: int) -> Tensor:
    """|f| of each coefficient of a 2-D Fourier transform [H, W], cycles per pixel, float64."""
    import torch

    down = torch.fft.fftfreq(height, dtype=torch.float64)[:, None]
    across = torch.fft.fftfreq(width, dtype=torch.float64)[None, :]
    return torch.hypot(down, across)
