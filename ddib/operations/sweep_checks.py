"""What holds for the parameters of everything that is swept: operations and guides."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from ddib.operations.sweeps import Sweepable, sweepable


def check_parameters(made: type[BaseModel], key: str, members: Mapping[str, Any]) -> None:
    """The class is registered by the default of its `key`, its parameters described and bounded."""
    name = made.model_fields[key].default
    assert members[name] is made, f"{name} is not registered"
    for parameter, facts in made.model_json_schema()["properties"].items():
        assert parameter == key or facts.get("description"), f"{parameter} has no description"
        if facts.get("type") in ("number", "integer"):
            assert {"minimum", "maximum"} <= facts.keys(), f"{parameter} has no bounds"


def check_file_and_sweep(example: BaseModel) -> None:
    """It survives writing and reading, and each of its numbers can be swept."""
    made = type(example)
    assert made.model_validate_json(example.model_dump_json()) == example
    for name, value in example:
        if type(value) in (int, float):
            swept = sweepable(made).model_validate({**dict(example), name: [value, value]})
            assert isinstance(swept, Sweepable)
            assert swept.sweeps() == {name: (value, value)}
            assert swept.at({name: value}) == example
