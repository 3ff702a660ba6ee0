"""Multistep exponential solvers reuse the estimates of earlier steps."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from math import log

from ddib.schedules.levels import noise
from ddib.solvers.exponential import integrate, transfer
from ddib.solvers.scheme import Denoise, State, Step, solver


@solver(evaluations=1, order=2)
def dpmpp_2m(denoise: Denoise, z: State, sigmas: Sequence[float]) -> Iterator[Step]:
    """DPM-Solver++(2M), order 2, one evaluation a step (Lu et al. 2022, algorithm 2)."""
    previous: State | None = None
    last_width = 0.0
    for step, (sigma, target) in enumerate(pairwise(sigmas), 1):
        denoised = denoise(z, sigma)
        width = log(sigma) - log(target)
        ahead = denoised
        if previous is not None:
            half_ratio = width / (2 * last_width)
            ahead = (1 + half_ratio) * denoised - half_ratio * previous
        a, b = transfer(sigma, target)
        z = a * z + b * ahead
        previous, last_width = denoised, width
        yield Step(step, target, z, denoised)


@solver(evaluations=1, order=3)
def dpmpp_3m(denoise: Denoise, z: State, sigmas: Sequence[float]) -> Iterator[Step]:
    """DPM-Solver++(3M), order 3, one evaluation a step (Lu et al. 2022, appendix B).

    The first two steps are made again with each estimate that follows, so that their low order
    does not stay in the whole.
    """
    return _adams(denoise, z, sigmas, corrected=False)


@solver(evaluations=1, order=3)
def unipc(denoise: Denoise, z: State, sigmas: Sequence[float]) -> Iterator[Step]:
    """UniPC, order 3, one evaluation a step (Zhao et al. 2023: UniP-3, corrected by UniC-2).

    Every step is made again with the estimate at its end, which the next step needs anyhow.
    """
    return _adams(denoise, z, sigmas, corrected=True)


def _adams(denoise: Denoise, z: State, sigmas: Sequence[float], corrected: bool) -> Iterator[Step]:
    """Exponential Adams with the last three estimates; the start is corrected in any case."""
    lambdas, estimates, states = list[float](), list[State](), [z / noise(sigmas[0])]
    for step, (sigma, target) in enumerate(pairwise(sigmas), 1):
        lambdas = [*lambdas[-2:], -log(sigma)]
        estimates = [*estimates[-2:], denoise(states[-1] * noise(sigma), sigma)]
        first = 0 if step <= 3 else 1 if corrected else 2
        for i, (start, end) in enumerate(pairwise(lambdas[first:]), first):
            states[i + 1] = states[i] + integrate(lambdas, estimates, start, end)
        ahead = integrate(lambdas, estimates, lambdas[-1], -log(target))
        states = [*states[-2:], states[-1] + ahead]
        yield Step(step, target, states[-1] * noise(target), estimates[-1])
