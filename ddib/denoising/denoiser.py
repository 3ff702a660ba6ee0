"""Every network and parameterisation as one function D(z, σ, label)."""

from functools import lru_cache
from typing import Any, Literal, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ddib.schedules.levels import noise, signal

Parameterisation = Literal["epsilon", "v", "x0"]

Label = int | tuple[int, ...] | None
"""The class to condition on: one for all images of a batch, one for each, or none."""

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


class Denoiser:
    """D(z, σ, label): the network's estimate of the clean image in a noisy state.

    z [N, C, H, W] is variance-preserving; σ is any level, its timestep interpolated in log σ
    (as k-diffusion does) and held within the schedule; label is a class for all of the batch or
    one for each image, None for no condition. Returns [N, C, H, W], unclipped.
    With a = √ᾱ and b = √(1-ᾱ):
    ε: D = (z - bε)/a;  v (Salimans & Ho 2022, appendix D): D = az - bv;  x₀: D itself.
    What depends only on σ and one label is computed once; the network's weights must not change.
    """

    def __init__(
        self,
        network: Network,
        sigmas: NDArray[np.float64],
        parameterisation: Parameterisation,
        time_scale: float = 1.0,
    ):
        """`time_scale`: what the network's timesteps are multiplied by."""
        self.network = network
        self.parameterisation = parameterisation
        self.evaluations = 0  # network evaluations so far, each of a whole batch
        self._log_sigmas = np.log(sigmas)
        self._times = time_scale * np.arange(len(sigmas), dtype=np.float64)

        self._kept_condition = lru_cache(CONDITIONS)(self._condition)

    def _condition(self, timestep: float, label: Label, device: torch.device) -> Any:
        each = label if isinstance(label, tuple) else (label,)
        labels = None if label is None else torch.tensor(each, device=device)
        return self.network.condition(torch.tensor([timestep] * len(each), device=device), labels)

    def timestep(self, sigma: float) -> float:
        """The (fractional) timestep of a noise level."""
        return float(np.interp(np.log(sigma), self._log_sigmas, self._times))

    def __call__(self, z: Tensor, sigma: float, label: Label = None) -> Tensor:
        """The estimate D, see the class."""
        self.evaluations += 1
        condition_on = self._condition if isinstance(label, tuple) else self._kept_condition
        with torch.inference_mode():
            condition = condition_on(self.timestep(sigma), label, z.device)
            output = self.network(z, condition)[:, : z.shape[1]]
        return to_denoised(output, z, sigma, self.parameterisation)


def to_denoised(
    output: Tensor, z: Tensor, sigma: float, parameterisation: Parameterisation
) -> Tensor:
    """A network's output at noise level σ as an estimate of the clean image."""
    a, b = signal(sigma), noise(sigma)
    if parameterisation == "epsilon":
        return (z - b * output) / a
    if parameterisation == "v":
        return a * z - b * output
    return output
