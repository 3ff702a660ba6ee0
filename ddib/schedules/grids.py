"""The grids of σ levels that solvers move along.

σ = √(1-ᾱ)/√ᾱ is k-diffusion's variable; λ = -log σ is half the log-SNR.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ddib.errors import InputError
from ddib.schedules.noise_schedules import Sigmas


@dataclass(frozen=True)
class Grid:
    """The σ values a round trip visits: one network evaluation between neighbours (heun: two).

    `image_is_state` says how the image enters and leaves at its end of the grid: as x̄ (the
    data's own scale), or, as the original implementation does, as the variance-preserving z.
    """

    encode: tuple[float, ...]
    decode: tuple[float, ...]
    image_is_state: bool = False


def log_grid(sigmas: Sigmas, steps: int, start: float) -> Grid:
    """Uniform in log σ from the schedule's first level to its last."""
    ascending = np.geomspace(start, sigmas[-1], steps + 1)
    return _both_ways(ascending, np.geomspace(sigmas[0], sigmas[-1], steps + 1))


def karras_grid(sigmas: Sigmas, steps: int, start: float, rho: float = 7.0) -> Grid:
    """Uniform in σ^(1/ρ), ρ = 7 (EDM, Karras et al. 2022, equation 5)."""

    def ascending(first: float) -> Sigmas:
        low, high = first ** (1 / rho), float(sigmas[-1]) ** (1 / rho)
        return np.asarray(np.linspace(low, high, steps + 1) ** rho)

    return _both_ways(ascending(start), ascending(float(sigmas[0])))


def time_grid(sigmas: Sigmas, steps: int, start: float) -> Grid:
    """Uniform in the schedule's timestep t, σ interpolated in its logarithm."""

    def ascending(first: float) -> Sigmas:
        times = np.arange(len(sigmas))
        begin = np.interp(np.log(first), np.log(sigmas), times)
        wanted = np.linspace(begin, times[-1], steps + 1)
        return np.asarray(np.exp(np.interp(wanted, times, np.log(sigmas))))

    return _both_ways(ascending(start), ascending(float(sigmas[0])))


class Curve(NamedTuple):
    """The density of steps along the noise axis.

    `log_density[i]` is the log of the steps per unit of log σ at `sigmas[i]`, up to an additive
    constant; it is interpolated linearly in log σ.
    """

    sigmas: tuple[float, ...]
    log_density: tuple[float, ...]


def adapted_grid(sigmas: Sigmas, steps: int, start: float, curve: Curve) -> Grid:
    """Fitted to the checkpoint by `ddib-workbench checkpoints adapt`: dense where it errs most."""

    def ascending(first: float) -> Sigmas:
        levels = np.linspace(np.log(first), np.log(sigmas[-1]), 4001)
        density = np.exp(np.interp(levels, np.log(curve.sigmas), curve.log_density))
        share = np.concatenate([[0], np.cumsum(density[1:] + density[:-1])])
        inner = np.interp(np.linspace(0, share[-1], steps + 1)[1:-1], share, levels)
        return np.concatenate([[first], np.exp(inner), sigmas[-1:]])

    return _both_ways(ascending(start), ascending(float(sigmas[0])))


def reference_grid(sigmas: Sigmas, steps: int, start: float) -> Grid:
    """The original DDIM loops (guided-diffusion, `ddim_reverse_sample_loop`): timesteps at an
    even stride; the clean image counts as level ᾱ₀; encoding ends at ᾱ = 0, where z is the last
    ε, and decoding reads that z at the last level and ends at ᾱ = 1.

    Raises InputError when the schedule's timesteps are not a multiple of `steps`.
    """
    stride, rest = divmod(len(sigmas), steps)
    if rest or stride == 0:
        raise InputError(
            f"the reference grid takes an even stride through {len(sigmas)} timesteps, and "
            f"{steps} does not divide them",
            key="solver.steps",
        )
    levels = tuple(float(sigma) for sigma in sigmas[::stride])
    return Grid((*levels, np.inf), (*reversed(levels), 0.0), image_is_state=True)


GRIDS: dict[str, Callable[..., Grid]] = {
    "log": log_grid,
    "karras": karras_grid,
    "time": time_grid,
    "adapted": adapted_grid,
    "reference": reference_grid,
}


def make_grid(
    name: str,
    sigmas: Sigmas,
    steps: int,
    start_noise: float = 0.0,
    curve: Curve | None = None,
) -> Grid:
    """The grid of a solver setting on a schedule.

    `start_noise` is the σ at which encoding begins (0: the schedule's first level); decoding
    always ends at the schedule's first level. `curve` is for the adapted grid. Raises InputError
    when start_noise is beyond the last level.
    """
    if start_noise >= sigmas[-1]:
        raise InputError(
            f"{start_noise:g} is not below the schedule's σ_max {sigmas[-1]:g}",
            key="solver.start_noise",
        )
    fitted = {"curve": curve} if name == "adapted" else {}
    return GRIDS[name](sigmas, steps, max(start_noise, float(sigmas[0])), **fitted)


def _both_ways(encode: Sigmas, decode: Sigmas) -> Grid:
    return Grid(tuple(map(float, encode)), tuple(map(float, decode[::-1])))
