"""Solvers are checked against an analytic score: a one-dimensional Gaussian mixture.

In one dimension the probability-flow ODE keeps order, so its exact solution carries each point to
the same quantile of the noised mixture: F_σ'(x') = F_σ(x).

`check_solver("my_solver")` in a test of one's own, or in the tests of this repository for every
member of the registry, raises AssertionError where a solver breaks what its registration says.
"""

from itertools import pairwise
from math import erf, pi

import numpy as np
from numpy.typing import NDArray

from ddib.schedules.levels import noise, signal
from ddib.solvers.scheme import SOLVERS, Step
from ddib.solvers.solver import Solver

Array = NDArray[np.float64]

WEIGHTS = np.array([0.3, 0.5, 0.2])
MEANS = np.array([-1.5, 0.4, 2.0])
DEVIATIONS = np.array([0.3, 0.5, 0.4])
LOW, HIGH = 0.05, 20.0  # σ
POINTS = np.linspace(-2.5, 2.8, 11)
_ORDER_STEPS = (40, 80, 160)


def denoise(z: Array, sigma: float) -> Array:
    """Return the posterior mean E[x₀ | z] of the mixture, [N]."""
    x = (z / signal(sigma))[:, None]
    variance = DEVIATIONS**2 + sigma**2
    density = WEIGHTS / np.sqrt(2 * pi * variance) * np.exp(-((x - MEANS) ** 2) / (2 * variance))
    means = (DEVIATIONS**2 * x + sigma**2 * MEANS) / variance
    share = density / density.sum(1, keepdims=True)
    return np.asarray((share * means).sum(1))


def exact_solution(z: Array, sigma: float, target: float) -> Array:
    """Return where the ODE carries states z [N] from one level to another."""
    wanted = _cumulative(z / signal(sigma), sigma)
    low, high = np.full(len(z), -500.0), np.full(len(z), 500.0)
    for _ in range(80):  # bisection, to rounding
        middle = (low + high) / 2
        below = _cumulative(middle, target) < wanted
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return np.asarray((low + high) / 2 * signal(target))


def _cumulative(x: Array, sigma: float) -> Array:
    scaled = (x[:, None] - MEANS) / np.sqrt(2 * (DEVIATIONS**2 + sigma**2))
    return np.asarray((1 + np.vectorize(erf)(scaled)) / 2 @ WEIGHTS)


def problems() -> tuple[tuple[Array, float, float, Array], ...]:
    """Return an encoding and a decoding: the start, the two levels and the exact end."""
    image = POINTS * signal(LOW)
    latent = exact_solution(image, LOW, HIGH)
    return (image, LOW, HIGH, latent), (latent, HIGH, LOW, image)


def check_solver(name: str) -> None:
    """Check a registered solver; raises AssertionError with what is wrong."""
    scheme = SOLVERS[name]
    if scheme.evaluations is None:
        check_tolerance(name)
    else:
        check_order(name)
        check_evaluations(name)
    if scheme.invertible:
        for steps in (1, 2, 3, 4, 5, 20, 50):
            check_inverse(name, steps)


def check_order(name: str) -> None:
    """A solution's error falls with the width of its steps by the stated order."""
    order = SOLVERS[name].order
    for start, sigma, target, wanted in problems():
        errors = []
        for steps in _ORDER_STEPS:
            end = _solve(name, start, np.geomspace(sigma, target, steps + 1))[-1]
            errors.append(float(np.abs(end.z - wanted).mean()))
        measured = float(np.log2(errors[-2] / errors[-1]))
        assert abs(measured - order) < 0.3, f"{name} states order {order} and has {measured:.2f}"
        assert errors[-1] < 0.04 / order**3, f"{name} errs by {errors[-1]:.2g} in 160 steps"


def check_evaluations(name: str) -> None:
    """The number of evaluations is as stated."""
    levels: list[float] = []

    def counting(z: Array, sigma: float) -> Array:
        levels.append(sigma)
        return denoise(z, sigma)

    list(SOLVERS[name].solve(counting, POINTS, np.geomspace(LOW, HIGH, 8).tolist()))
    stated = Solver(name=name, steps=7).evaluations
    assert len(levels) == stated, f"{name} states {stated} evaluations and makes {len(levels)}"


def check_tolerance(name: str) -> None:
    """An adaptive solver keeps its tolerance, and its levels run from end to end."""
    for start, sigma, target, wanted in problems():
        for tolerance in (1e-2, 1e-3, 1e-4, 1e-5):
            solver = Solver(name=name, tolerance=tolerance)
            steps = list(solver.solve(denoise, start, [sigma, target]))
            levels = [sigma, *(step.sigma for step in steps)]
            assert levels[-1] == target
            assert all((a < b) == (sigma < target) for a, b in pairwise(levels))
            error = float(np.sqrt(np.mean((steps[-1].z - wanted) ** 2)))
            assert error < 2 * tolerance, f"{name} errs by {error:.2g} at {tolerance:g}"


def check_inverse(name: str, steps: int) -> None:
    """The exact inverse returns the image, whatever the estimates, so long as they repeat."""

    def rough(z: Array, sigma: float) -> Array:
        return np.asarray(denoise(z, sigma) + np.asarray(0.1 * np.sin(1e6 * z), z.dtype))

    grid = np.geomspace(LOW, HIGH, steps + 1).tolist()
    for dtype in (np.float32, np.float64):
        image = (POINTS * signal(LOW)).astype(dtype)
        solver = Solver(name=name, steps=steps)
        end = list(solver.solve(rough, image, grid))[-1]
        assert end.carried is not None, f"{name} is invertible and carries nothing"
        back = list(solver.solve(rough, end.z, grid[::-1], end.carried))
        assert [step.sigma for step in back] == grid[-2::-1]
        assert float(np.abs(back[-1].z - image).max()) < 1e-6, f"{name} does not return"
        assert back[-1].z.dtype == end.z.dtype == dtype
        start = np.asarray(image, np.float64) / noise(LOW)
        if steps >= end.carried.shape[1]:  # otherwise the start is among the last states
            assert float(np.abs(end.carried - start[:, None]).min(0).min()) > 1e-3


def _solve(name: str, z: Array, sigmas: Array) -> list[Step]:
    steps = list(SOLVERS[name].solve(denoise, z, sigmas.tolist()))
    assert [step.step for step in steps] == list(range(1, len(sigmas)))
    assert steps[-1].sigma == sigmas[-1]
    return steps
