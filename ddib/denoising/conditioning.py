"""Noise levels and labels become the condition that a network is given."""

from functools import lru_cache
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ddib.denoising.label import Label

CONDITIONS = (
    1024  # kept at a time: a thousand-step grid's worth, about 10 MB for the zoo's networks
)


class Network(Protocol):
    """What a denoiser asks of a network, which `ddib.networks.unet.UNet` is.

    `condition` takes timesteps, float [1], and labels, int [1] or None, and returns all that
    depends only on them, for a batch of any size; the network maps z [N, C, H, W] and that
    condition to its output [N, C or more, H, W].
    """

    def condition(self, timesteps: Tensor, labels: Tensor | None = None) -> Any:
        """What time and label mean to it."""

    def __call__(self, z: Tensor, condition: Any) -> Tensor:
        """Its output, in z's dtype."""


class NoiseConditioning:
    """The condition of a network at any noise level σ.

    The timestep is interpolated in log σ (as k-diffusion does) and held within the schedule.
    What depends only on σ and one label is computed once; the network's weights must not change.
    """

    def __init__(self, network: Network, sigmas: NDArray[np.float64], time_scale: float = 1.0):
        """sigmas: of each timestep, ascending; time_scale: what timesteps are multiplied by."""
        self._network = network
        self._log_sigmas = np.log(sigmas)
        self._times = time_scale * np.arange(len(sigmas), dtype=np.float64)
        self._remembered = lru_cache(CONDITIONS)(self._compute)

    def timestep(self, sigma: float) -> float:
        """The (fractional) timestep of a noise level."""
        return float(np.interp(np.log(sigma), self._log_sigmas, self._times))

    def condition(self, sigma: float, label: Label, device: torch.device) -> Any:
        """What the network takes beside z, at a level and for one label or one of each image."""
        compute = self._compute if isinstance(label, tuple) else self._remembered
        return compute(self.timestep(sigma), label, device)

    def _compute(self, timestep: float, label: Label, device: torch.device) -> Any:
        each = label if isinstance(label, tuple) else (label,)
        labels = None if label is None else torch.tensor(each, device=device)
        return self._network.condition(torch.tensor([timestep] * len(each), device=device), labels)
