"""What a session needs that is not ddib's own, and what to do where it is not here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ddib.extensions import ORIGINS, SKIPPED
from ddib.operations.operation import OPERATIONS
from workbench.library.library import folders
from workbench.session.errors import Problem, SessionError, shown
from workbench.session.schema import NEEDS, Session
from workbench.support.yaml_text import Node, Plain, is_mapping


class MissingParts(SessionError):
    """A session that is right, and needs operations that are not here."""


def missing_parts(data: Mapping[str, Plain], root: Node, file: str) -> list[Problem]:
    """What a session needs that is not here, and what to do; `needs` itself if it is malformed."""
    needs = data.get(NEEDS, {})
    if not is_mapping(needs) or not all(isinstance(origin, str) for origin in needs.values()):
        message = f"is {shown(needs)}; expected names of operations and what they come with"
        return [Problem(file, root.nearest([NEEDS]).line, NEEDS, message)]
    return [
        Problem(file, node.line, ".".join(map(str, keys)), _how_to_get(name, str(needs[name])))
        for keys, node in _operation_names(root)
        if isinstance(name := node.value, str) and name in needs and name not in OPERATIONS
    ]


def _operation_names(root: Node) -> Iterator[tuple[tuple[str | int, ...], Node]]:
    """Where the recipe names an operation."""
    recipe = root.children.get("recipe")
    for stage, operations in (recipe.children if recipe else {}).items():
        for index, operation in operations.children.items():
            if "op" in operation.children:
                yield ("recipe", stage, index, "op"), operation.children["op"]


def _how_to_get(name: str, origin: str) -> str:
    """What to do about an operation that is not here."""
    if skipped := next((one for one in SKIPPED if one.name == origin), None):
        return f"{name} comes with {origin}, which cannot be loaded: {skipped.problem}"
    if origin.endswith(".py"):
        remedy = f"put that file, if you trust it, into {folders().operations}"
    else:
        package, _, version = origin.partition(" ")
        wanted = f"{package}=={version}" if version else package
        remedy = f"pip install '{wanted}', if you trust it"
    return f"{name} is not ddib's own operation, it comes with {origin}; {remedy}"


def needed_parts(session: Session) -> dict[str, str]:
    """The operations of the recipe that are not ddib's own, and what they come with."""
    used = {operation.op for operation in (*session.recipe.image, *session.recipe.latent)}
    return {name: ORIGINS[name].name for name in sorted(used & ORIGINS.keys())}
