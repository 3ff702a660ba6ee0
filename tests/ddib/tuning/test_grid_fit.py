"""The adapted grid: fitted, kept, read back, and what is said when it cannot be."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

import ddib
from ddib.checkpoints.files import ZOO, file_sha256
from ddib.checkpoints.fitted_grid import GRID_SUFFIX, grid_file, read_grid
from ddib.checkpoints.model import Model
from ddib.errors import InputError
from ddib.schedules.grids import make_grid
from ddib.solvers.solver import Solver
from ddib.tuning import grid_fit as adaptation
from ddib.tuning.grid_fit import fit_grid

ZOO_DENOISERS = ("cmnist-fives", "cmnist-sevens", "cmnist-digits")


@pytest.fixture
def model() -> Model:
    return ddib.load("cmnist-fives")


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adaptation, "KNOTS", 3)
    monkeypatch.setattr(adaptation, "MOVES", (0.8,))
    monkeypatch.setattr(adaptation, "STEPS", (4,))
    monkeypatch.setattr(adaptation, "FINE", Solver(name="dpmpp_3m", steps=40))


@pytest.mark.usefixtures("quick")
def test_a_fitted_grid_errs_less_and_is_read_back(model: Model, tmp_path: Path) -> None:
    told: list[tuple[float, float]] = []
    fitted = fit_grid(model, ddib.colored_mnist(count=1), watch=lambda *now: told.append(now))
    (figures,) = fitted.figures
    gains = [after / before for before, after in (figures.latent, figures.decoded, figures.cycle)]
    assert gains[0] * gains[1] * gains[2] < 0.9
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    assert told[-1] == (1.0, pytest.approx((gains[0] * gains[1] * gains[2]) ** (1 / 3), rel=0.01))
    path = tmp_path / "mine.safetensors"
    grid_file(path).write_text(fitted.model_dump_json())
    assert read_grid(path, model.sha256) == fitted
    grid = replace(model, path=path).grid(Solver(grid="adapted", steps=7, start_noise=0.1))
    assert len(grid.encode) == len(grid.decode) == 8
    assert grid == make_grid("adapted", model.sigmas, 7, 0.1, fitted.curve)


@pytest.mark.parametrize("name", ZOO_DENOISERS)
def test_the_zoo_has_its_grids(name: str) -> None:
    path = ZOO / f"{name}.safetensors"
    fitted = read_grid(path, file_sha256(path))
    for figures in fitted.figures:
        assert figures.latent[1] < 0.7 * figures.latent[0]


def test_a_grid_that_cannot_be_used_says_why(model: Model, tmp_path: Path) -> None:
    path = tmp_path / "mine.safetensors"
    alone = replace(model, path=path)
    with pytest.raises(InputError, match=r"mine has no adapted grid; .*checkpoints adapt mine`"):
        alone.grid(Solver(grid="adapted"))
    file = tmp_path / f"mine{GRID_SUFFIX}"
    shutil.copy(grid_file(ZOO / "cmnist-fives.safetensors"), file)
    assert alone.grid(Solver(grid="adapted")) == model.grid(Solver(grid="adapted"))
    with pytest.raises(InputError, match=r"another checkpoint of that name; .*adapt mine` fits it"):
        read_grid(path, "0" * 64)
    content = json.loads(file.read_text())
    for broken in (
        "",
        "[]",
        json.dumps(content | {"version": 2}),
        json.dumps(content | {"sigmas": content["sigmas"][::-1]}),
        json.dumps(content | {"log_density": content["log_density"][1:]}),
        json.dumps(content | {"log_density": [1e9] * len(content["log_density"])}),
    ):
        file.write_text(broken)
        with pytest.raises(
            InputError, match=rf"{GRID_SUFFIX}: damaged: .*adapt mine` fits it anew"
        ):
            read_grid(path)
