"""A sweep is a list of values in place of one, in any numeric field of a pydantic model.

`sweepable(AddNoise)` is AddNoise with fields that take lists as well; `at` makes a plain AddNoise
of one combination of values; `expand` lists the combinations.

Importing this module loads no torch.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from itertools import product
from math import prod
from types import UnionType
from typing import (
    Annotated,
    Any,
    ClassVar,
    TypeVar,
    Union,
    cast,
    get_args,
    get_origin,
)

from pydantic import BaseModel, Discriminator, Field, Strict, Tag, create_model, model_validator
from pydantic.fields import FieldInfo

T = TypeVar("T")
Item = TypeVar("Item")
Model = TypeVar("Model", bound=BaseModel)


_UNIONS = (Union, UnionType)


def _form(value: object) -> str:
    return "sweep" if isinstance(value, list | tuple) else "value"


SweepOf = Annotated[
    Annotated[T, Tag("value")]
    | Annotated[tuple[Item, ...], Strict(False), Field(min_length=1), Tag("sweep")],
    Discriminator(_form),
]
"""`SweepOf[Steps, int]`: the first, or a list of at least one of the second. They are told apart by
form, so that an error speaks of the one that was meant and not of both."""

Sweep = SweepOf[T, T]
"""`Sweep[float]`: a number or a list of at least one."""


class Sweepable(BaseModel):
    """A model whose numbers may be lists of numbers."""

    single: ClassVar[type[BaseModel]]
    """The model that a combination of values belongs to."""

    @model_validator(mode="before")
    @classmethod
    def _from_single(cls, value: object) -> object:
        """A plain model is one whose numbers are not swept."""
        return dict(value) if type(value) is cls.single else value

    def sweeps(self) -> dict[str, tuple[Any, ...]]:
        """The swept fields and their values, in the order of the fields."""
        return {name: value for name, value in self if isinstance(value, tuple)}

    def at(self, values: Mapping[str, object]) -> BaseModel:
        """The plain model with `values` for the swept fields; raises pydantic.ValidationError."""
        return self.single.model_validate(dict(self) | dict(values))


def sweepable(model: type[Model], fields: Iterable[str] | None = None) -> type[Model]:
    """`model` with numeric fields that take lists as well; also a Sweepable.

    fields: which ones; None for every int and float (not bool). Bounds, defaults, descriptions
    and validators stay. The same model comes back for the same arguments.
    """
    chosen = tuple(n for n, f in model.model_fields.items() if f.annotation in (int, float))
    return _sweepable(model, chosen if fields is None else tuple(fields))


@cache
def _sweepable(model: type[Model], fields: tuple[str, ...]) -> type[Model]:
    widened: dict[str, Any] = {name: _widened(model.model_fields[name]) for name in fields}
    derived = create_model(
        model.__name__, __base__=(model, Sweepable), __doc__=model.__doc__, **widened
    )
    cast(type[Sweepable], derived).single = model
    return cast(type[Model], derived)


def _widened(field: FieldInfo) -> tuple[object, FieldInfo]:
    """The field's type, or a list of such; of a number or a word, lists have the numbers only."""
    one: Any = Annotated[field.annotation, *field.metadata] if field.metadata else field.annotation
    sweep: Any = SweepOf
    number = get_args(field.annotation)[0] if get_origin(field.annotation) in _UNIONS else one
    return sweep[one, number], Field(
        default=field.default,
        description=field.description,
        json_schema_extra=field.json_schema_extra,
    )


def swept_values(value: T | tuple[T, ...]) -> tuple[T, ...]:
    """The values that a field takes: those of its sweep, or its only one."""
    return value if isinstance(value, tuple) else (value,)


def check_usable(name: str, model: type[BaseModel]) -> None:
    """Raise ValueError unless a class can be made from its defaults, and swept."""
    for parameter, field in model.model_fields.items():
        if field.is_required():
            raise ValueError(f"{model.__name__}.{parameter} needs a default value")
    model.model_validate({})  # with all of its methods
    sweepable(model).model_json_schema()


def count(sweeps: Mapping[str, Sequence[object]]) -> int:
    """How many combinations `expand` gives."""
    return prod(len(values) for values in sweeps.values())


def expand(sweeps: Mapping[str, Sequence[T]]) -> list[dict[str, T]]:
    """Every combination of the values; the last sweep varies fastest. No sweeps: one, empty."""
    return [dict(zip(sweeps, values, strict=True)) for values in product(*sweeps.values())]
