"""A registry: names, order, what is taken, and the nearest name in its errors."""

from collections.abc import Callable
from typing import Annotated

import pytest
from pydantic import BaseModel, ValidationError

from ddib.errors import InputError
from ddib.registry import NameIn, Origin, Registry


def bark() -> str:
    """Bark."""
    return "woof"


def undocumented() -> None: ...


@pytest.fixture
def animals() -> Registry[Callable[[], str]]:
    registry: Registry[Callable[[], str]] = Registry("animal", "animals")
    registry.register("dog", bark)
    registry.register("cat", bark)
    return registry


def test_members_come_in_the_order_in_which_they_were_registered(animals: Registry) -> None:
    assert list(animals) == ["dog", "cat"]
    assert animals["dog"]() == "woof"
    assert animals.group == "ddib.animals"


@pytest.mark.parametrize("name", ["My_dog", "a dog", "1dog", ""])
def test_a_name_is_a_lowercase_word(animals: Registry, name: str) -> None:
    with pytest.raises(ValueError, match="cannot be the name of any animal"):
        animals.register(name, bark)


def test_a_member_is_documented(animals: Registry) -> None:
    with pytest.raises(ValueError, match="fox has no docstring"):
        animals.register("fox", undocumented)


def test_a_name_is_taken_once(animals: Registry) -> None:
    with pytest.raises(ValueError, match=r"animal dog exists already \(ddib's own\)"):
        animals.register("dog", undocumented)
    animals.origins["cat"] = Origin("zoo.py", "")
    with pytest.raises(ValueError, match=r"animal cat exists already \(zoo\.py defines it\)"):
        animals.register("cat", bark)
    assert animals["dog"] is bark


def test_an_unknown_name_is_met_with_the_nearest(animals: Registry) -> None:
    assert animals.named("dog") is bark
    with pytest.raises(InputError, match="no animal 'dug'; did you mean dog"):
        animals.named("dug")


def test_a_field_knows_members_that_were_registered_after_it(animals: Registry) -> None:
    class Owner(BaseModel):
        pet: Annotated[str, NameIn("animal", animals)] = "dog"

    animals.register("fox", bark)
    assert Owner(pet="fox").pet == "fox"
    assert Owner.model_json_schema()["properties"]["pet"]["enum"] == ["dog", "cat", "fox"]
    with pytest.raises(ValidationError, match="did you mean fox"):
        Owner(pet="fix")
