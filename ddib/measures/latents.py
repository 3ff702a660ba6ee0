"""Latents are compared with white Gaussian noise: moments, autocorrelation, radial spectrum.

Every statistic gives one value per image of z [N, C, H, W]; `pool` makes all images one. For each
there is the value and the standard error that white noise N(0, 1) of that size has.
"""

from math import nan, sqrt
from typing import NamedTuple

import torch
from torch import Tensor

BINS = 64
REACH = 4.0  # standard deviations from the middle of the histogram to either end


class Band(NamedTuple):
    """The expected value of a statistic on white noise N(0, 1), and its standard error."""

    expected: float
    error: float


def pool(z: Tensor) -> Tensor:
    """Return all images as one [1, N·C, H, W], whose statistics are those over all of them."""
    return z.reshape(1, -1, *z.shape[2:])


def latent_moments(z: Tensor) -> dict[str, Tensor]:
    """Return mean, standard deviation and kurtosis (normal: 3) of each latent, each float64 [N].

    Population moments over C·H·W of z [N, C, H, W]; the kurtosis of a constant is NaN.
    """
    flat = z.double().flatten(1)
    centred = flat - flat.mean(1, keepdim=True)
    variance = centred.square().mean(1)
    fourth = centred.pow(4).mean(1)
    kurtosis = torch.where(variance > 0, fourth / variance.square(), nan)
    return {"mean": flat.mean(1), "std": variance.sqrt(), "kurtosis": kurtosis}


def autocorrelation(z: Tensor) -> Tensor:
    """Return the mean of horizontal and vertical autocorrelation at lag one, float64 [N].

    Each is the mean product of neighbours over all channels, centred by the image's mean and
    divided by its variance; NaN for a constant and for images of one row or column.
    """
    centred = z.double() - z.double().mean((1, 2, 3), keepdim=True)
    across = (centred[..., 1:] * centred[..., :-1]).mean((1, 2, 3))
    down = (centred[..., 1:, :] * centred[..., :-1, :]).mean((1, 2, 3))
    variance = centred.square().mean((1, 2, 3))
    return torch.where(variance > 0, (across + down) / 2 / variance, nan)


def radial_spectrum(z: Tensor) -> Tensor:
    """Return the power by frequency, 1 … min(H, W)/2 cycles along the shorter side, [N, rings].

    The mean of |FFT|² / (H·W) over channels and over the frequencies whose length rounds to the
    ring's: 1 in every ring for white noise of variance 1. The mean of a channel is in none.
    """
    height, width = z.shape[-2:]
    power = torch.fft.fft2(z.double()).abs().square().mean(1) / (height * width)
    rings, counts = _rings(height, width)
    sums = torch.zeros(len(z), len(counts), dtype=torch.float64)
    sums.index_add_(1, rings.flatten(), power.flatten(1))
    return sums[:, 1:-1] / counts[1:-1]


def histogram(z: Tensor) -> Tensor:
    """Count the values in each of 64 bins from -4 to 4, int64 [N, 64]; others are in none."""
    return torch.stack(
        [torch.histc(image.double(), BINS, -REACH, REACH).long() for image in z.flatten(1)]
    )


def white_noise(channels: int, height: int, width: int) -> dict[str, Band]:
    """Return the bands of `latent_moments` and `autocorrelation` for one image of white noise.

    The errors for n values, large n: mean 1/√n, deviation 1/√(2n), kurtosis √(24/n); of either
    autocorrelation 1/√(pairs of neighbours), the two being uncorrelated; images of one row, as
    clouds of points are, have none.
    """
    n = channels * height * width
    moments = {
        "mean": Band(0, 1 / sqrt(n)),
        "std": Band(1, 1 / sqrt(2 * n)),
        "kurtosis": Band(3, sqrt(24 / n)),
    }
    if 1 in (height, width):
        return moments
    across, down = channels * height * (width - 1), channels * (height - 1) * width
    return moments | {"autocorrelation": Band(0, sqrt(1 / across + 1 / down) / 2)}


def white_spectrum_errors(channels: int, height: int, width: int) -> Tensor:
    """Return the standard error of each ring of `radial_spectrum` for white noise N(0, 1), [rings].

    Half of a ring's frequencies are the other half's conjugates: √(2 / (C · frequencies)).
    """
    counts = _rings(height, width)[1][1:-1]
    return (2 / (channels * counts)).sqrt()


def _rings(height: int, width: int) -> tuple[Tensor, Tensor]:
    """Return the ring of each frequency [H, W], and how many frequencies each has.

    Ring 0 is the mean, the last one all that is beyond half the shorter side.
    """
    shorter = min(height, width)
    down, across = torch.fft.fftfreq(height)[:, None], torch.fft.fftfreq(width)[None]
    rings = (torch.hypot(down.double(), across.double()) * shorter).round().long()
    rings = rings.clamp(max=shorter // 2 + 1)
    return rings, torch.bincount(rings.flatten(), minlength=shorter // 2 + 2).double()
