"""A registry holds the members of one kind of thing, such as the operations, by name.

Each room that can be extended has one: a file there, or a file of the user's, registers its members
when it is imported. `ddib.extensions` loads the user's files and notes here where a member comes
from and what was left out.

Importing this module loads no torch.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from pkgutil import iter_modules
from typing import Any, Generic, TypeVar, get_args

from pydantic import BaseModel, GetJsonSchemaHandler
from pydantic.fields import FieldInfo
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from ddib.errors import InputError

Member = TypeVar("Member")


@dataclass(frozen=True)
class Origin:
    """Where a member comes from that is not the program's own."""

    name: str  # "sparkle.py", or a package and its version: "ddib-sparkle 1.2"
    sha256: str  # of the file that defines it


@dataclass(frozen=True)
class Skipped:
    """A file or package whose members were left out, and why."""

    name: str  # as an Origin's
    problem: str


class Registry(Mapping[str, Member], Generic[Member]):
    """The members of one kind by name, in the order in which they were registered.

    kind: what a member is, in the singular: "operation".
    folder: where the user's own files of this kind lie, beside the configuration file, and the
        entry point group without `ddib.`: "operations".
    check: raises ValueError when a member cannot be used; called for members from outside.
    origins: of each member that is not the program's own.
    skipped: the files and packages of this kind that were left out.
    """

    def __init__(
        self, kind: str, folder: str, check: Callable[[str, Member], None] = lambda *_: None
    ):
        self.kind = kind
        self.folder = folder
        self.check = check
        self.origins: dict[str, Origin] = {}
        self.skipped: list[Skipped] = []
        self._members: dict[str, Member] = {}

    def __getitem__(self, name: str) -> Member:
        return self._members[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._members)

    def __len__(self) -> int:
        return len(self._members)

    def __hash__(self) -> int:
        return id(self)

    def __eq__(self, other: object) -> bool:
        return self is other

    @property
    def group(self) -> str:
        """The entry point group under which packages name modules with members."""
        return f"ddib.{self.folder}"

    def register(self, name: str, member: Member) -> Member:
        """Add a member and return it.

        Raises ValueError when the name is taken, is not lowercase letters, digits and underscores,
        or when the member has no docstring.
        """
        if name in self._members:
            owner = (
                f"{self.origins[name].name} defines it" if name in self.origins else "ddib's own"
            )
            raise ValueError(f"{self.kind} {name} exists already ({owner}): choose another name")
        if not name.isidentifier() or name != name.lower():
            raise ValueError(
                f"{name!r} cannot be the name of any {self.kind}: expected lowercase letters, "
                "digits and underscores, such as my_name"
            )
        if not (member.__doc__ or "").strip():
            raise ValueError(f"{name} has no docstring: its first line describes the {self.kind}")
        self._members[name] = member
        return member

    def named(self, name: str) -> Member:
        """The member of that name; raises InputError, which names the nearest."""
        if name not in self._members:
            raise InputError(unknown_name(self.kind, name, self))
        return self._members[name]

    def replace_members(self, members: Mapping[str, Member]) -> None:
        """Hold these members and no others."""
        self._members = dict(members)


def register_model(registry: Registry[Any], key: str, model: type[BaseModel]) -> None:
    """Register a pydantic class under the one value of the field `key`, such as "op".

    Raises ValueError where that field does not name it, and as `Registry.register` does.
    """
    field = model.model_fields[key]
    if get_args(field.annotation) != (field.default,):
        raise ValueError(f'{model.__name__} needs a name: {key}: Literal["name"] = "name"')
    registry.register(field.default, model)


def unknown_name(kind: str, name: str, known: Mapping[str, object]) -> str:
    """What is wrong with a name, with the nearest of those that are known."""
    from difflib import get_close_matches

    near = get_close_matches(name, known, n=1)
    hint = f"did you mean {near[0]}? E" if near else "e"
    return f"there is no {kind} {name!r}; {hint}xpected one of {', '.join(known)}"


@dataclass(frozen=True)
class NameIn:
    """A string field's annotation: the name of one of a mapping's members.

    `Annotated[str, NameIn("solver", SOLVERS)]` is validated when a value is, and its JSON Schema
    lists the names when it is generated, so that members registered later count too.
    """

    kind: str
    members: Mapping[str, object]

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self._known, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {**handler(schema), "enum": list(self.members)}

    def __hash__(self) -> int:
        return hash((self.kind, id(self.members)))

    def _known(self, name: str) -> str:
        if name not in self.members:
            raise ValueError(unknown_name(self.kind, name, self.members))
        return name


def names_in(field: FieldInfo) -> tuple[str, ...]:
    """The names that a field annotated with NameIn takes; none for other fields."""
    return tuple(
        name for part in field.metadata if isinstance(part, NameIn) for name in part.members
    )


def import_modules(package: str, paths: list[str]) -> None:
    """Import every module of a package, by name, so that their members are registered.

    paths: the package's `__path__`.
    """
    for module in iter_modules(paths):
        import_module(f"{package}.{module.name}")
