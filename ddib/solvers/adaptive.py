"""Adaptive solvers choose their steps by an estimate of the local error."""

from collections.abc import Iterator, Sequence
from math import exp, log

from ddib.schedules.levels import signal
from ddib.solvers.scheme import Denoise, State, Step, solver

_NODES = (1 / 5, 3 / 10, 4 / 5, 8 / 9, 1, 1)
_STAGES = (
    (1 / 5,),
    (3 / 40, 9 / 40),
    (44 / 45, -56 / 15, 32 / 9),
    (19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729),
    (9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656),
    (35 / 384, 0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84),
)
_ERROR = (71 / 57600, 0, -71 / 16695, 71 / 1920, -17253 / 339200, 22 / 525, -1 / 40)


@solver(evaluations=None, order=5)
def dopri5(
    denoise: Denoise, z: State, sigmas: Sequence[float], tolerance: float = 1e-3
) -> Iterator[Step]:
    """Dormand-Prince 5(4), adaptive, of the grid only its ends (Hairer et al. 1993, table II.5.2).

    Solves dz/dτ = √ᾱ(√ᾱ z - D) in τ = log σ. The local errors' RMS adds up to `tolerance` at
    most: each step has its share by its width. Steps of a thousandth of the distance are taken
    whatever their error, which is then the network's rounding.
    """
    position, end = log(sigmas[0]), log(sigmas[-1])
    span = end - position
    width, step = span / 20, 0
    denoised = denoise(z, sigmas[0])
    slope = signal(sigmas[0]) * (signal(sigmas[0]) * z - denoised)
    while position != end:
        if abs(end - position) < 1.01 * abs(width):
            width = end - position
        slopes = [slope]
        for fraction, weights in zip(_NODES, _STAGES, strict=True):
            sigma = exp(position + fraction * width)
            reached = z + width * _combined(weights, slopes)
            denoised = denoise(reached, sigma)
            slopes.append(signal(sigma) * (signal(sigma) * reached - denoised))
        error = width * _combined(_ERROR, slopes)
        excess = float((error * error).mean()) ** 0.5 / (tolerance * width / span)
        if not excess > 1 or abs(width) <= abs(span) / 1000:
            step, z, slope = step + 1, reached, slopes[-1]
            position = end if width == end - position else position + width
            yield Step(step, exp(position) if position != end else sigmas[-1], z, denoised)
        width *= min(5.0, max(0.2, 0.9 * excess**-0.25)) if excess else 5.0


def _combined(weights: Sequence[float], states: Sequence[State]) -> State:
    return sum(a * b for a, b in zip(weights, states, strict=True))
