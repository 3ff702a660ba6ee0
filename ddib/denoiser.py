"""Every network and parameterisation as one function D(z, σ, label)."""

from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ddib.solvers import noise, signal

Parameterisation = Literal["epsilon", "v", "x0"]


class Denoiser:
    """D(z, σ, label): the network's estimate of the clean image in a noisy state.

    z [N, C, H, W] is variance-preserving; σ is any level, its timestep interpolated in log σ
    (as k-diffusion does) and held within the schedule; label is a class for all of the batch,
    None for no condition. Returns [N, C, H, W], unclipped. With a = √ᾱ and b = √(1-ᾱ):
    ε: D = (z - bε)/a;  v (Salimans & Ho 2022, appendix D): D = az - bv;  x₀: D itself.
    """

    def __init__(
        self,
        network: nn.Module,
        sigmas: NDArray[np.float64],
        parameterisation: Parameterisation,
    ):
        self.network = network
        self.parameterisation = parameterisation
        self.evaluations = 0  # network evaluations so far, each of a whole batch
        self._log_sigmas = np.log(sigmas)
        self._times = np.arange(len(sigmas), dtype=np.float64)

    def timestep(self, sigma: float) -> float:
        """The (fractional) timestep of a noise level."""
        return float(np.interp(np.log(sigma), self._log_sigmas, self._times))

    def __call__(self, z: Tensor, sigma: float, label: int | None = None) -> Tensor:
        """The estimate D, see the class."""
        times = torch.full((len(z),), self.timestep(sigma), device=z.device)
        labels = None
        if label is not None:
            labels = torch.full((len(z),), label, dtype=torch.long, device=z.device)
        self.evaluations += 1
        with torch.inference_mode():
            output: Tensor = self.network(z, times, labels)[:, : z.shape[1]]
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
