"""The adaptive solver's order, evaluations and end."""

import numpy as np
import pytest

from ddib.solvers.adaptive import dopri5
from ddib.solvers.checks import HIGH, LOW, POINTS, Array, denoise, problems


@pytest.mark.parametrize("problem", problems(), ids=["encode", "decode"])
def test_adaptive_order_is_five(problem: tuple[Array, float, float, Array]) -> None:
    """With a tenth of the tolerance a width, a step of order 5 whose error is estimated to order 4
    becomes 10^(1/4) shorter."""
    start, sigma, target, _ = problem
    counts = [
        len(list(dopri5(denoise, start, [sigma, target], tolerance=tolerance)))
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

    steps = list(dopri5(counting, POINTS, [LOW, HIGH]))
    rejected, rest = divmod(calls - 1 - 6 * len(steps), 6)
    assert rest == 0
    assert 0 <= rejected < len(steps)


def test_values_that_are_not_finite_end_an_adaptive_solution() -> None:
    steps = dopri5(lambda z, sigma: z * np.nan, POINTS, [LOW, HIGH])
    assert np.isnan(next(steps).z).all()
