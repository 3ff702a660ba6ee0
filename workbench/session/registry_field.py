"""A field of a pydantic model whose value is any model of a registry, by the key that names it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Union

from pydantic import BaseModel, Discriminator, GetCoreSchemaHandler, Tag

if TYPE_CHECKING:
    from pydantic_core import CoreSchema


@dataclass(frozen=True)
class OneOf:
    """What an annotation `Annotated[Any, OneOf(...)]` takes: a model that a registry holds.

    The registry is read when pydantic builds the schema; a model with `defer_build` does that when
    it is first used.

    members: gives the models of the registry; key: their first field, whose value is their name, or
    what says the class name of the model that a value is of.
    """

    members: Callable[[], Iterable[type[BaseModel]]]
    key: str | Callable[[object], str | None]

    def models(self) -> tuple[type[BaseModel], ...]:
        """The models that the registry holds now."""
        return tuple(self.members())

    def __get_pydantic_core_schema__(
        self, source: object, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        models = self.models()
        if len(models) == 1:  # pydantic tells apart two or more
            return handler.generate_schema(models[0])
        tagged: tuple[Any, ...] = models
        if not isinstance(self.key, str):
            tagged = tuple(Annotated[model, Tag(model.__name__)] for model in models)
        union: Any = Union[tagged]  # noqa: UP007
        return handler.generate_schema(Annotated[union, Discriminator(self.key)])
