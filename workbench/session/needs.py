"""What a session needs that is not ddib's own, and what to do where it is not here."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ddib.data.source import IMAGE_SOURCES
from ddib.guides.guide import GUIDES
from ddib.operations.operation import OPERATIONS
from ddib.registry import Origin, Registry
from ddib.solvers.scheme import SOLVERS
from workbench.library.folders import folders
from workbench.session.errors import Problem, SessionError, shown
from workbench.session.schema import NEEDS, Session
from workbench.support.yaml_text import Node, Plain, is_mapping

Keys = tuple[str | int, ...]


@dataclass(frozen=True)
class _Place:
    """A key of a session whose value names a member of a registry.

    pattern: the keys that lead there; `*` is any item of a list.
    member: the name in the registry of the member that a value means, None for an unknown one.
    """

    pattern: tuple[str, ...]
    registry: Registry[Any]
    member: Callable[[str], str | None]


def _named(pattern: tuple[str, ...], registry: Registry[Any]) -> _Place:
    return _Place(pattern, registry, lambda name: name if name in registry else None)


def _source_of_dataset(dataset: str) -> str | None:
    sources = IMAGE_SOURCES.items()
    return next((name for name, source in sources if dataset in source.datasets()), None)


_PLACES = (
    _named(("recipe", "image", "*", "op"), OPERATIONS),
    _named(("recipe", "latent", "*", "op"), OPERATIONS),
    _named(("recipe", "guide", "*", "guide"), GUIDES),
    _named(("solver", "name"), SOLVERS),
    _Place(("source", "images", "*", "dataset"), IMAGE_SOURCES, _source_of_dataset),
)


class MissingParts(SessionError):
    """A session that is right, and needs operations or other parts that are not here."""


def missing_parts(data: Mapping[str, Plain], root: Node, file: str) -> list[Problem]:
    """What a session needs that is not here, and what to do; `needs` itself if it is malformed."""
    needs = data.get(NEEDS, {})
    if not is_mapping(needs) or not all(isinstance(origin, str) for origin in needs.values()):
        message = f"is {shown(needs)}; expected names of operations and what they come with"
        return [Problem(file, root.nearest([NEEDS]).line, NEEDS, message)]
    return [
        Problem(
            file,
            node.line,
            ".".join(map(str, keys)),
            _how_to_get(name, str(needs[name]), place.registry),
        )
        for place in _PLACES
        for keys, node in _nodes_at(root, place.pattern)
        if isinstance(name := node.value, str) and name in needs and place.member(name) is None
    ]


def needed_parts(session: Session) -> dict[str, Origin]:
    """The names in a session that are not ddib's own, and the file or package of each."""
    found = {
        name: place.registry.origins[member]
        for place in _PLACES
        for name in _values_at(session, place.pattern)
        if (member := place.member(name)) in place.registry.origins
    }
    return dict(sorted(found.items()))


def _nodes_at(node: Node, pattern: tuple[str, ...], keys: Keys = ()) -> Iterator[tuple[Keys, Node]]:
    """The nodes of a text that a pattern leads to, with their keys."""
    if not pattern:
        yield keys, node
        return
    for key, child in node.children.items():
        if pattern[0] in (key, "*"):
            yield from _nodes_at(child, pattern[1:], (*keys, key))


def _values_at(value: Any, pattern: tuple[str, ...]) -> Iterator[Any]:
    """The values of a session that a pattern leads to."""
    if not pattern:
        yield value
    elif pattern[0] == "*":
        for item in value:
            yield from _values_at(item, pattern[1:])
    elif hasattr(value, pattern[0]):
        yield from _values_at(getattr(value, pattern[0]), pattern[1:])


def _how_to_get(name: str, origin: str, registry: Registry[Any]) -> str:
    """What to do about a member of a registry that is not here."""
    if skipped := next((one for one in registry.skipped if one.name == origin), None):
        return f"{name} comes with {origin}, which cannot be loaded: {skipped.problem}"
    if origin.endswith(".py"):
        folder = folders().config.parent / registry.folder
        remedy = f"put that file, if you trust it, into {folder}"
    else:
        package, _, version = origin.partition(" ")
        wanted = f"{package}=={version}" if version else package
        remedy = f"pip install '{wanted}', if you trust it"
    return f"{name} is not ddib's own {registry.kind}, it comes with {origin}; {remedy}"
