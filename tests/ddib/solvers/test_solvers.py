"""Solvers against an analytic score: a one-dimensional Gaussian mixture.

In one dimension the probability-flow ODE keeps order, so its exact solution carries each point to
the same quantile of the noised mixture: F_σ'(x') = F_σ(x).
"""

from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray
from pydantic import ValidationError
from scipy.optimize import brentq
from scipy.stats import norm

from ddib.errors import InputError
from ddib.schedules.grids import GRIDS, Curve, linear, make_grid
from ddib.solvers.solver import SOLVERS, Solver, noise, signal

Array = NDArray[np.float64]

WEIGHTS = np.array([0.3, 0.5, 0.2])
MEANS = np.array([-1.5, 0.4, 2.0])
DEVIATIONS = np.array([0.3, 0.5, 0.4])
LOW, HIGH = 0.05, 20.0
FIXED = [name for name, scheme in SOLVERS.items() if scheme.evaluations]
INVERTIBLE = [name for name, scheme in SOLVERS.items() if scheme.invertible]


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


@pytest.fixture(scope="module", params=["encode", "decode"])
def problem(request: pytest.FixtureRequest) -> tuple[Array, float, float, Array]:
    """Where a way starts, between which levels, and where it ends."""
    image = POINTS * signal(LOW)
    latent = exact(image, LOW, HIGH)
    if request.param == "encode":
        return image, LOW, HIGH, latent
    return latent, HIGH, LOW, image


@pytest.mark.parametrize("name", FIXED)
def test_order_of_convergence(name: str, problem: tuple[Array, float, float, Array]) -> None:
    start, sigma, target, wanted = problem
    order = SOLVERS[name].order
    errors = [
        np.abs(solve(name, start, np.geomspace(sigma, target, steps + 1)) - wanted).mean()
        for steps in (40, 80, 160)
    ]
    orders = np.log2(errors[:-1]) - np.log2(errors[1:])
    assert orders[-1] == pytest.approx(order, abs=0.3)
    assert errors[-1] < 0.04 / order**3


@pytest.mark.parametrize("tolerance", [1e-2, 1e-3, 1e-4, 1e-5])
def test_adaptive_steps_keep_the_tolerance(
    problem: tuple[Array, float, float, Array], tolerance: float
) -> None:
    start, sigma, target, wanted = problem
    solver = Solver(name="dopri5", tolerance=tolerance)
    steps = list(solver.solve(denoise, start, [sigma, target]))
    assert [step.step for step in steps] == list(range(1, len(steps) + 1))
    levels = [sigma, *(step.sigma for step in steps)]
    assert levels in (sorted(levels), sorted(levels, reverse=True))
    assert levels[-1] == target
    assert np.sqrt(np.mean((steps[-1].z - wanted) ** 2)) < 2 * tolerance


def test_adaptive_order_is_five(problem: tuple[Array, float, float, Array]) -> None:
    """With a tenth of the tolerance a width, a step of order 5 whose error is told to order 4
    becomes 10^(1/4) shorter."""
    start, sigma, target, _ = problem
    counts = [
        len(list(SOLVERS["dopri5"].solve(denoise, start, [sigma, target], tolerance=tolerance)))
        for tolerance in (1e-6, 1e-10)
    ]
    assert counts[1] / counts[0] == pytest.approx(10, rel=0.2)


def test_adaptive_evaluations_are_six_a_trial() -> None:
    """First same as last: a step's last slope is the next one's first."""
    calls = 0

    def counting(z: Array, sigma: float) -> Array:
        nonlocal calls
        calls += 1
        return denoise(z, sigma)

    steps = list(SOLVERS["dopri5"].solve(counting, POINTS, [LOW, HIGH]))
    rejected, rest = divmod(calls - 1 - 6 * len(steps), 6)
    assert rest == 0
    assert 0 <= rejected < len(steps)


def test_values_that_are_not_finite_end_an_adaptive_way() -> None:
    steps = SOLVERS["dopri5"].solve(lambda z, sigma: z * np.nan, POINTS, [LOW, HIGH])
    assert np.isnan(next(steps).z).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("steps", [1, 2, 3, 4, 5, 10, 20, 50, 300])
@pytest.mark.parametrize("name", INVERTIBLE)
def test_the_way_back_is_exact(name: str, steps: int, dtype: type) -> None:
    """Whatever the estimates say, so long as they say the same again."""

    def rough(z: Array, sigma: float) -> Array:
        return denoise(z, sigma) + np.asarray(0.1 * np.sin(1e6 * z), z.dtype)

    grid = np.geomspace(LOW, HIGH, steps + 1).tolist()
    image: Array = (POINTS * signal(LOW)).astype(dtype)
    solver = Solver(name=name, steps=steps)
    end = list(solver.solve(rough, image, grid))[-1]
    assert end.carried is not None
    back = list(solver.solve(rough, end.z, grid[::-1], end.carried))
    assert [step.step for step in back] == list(range(1, steps + 1))
    assert [step.sigma for step in back] == grid[-2::-1]
    assert np.abs(back[-1].z - image).max() < 1e-6
    assert back[-1].z.dtype == end.z.dtype == dtype


@pytest.mark.parametrize("name", INVERTIBLE)
def test_the_source_is_not_among_what_is_carried(name: str) -> None:
    image = POINTS * signal(LOW)
    for steps in (4, 20):
        end = list(SOLVERS[name].solve(denoise, image, np.geomspace(LOW, HIGH, steps + 1)))[-1]
        assert end.carried is not None
        assert end.carried.shape == (len(image), 4)
        start = image / noise(LOW)
        assert np.abs(end.carried - start[:, None]).min(0).min() > 1e-3


@pytest.mark.parametrize("name", FIXED)
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


CURVE = Curve((0.01, 1.0, 100.0), (0.0, 2.0, -2.0))


@pytest.mark.parametrize("steps", [1, 7, 200])
@pytest.mark.parametrize("start_noise", [0.0, 0.03, 2.0])
def test_adapted_grid_follows_its_curve(steps: int, start_noise: float) -> None:
    """Between neighbours lies the same share of the density, and flat is the log grid."""
    sigmas = linear(1000)
    levels = np.log(make_grid("adapted", sigmas, steps, start_noise, CURVE).encode)
    assert levels[[0, -1]] == pytest.approx(np.log([start_noise or sigmas[0], sigmas[-1]]))

    def share(a: float, b: float) -> float:
        points = np.linspace(a, b, 1000)
        return float(np.trapezoid(np.exp(np.interp(points, np.log(CURVE[0]), CURVE[1])), points))

    shares = [share(a, b) for a, b in pairwise(levels)]
    assert shares == pytest.approx([np.mean(shares)] * steps, rel=1e-2)
    flat = make_grid("adapted", sigmas, steps, start_noise, Curve((0.01, 100.0), (3.0, 3.0)))
    assert flat.encode == pytest.approx(make_grid("log", sigmas, steps, start_noise).encode)


@pytest.mark.parametrize("name", GRIDS)
def test_grids_run_from_end_to_end(name: str) -> None:
    sigmas = linear(1000)
    grid = make_grid(name, sigmas, 20, curve=CURVE)
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
        {"cycle": "exact"},
        {"name": "obelm", "cycle": "exact", "start_noise": 0.1},
        {"name": "obelm", "cycle": "exact", "clip": "decode"},
        {"tolerance": 0},
    ],
)
def test_settings_that_make_no_sense_are_refused(settings: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Solver.model_validate(settings)
