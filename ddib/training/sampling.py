"""A sheet of samples shows what a denoiser has learned."""

from functools import partial

import numpy as np
import torch

from ddib.data.pixels import Pixels, to_pixels
from ddib.data.training import TrainingData
from ddib.denoising.denoiser import Denoiser
from ddib.operations.tensors import standard_noise
from ddib.schedules.grids import make_grid
from ddib.solvers.multistep import dpmpp_2m


def sample_sheet(denoiser: Denoiser, data: TrainingData, labels: tuple[int, ...] = ()) -> Pixels:
    """Samples from fixed noise, as many in a row and in rows as the data say, or a row per label:
    uint8 [H, W, C]."""
    grid = make_grid("log", denoiser.sigmas, 20)
    shape, across = (data.channels, *data.sample), data.samples
    rows = []
    for row, label in enumerate(labels or (None,) * across):
        z = torch.stack([standard_noise(0, across * row + n, shape) for n in range(across)])
        for step in dpmpp_2m(partial(denoiser, label=label), z, grid.decode):
            z = step.z
        rows.append(np.concatenate(list(to_pixels(z)), axis=1))
    return np.concatenate(rows)
