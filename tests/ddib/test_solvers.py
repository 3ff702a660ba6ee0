"""Solvers against an analytic score: a one-dimensional Gaussian mixture.

In one dimension the probability-flow ODE keeps order, so its exact solution carries each point to
the same quantile of the noised mixture: F_σ'(x') = F_σ(x).
"""

import numpy as np
import pytest
from numpy.typing import NDArray
from pydantic import ValidationError
from scipy.optimize import brentq
from scipy.stats import norm

from ddib.errors import InputError
from ddib.schedules import GRIDS, linear, make_grid
from ddib.solvers import SOLVERS, Solver, noise, signal

Array = NDArray[np.float64]

WEIGHTS = np.array([0.3, 0.5, 0.2])
MEANS = np.array([-1.5, 0.4, 2.0])
DEVIATIONS = np.array([0.3, 0.5, 0.4])
LOW, HIGH = 0.05, 20.0
ORDERS = {"ddim": 1, "heun": 2, "dpmpp_2m": 2, "dpmpp_3m": 3}


def denoise(z: Array, sigma: float) -> Array:
    """The posterior mean E[x₀ | z] of the mixture."""
    x = (z / signal(sigma))[:, None]
    total = DEVIATIONS**2 + sigma**2
    posterior = WEIGHTS * norm.pdf(x, MEANS, np.sqrt(total))
    posterior /= posterior.sum(1, keepdims=True)
    means = (DEVIATIONS**2 * x + sigma**2 * MEANS) / total
    return (posterior * means).sum(1)


def cdf(x: float, sigma: float) -> float:
    return float(WEIGHTS @ norm.cdf(x, MEANS, np.sqrt(DEVIATIONS**2 + sigma**2)))


def exact(z: Array, sigma: float, target: float) -> Array:
    def quantile(q: float) -> float:
        return float(brentq(lambda x: cdf(x, target) - q, -500, 500, xtol=1e-12))

    return np.array([quantile(cdf(x, sigma)) for x in z / signal(sigma)]) * signal(target)


def solve(name: str, z: Array, sigmas: Array) -> Array:
    steps = list(SOLVERS[name].solve(denoise, z, sigmas.tolist()))
    assert [step.step for step in steps] == list(range(1, len(sigmas)))
    assert steps[-1].sigma == sigmas[-1]
    return steps[-1].z


POINTS = np.linspace(-2.5, 2.8, 11)


@pytest.mark.parametrize("direction", ["encode", "decode"])
@pytest.mark.parametrize("name", SOLVERS)
def test_order_of_convergence(name: str, direction: str) -> None:
    if direction == "encode":
        start, sigma, target = POINTS * signal(LOW), LOW, HIGH
    else:
        start, sigma, target = exact(POINTS * signal(LOW), LOW, HIGH), HIGH, LOW
    wanted = exact(start, sigma, target)
    errors = [
        np.abs(solve(name, start, np.geomspace(sigma, target, steps + 1)) - wanted).mean()
        for steps in (80, 160, 320)
    ]
    orders = np.log2(errors[:-1]) - np.log2(errors[1:])
    assert orders[-1] == pytest.approx(ORDERS[name], abs=0.25)
    assert errors[-1] < 0.02 / ORDERS[name] ** 3


@pytest.mark.parametrize("name", SOLVERS)
def test_evaluations_are_counted_as_promised(name: str) -> None:
    calls = 0

    def counting(z: Array, sigma: float) -> Array:
        nonlocal calls
        calls += 1
        return denoise(z, sigma)

    list(SOLVERS[name].solve(counting, POINTS, np.geomspace(LOW, HIGH, 8).tolist()))
    assert calls == Solver(name=name, steps=7).evaluations


def test_the_default_is_accurate_at_twenty_steps() -> None:
    """Encode and decode at 20 steps: the round trip that a session's default makes."""
    grid = np.geomspace(LOW, HIGH, 21)
    latent = solve("dpmpp_2m", POINTS * signal(LOW), grid)
    back = solve("dpmpp_2m", latent, grid[::-1])
    assert np.abs(back / signal(LOW) - POINTS).max() < 0.05


def test_signal_and_noise_at_the_ends() -> None:
    assert (signal(np.inf), noise(np.inf)) == (0, 1)
    assert (signal(0.0), noise(0.0)) == (1, 0)
    assert signal(3.0) ** 2 + noise(3.0) ** 2 == pytest.approx(1)


def test_linear_schedule_is_ddpm() -> None:
    sigmas = linear(1000)
    assert sigmas[0] ** 2 == pytest.approx(1e-4 / (1 - 1e-4))
    assert sigmas[-1] == pytest.approx(157.4, abs=0.1)


@pytest.mark.parametrize("name", GRIDS)
def test_grids_run_from_end_to_end(name: str) -> None:
    sigmas = linear(1000)
    grid = make_grid(name, sigmas, 20)
    assert len(grid.encode) == len(grid.decode) == 21
    assert grid.encode[0] == pytest.approx(sigmas[0])
    assert all(a < b for a, b in zip(grid.encode, grid.encode[1:], strict=False))
    assert all(a > b for a, b in zip(grid.decode, grid.decode[1:], strict=False))
    if name == "reference":
        assert grid.encode[-1] == np.inf
        assert grid.decode[-1] == 0
    else:
        assert grid.encode == pytest.approx(grid.decode[::-1])
        assert grid.encode[-1] == pytest.approx(sigmas[-1])


def test_start_noise_moves_the_start_of_encoding_only() -> None:
    sigmas = linear(1000)
    grid = make_grid("log", sigmas, 20, start_noise=0.03)
    assert grid.encode[0] == pytest.approx(0.03)
    assert grid.decode[-1] == pytest.approx(sigmas[0])
    with pytest.raises(InputError, match="σ_max"):
        make_grid("log", sigmas, 20, start_noise=1000)


def test_reference_grid_takes_an_even_stride() -> None:
    with pytest.raises(InputError, match="does not divide"):
        make_grid("reference", linear(1000), 30)


@pytest.mark.parametrize(
    "settings",
    [
        {"name": "eular"},
        {"grid": "sigmoid"},
        {"steps": 0},
        {"start_noise": -1},
        {"start_noise": float("nan")},
        {"clip": True},
        {"grid": "reference"},
        {"name": "ddim", "grid": "reference", "start_noise": 0.1},
    ],
)
def test_settings_that_make_no_sense_are_refused(settings: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Solver.model_validate(settings)
