"""`steps: auto` finds the fewest steps, on a checkpoint of the zoo."""

from pathlib import Path

import pytest

import ddib
from ddib.bridge.cache import Cache
from ddib.errors import InputError
from ddib.solvers.solver import Solver
from ddib.tuning.auto_steps import fewest_steps

SOLVER = Solver(name="unipc", steps="auto", tolerance=0.2)


def test_fewest_steps_keep_the_tolerance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ddib.tuning.auto_steps.COARSEST", 48)
    model, images = ddib.load("cmnist-fives"), ddib.colored_mnist(count=6)
    cache = Cache(tmp_path)
    steps, error = fewest_steps(images, model, SOLVER, None, cache)
    before = model.denoiser.evaluations
    assert fewest_steps(images[:4], model, SOLVER, None, cache) == (steps, error)
    assert model.denoiser.evaluations == before

    def true_error(steps: int) -> float:
        fine = ddib.encode(images[:4], model, Solver(name="dpmpp_3m", steps=64))
        few = ddib.encode(images[:4], model, SOLVER.model_copy(update={"steps": steps}))
        return float((few - fine).square().mean().sqrt())

    assert error <= 0.2
    assert true_error(steps) == pytest.approx(error, rel=0.1)
    assert true_error(steps - 1) > 0.2


def test_a_tolerance_out_of_reach_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ddib.tuning.auto_steps.MOST_STEPS", 8)
    model, images = ddib.load("cmnist-fives"), ddib.colored_mnist(count=1)
    hard = Solver(name="ddim", steps="auto", tolerance=1e-3)
    with pytest.raises(
        InputError, match=r"ddim needs more than 8 steps to keep the tolerance 0\.001"
    ) as caught:
        fewest_steps(images, model, hard, None)
    assert caught.value.key == "solver.tolerance"
