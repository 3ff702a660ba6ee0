"""What holds for every solver of the registry, and for its checks."""

from collections.abc import Iterator, Sequence
from math import inf

import numpy as np
import pytest

from ddib.schedules.levels import signal
from ddib.solvers import checks
from ddib.solvers.multistep import dpmpp_2m
from ddib.solvers.scheme import SOLVERS, Scheme, State, Step, solver
from ddib.solvers.singlestep import ddim, heun


@pytest.mark.parametrize("name", SOLVERS)
def test_a_solver_is_what_its_registration_says(name: str) -> None:
    checks.check_solver(name)


@pytest.fixture
def _put_back() -> Iterator[None]:
    before = dict(SOLVERS)
    yield
    SOLVERS.replace_members(before)


@pytest.mark.parametrize(
    ("solve", "evaluations", "order", "broken"),
    [
        (ddim, 1, 2, r"states order 2 and has (0\.9|1\.0)"),
        (heun, 1, 2, "states 7 evaluations and makes 14"),
    ],
)
@pytest.mark.usefixtures("_put_back")
def test_a_wrong_registration_is_found(solve, evaluations: int, order: int, broken: str) -> None:
    def claimed(denoise, z: State, sigmas: Sequence[float]) -> Iterator[Step]:
        """Solve."""
        return solve(denoise, z, sigmas)

    solver(evaluations=evaluations, order=order)(claimed)
    assert isinstance(SOLVERS["claimed"], Scheme)
    with pytest.raises(AssertionError, match=broken):
        checks.check_solver("claimed")


@pytest.mark.usefixtures("_put_back")
def test_a_solver_that_is_not_invertible_is_found() -> None:
    def claimed(denoise, z: State, sigmas: Sequence[float], carried: State = None):
        """Solve."""
        for step in ddim(denoise, z, sigmas):
            yield step._replace(carried=np.stack([step.z], 1))

    solver(evaluations=1, order=1, invertible=True)(claimed)
    with pytest.raises(AssertionError, match="does not return"):
        checks.check_solver("claimed")


def test_the_exact_solution_returns_and_fits_the_mixture() -> None:
    (image, low, high, latent), _ = checks.problems()
    assert checks.exact_solution(latent, high, low) == pytest.approx(image, abs=1e-9)
    spread = np.sqrt(checks.WEIGHTS @ (checks.DEVIATIONS**2 + checks.MEANS**2))
    assert np.abs(latent / signal(high)).max() < high * 4 + spread


def test_the_default_is_accurate_at_twenty_steps() -> None:
    """Encode and decode at 20 steps: the round trip that a session's default makes."""
    grid = np.geomspace(checks.LOW, checks.HIGH, 21).tolist()
    (*_, latent) = dpmpp_2m(checks.denoise, checks.POINTS * signal(checks.LOW), grid)
    (*_, back) = dpmpp_2m(checks.denoise, latent.z, grid[::-1])
    assert np.abs(back.z / signal(checks.LOW) - checks.POINTS).max() < 0.05


def test_ddim_reaches_pure_noise() -> None:
    (step,) = ddim(checks.denoise, checks.POINTS * signal(checks.HIGH), (checks.HIGH, inf))
    assert np.isfinite(step.z).all()
