"""A denoiser is a network seen as one function D(z, σ, label), whatever the network predicts."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ddib.denoising.conditioning import Network, NoiseConditioning
from ddib.denoising.label import Label
from ddib.denoising.preconditionings import PRECONDITIONINGS
from ddib.schedules.levels import noise, signal


class Denoiser:
    """D(z, σ, label): the network's estimate of the clean image in a noisy state.

    z [N, C, H, W] is variance-preserving; σ is any level, see `NoiseConditioning`; label is a
    class for all of the batch or one for each image, None for no condition. Returns [N, C, H, W],
    unclipped. The network's weights must not change.
    """

    def __init__(
        self,
        network: Network,
        sigmas: NDArray[np.float64],
        preconditioning: str,
        time_scale: float = 1.0,
    ):
        """sigmas: of each timestep, ascending; preconditioning: the name of what the network
        predicts; time_scale: what the network's timesteps are multiplied by."""
        self.network = network
        self.sigmas = sigmas
        self.evaluations = 0  # network evaluations so far, each of a whole batch
        self._preconditioning = PRECONDITIONINGS.named(preconditioning)
        self._conditioning = NoiseConditioning(network, sigmas, time_scale)

    def timestep(self, sigma: float) -> float:
        """The (fractional) timestep of a noise level."""
        return self._conditioning.timestep(sigma)

    def __call__(self, z: Tensor, sigma: float, label: Label = None) -> Tensor:
        """The estimate D, see the class."""
        self.evaluations += 1
        with torch.inference_mode():
            condition = self._conditioning.condition(sigma, label, z.device)
            output = self.network(z, condition)[:, : z.shape[1]]
        return self.estimate(output, z, sigma)

    def estimate(self, output: Tensor, z: Tensor, sigma: float) -> Tensor:
        """The estimate D that an output of the network, [N, C, H, W], means for a state z."""
        return self._preconditioning.estimate(output, z, signal(sigma), noise(sigma))
