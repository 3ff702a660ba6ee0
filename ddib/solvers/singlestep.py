"""Single-step solvers use only the estimates of the step they are in."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

from ddib.schedules.levels import signal
from ddib.solvers.exponential import transfer
from ddib.solvers.scheme import Denoise, State, Step, solver


@solver(evaluations=1, order=1)
def ddim(denoise: Denoise, z: State, sigmas: Sequence[float]) -> Iterator[Step]:
    """DDIM, order 1, one evaluation a step (Song et al. 2021, equation 12 with σ_t = 0)."""
    for step, (sigma, target) in enumerate(pairwise(sigmas), 1):
        denoised = denoise(z, sigma)
        a, b = transfer(sigma, target)
        z = a * z + b * denoised
        yield Step(step, target, z, denoised)


@solver(evaluations=2, order=2)
def heun(denoise: Denoise, z: State, sigmas: Sequence[float]) -> Iterator[Step]:
    """Heun's method, order 2, two evaluations a step (EDM, Karras et al. 2022, algorithm 1)."""
    for step, (sigma, target) in enumerate(pairwise(sigmas), 1):
        denoised = denoise(z, sigma)
        x = z / signal(sigma)
        slope = (x - denoised) / sigma
        euler = x + (target - sigma) * slope
        ahead = denoise(euler * signal(target), target)
        slope = (slope + (euler - ahead) / target) / 2
        z = (x + (target - sigma) * slope) * signal(target)
        yield Step(step, target, z, ahead)
