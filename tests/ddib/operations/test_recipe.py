"""Sweeps and stacks."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from ddib.operations.frequencies import Blur
from ddib.operations.noise import AddNoise
from ddib.operations.operation import OPERATIONS, Context, Operation
from ddib.operations.recipe import apply_operations
from ddib.operations.sweeps import Sweepable, count, expand, sweepable
from ddib.operations.values import Normalize, Scale
from ddib.solvers.solver import Solver


def widened(model: type[BaseModel], **values: object) -> Sweepable:
    made = sweepable(model).model_validate(values)
    assert isinstance(made, Sweepable)
    return made


def test_numbers_take_lists_and_nothing_else_does() -> None:
    swept = widened(AddNoise, coefficient=[0.1, 1], seed=[1, 2, 3])
    assert swept.sweeps() == {"coefficient": (0.1, 1.0), "seed": (1, 2, 3)}
    for values in ({"per_image": [True]}, {"op": ["add_noise"]}, {"enabled": [True, False]}):
        with pytest.raises(ValidationError):
            widened(AddNoise, **values)


def test_one_value_in_a_list_is_a_sweep_and_an_empty_list_is_not() -> None:
    assert widened(Scale, factor=[2.0]).sweeps() == {"factor": (2.0,)}
    assert widened(Scale, factor=2.0).sweeps() == {}
    with pytest.raises(ValidationError):
        widened(Scale, factor=[])


@pytest.mark.parametrize("value", [-1, [-1], [0.1, -1], "0.1", ["0.1"], [True], [[0.1]], None])
def test_bounds_and_types_hold_within_a_sweep(value: object) -> None:
    with pytest.raises(ValidationError):
        widened(AddNoise, coefficient=value)


def test_the_same_model_comes_back_and_nothing_is_registered_anew() -> None:
    before = dict(OPERATIONS)
    assert sweepable(Blur) is sweepable(Blur)
    assert sweepable(Blur, ("sigma",)) is not sweepable(Blur)
    assert before == dict(OPERATIONS)


def test_the_schema_keeps_docstring_description_bounds_and_symbol() -> None:
    schema = sweepable(AddNoise).model_json_schema()
    coefficient = schema["properties"]["coefficient"]
    assert schema["title"] == "AddNoise"
    assert schema["description"] == AddNoise.__doc__
    assert coefficient["symbol"] == "c"
    assert coefficient["description"]
    number, several = coefficient["oneOf"]
    assert number == {"type": "number", "minimum": 0, "maximum": 100}
    assert several == {"type": "array", "items": number, "minItems": 1}


def test_only_the_chosen_fields_are_widened_and_validators_stay() -> None:
    swept = sweepable(Solver, ("steps", "start_noise"))
    assert swept.model_validate({"steps": [5, 10]}).steps == (5, 10)
    for values in ({"start_noise_seed": [0, 1]}, {"name": "nothing"}, {"steps": [0]}):
        with pytest.raises(ValidationError):
            swept.model_validate(values)


def test_a_plain_model_is_one_without_sweeps() -> None:
    made = sweepable(AddNoise).model_validate(AddNoise(seed=3))
    assert isinstance(made, Sweepable)
    assert made.at({}) == AddNoise(seed=3)


def test_at_gives_the_plain_model_back() -> None:
    swept = widened(AddNoise, coefficient=[0.1, 0.2], seed=4, enabled=False)
    assert swept.at({"coefficient": 0.2}) == AddNoise(coefficient=0.2, seed=4, enabled=False)
    with pytest.raises(ValidationError):
        swept.at({})


def test_the_last_sweep_varies_fastest() -> None:
    assert expand({"a": (1, 2), "b": (3, 4)}) == [
        {"a": 1, "b": 3},
        {"a": 1, "b": 4},
        {"a": 2, "b": 3},
        {"a": 2, "b": 4},
    ]
    assert expand({}) == [{}]


@given(st.dictionaries(st.text(max_size=3), st.lists(st.integers(), max_size=3), max_size=4))
def test_count_says_how_many(sweeps: dict[str, list[int]]) -> None:
    assert count(sweeps) == len(expand(sweeps))


def test_operations_apply_in_order_and_disabled_ones_do_not() -> None:
    z = torch.randn(2, 3, 8, 8)
    stack: list[Operation] = [Normalize(), Scale(factor=2.0, enabled=False), Scale(factor=3.0)]
    result = apply_operations(stack, z, Context())
    assert torch.equal(result, Scale(factor=3.0)(Normalize()(z)))
    assert torch.equal(apply_operations([], z, Context()), z)
