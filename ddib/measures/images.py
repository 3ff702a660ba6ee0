"""Images are measured: differences of hue, the class a probe reads, errors of a round trip.

Every function but `rmse` returns one value per image, NaN where an image has none.
"""

from math import nan

import torch
from torch import Tensor

from ddib.networks.probe import Probe

COLOURLESS = 0.002  # mean chroma below which an image's hue means nothing


def rmse(found: Tensor, wanted: Tensor) -> float:
    """Return the root of the mean squared difference over all images, channels and pixels."""
    return float((found.double() - wanted.double()).square().mean().sqrt())


def hue_error(results: Tensor, sources: Tensor) -> Tensor:
    """Return the angles between hues of results and sources, degrees in [0, 180], float64 [N].

    Both [N, 3, H, W] in [-1, 1] (clipped). An image's hue is the circular mean over its pixels,
    weighted by saturation × value. NaN where either image has almost no colour.
    """
    (a, chroma_a), (b, chroma_b) = _mean_hue(results), _mean_hue(sources)
    angle = torch.rad2deg(torch.atan2(torch.sin(a - b), torch.cos(a - b)).abs())
    return torch.where((chroma_a > COLOURLESS) & (chroma_b > COLOURLESS), angle, nan)


def probe_labels(images: Tensor, probe: Probe) -> Tensor:
    """Return the class that the probe reads in each image [N, 3, H, W] in [-1, 1]: int64 [N]."""
    with torch.inference_mode():
        logits: Tensor = probe(images.clamp(-1, 1))
    return logits.argmax(1)


def psnr(results: Tensor, sources: Tensor) -> Tensor:
    """Return the peak signal-to-noise ratio in dB, data range 2, float64 [N]; ∞ when equal."""
    error = (results.double() - sources.double()).square().flatten(1).mean(1)
    return 10 * torch.log10(4 / error)


def _mean_hue(images: Tensor) -> tuple[Tensor, Tensor]:
    """Return the circular mean hue in radians [N], and the mean chroma in [0, 1] [N]."""
    rgb = (images.double().clamp(-1, 1) + 1) / 2
    chroma = rgb.amax(1) - rgb.amin(1)  # saturation × value
    red, green, blue = rgb.unbind(1)
    top = rgb.argmax(1)
    sector = torch.where(
        top == 0, green - blue, torch.where(top == 1, blue - red, red - green)
    ) / chroma.clamp(min=1e-12)
    hue = (sector + 2 * top) * (torch.pi / 3)
    x = (chroma * torch.cos(hue)).sum((1, 2))
    y = (chroma * torch.sin(hue)).sum((1, 2))
    return torch.atan2(y, x), chroma.mean((1, 2))
