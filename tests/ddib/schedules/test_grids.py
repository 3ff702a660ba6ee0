"""Grids of σ levels run from end to end, and follow what they are fitted to."""

from itertools import pairwise

import numpy as np
import pytest

from ddib.errors import InputError
from ddib.schedules.grids import GRIDS, Curve, make_grid
from ddib.schedules.noise_schedules import linear

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
