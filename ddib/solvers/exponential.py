"""Exact integrals of the ODE's linear part, which exponential solvers share."""

from collections.abc import Sequence

import numpy as np

from ddib.schedules.levels import noise, signal
from ddib.solvers.scheme import State


def transfer(sigma: float, target: float) -> tuple[float, float]:
    """Return the weights of the exact move z' = a·z + b·D to another level, D held constant."""
    ratio = noise(target) / noise(sigma)
    return ratio, signal(target) - ratio * signal(sigma)


_POINTS, _WEIGHTS = np.polynomial.legendre.leggauss(24)  # exact to rounding up to Δλ = 20


def integrate(
    lambdas: Sequence[float], estimates: Sequence[State], start: float, end: float
) -> State:
    """Return ∫ e^λ D dλ from start to end, D the polynomial in λ through the estimates."""
    half = (end - start) / 2
    points = start + half * (1 + _POINTS)
    density = half * _WEIGHTS * np.exp(points)
    total: State = 0
    for i, estimate in enumerate(estimates):
        others = np.delete(lambdas, i)
        basis = np.prod((points[:, None] - others) / (lambdas[i] - others), axis=1)
        total = total + float(density @ basis) * estimate
    return total
