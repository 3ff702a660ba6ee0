"""The Solver setting: what it refuses, and the names in its schema."""

import pytest
from pydantic import ValidationError

from ddib.schedules.grids import GRIDS
from ddib.solvers.scheme import SOLVERS
from ddib.solvers.solver import Solver


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


def test_an_unknown_name_is_met_with_the_nearest() -> None:
    with pytest.raises(ValidationError, match="no solver 'unipcc'; did you mean unipc"):
        Solver(name="unipcc")


def test_the_schema_lists_what_is_registered() -> None:
    properties = Solver.model_json_schema()["properties"]
    assert properties["name"]["enum"] == list(SOLVERS)
    assert properties["grid"]["enum"] == list(GRIDS)
