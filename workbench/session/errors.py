"""What is wrong with a file, said for the person who wrote it: line, key, what was expected."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Any, Literal, NamedTuple, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from ddib.errors import InputError
from ddib.registry import names_in
from workbench.session.registry_field import OneOf
from workbench.support.yaml_text import Node, Plain, flow, is_list, is_mapping, printable

Key = str | int

_AT_ONCE = 20  # problems; who has more has made one mistake, such as opening another file
_EXPECTED = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "finite_number": "a finite number",
    "bool_type": "true or false",
    "tuple_type": "a list",
    "too_short": "at least one item",
    "string_too_short": "at least one character",
    "model_type": "keys and values",
    "model_attributes_type": "keys and values",
    "union_tag_not_found": "keys and values",
}
_BOUNDS = {
    "greater_than_equal": "at least {ge:g}",
    "greater_than": "more than {gt:g}",
    "less_than_equal": "at most {le:g}",
    "less_than": "less than {lt:g}",
}


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong: the file ("" when there is none), line, key, and the rest."""

    file: str
    line: int | None
    key: str
    message: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.file and self.line else self.file
        return ": ".join(part for part in (place, printable(self.key), self.message) if part)


class SessionError(InputError):
    """A session that cannot be used; its text has one line for each of its problems."""

    def __init__(self, *problems: Problem, left_out: int = 0) -> None:
        more = [f"… and {left_out} more"] if left_out else []
        super().__init__("\n".join([*map(str, problems), *more]))
        self.problems = problems


@dataclass(frozen=True)
class _Place:
    """Where pydantic's `loc` leads: through the data, and through the models that describe it."""

    value: Plain
    models: tuple[type[BaseModel], ...]  # what may stand here
    keys: tuple[Key, ...] = ()
    field: FieldInfo | None = None
    inside: _Place | None = None
    among: tuple[type[BaseModel], ...] = ()  # what the models were chosen from by their kind

    @property
    def fields(self) -> dict[str, FieldInfo]:
        return {name: f for model in self.models for name, f in model.model_fields.items()}

    def step(self, part: Key) -> _Place:
        """One part of `loc` further: a key, an index, or the tag of a union's branch."""
        branch = tuple(model for model in self.models if part in _tags(model))
        if len(self.models) > 1 and branch:
            return replace(self, models=branch, among=self.models)
        if isinstance(part, int) and is_list(self.value):
            return replace(self, value=self.value[part], keys=(*self.keys, part), inside=self)
        field = self.fields.get(str(part))
        if field is None and not is_mapping(self.value):
            return self  # the tag of a branch that is no model
        value = self.value.get(str(part)) if is_mapping(self.value) else None
        models = tuple(_models_in(field.annotation)) if field else ()
        return _Place(value, models, (*self.keys, part), field, self)


def explain(
    invalid: ValidationError, model: type[BaseModel], root: Node, file: str
) -> SessionError:
    """pydantic's findings about the data of `root` as problems with lines and nearest names."""
    errors = invalid.errors(include_url=False)
    start = _Place(root.value, (model,))
    findings = [f for e in errors if not _echo(e, errors) for f in _findings(e, start)]
    meant = {(*finding.keys[:-1], finding.meant) for finding in findings if finding.meant}
    problems = [
        Problem(file, root.nearest(keys).line, ".".join(map(str, keys)), message)
        for keys, message, _ in findings
        if keys not in meant  # a misspelt key is one problem: not also a missing one
    ]
    in_order = sorted(problems, key=lambda problem: problem.line or 0)
    return SessionError(*in_order[:_AT_ONCE], left_out=len(in_order[_AT_ONCE:]))


def nearest(name: object, known: Iterable[str]) -> str | None:
    """The known name most like `name`, if any is."""
    names = {candidate.lower(): candidate for candidate in known}
    close = get_close_matches(str(name).lower(), names, n=1, cutoff=0.5)
    return names[close[0]] if close else None


def not_among(name: object, known: Iterable[str], likely: Iterable[str] = ()) -> str:
    """`; did you mean this? Expected one of this, that`, without the question if none is near.

    likely: those of the known that come first when the nearest is looked for.
    """
    names = list(known)
    near = nearest(name, likely) or nearest(name, names)
    hint = f"; did you mean {near}? E" if near else "; e"
    return f"{hint}xpected one of {', '.join(names)}"


def shown(value: Plain) -> str:
    """A value as a file would have it, cut to a bearable length."""
    text = flow(value)
    return text if len(text) <= 40 else f"{text[:39]}…"


class _Finding(NamedTuple):
    keys: tuple[Key, ...]
    message: str
    meant: str | None = None  # for an unknown key, the one it was probably to be


def _echo(error: ErrorDetails, errors: Iterable[ErrorDetails]) -> bool:
    """Whether pydantic counts a list as too short because it left out what it complained of."""
    depth = len(error["loc"])
    return error["type"] == "too_short" and any(
        len(other["loc"]) > depth and other["loc"][:depth] == error["loc"] for other in errors
    )


def _findings(error: ErrorDetails, start: _Place) -> Iterator[_Finding]:
    place = start
    for part in error["loc"]:
        place = place.step(part)
    context: Mapping[str, Any] = error.get("ctx", {})
    match error["type"]:
        case "extra_forbidden" if place.inside:
            yield _unknown_key(place.inside, str(place.keys[-1]))
        case "missing":
            description = place.field.description if place.field else None
            expected = f"; expected {description}" if description else ""
            yield _Finding(place.keys, f"is missing{expected}")
        case "union_tag_not_found" if is_mapping(place.value):
            yield from _no_kind(place, place.value)
        case "union_tag_invalid":
            key = context["discriminator"].strip("'")
            tags = [tag.strip("' ") for tag in context["expected_tags"].split(",")]
            name = place.value[key] if is_mapping(place.value) else None
            message = f"{shown(name)} is not known{not_among(name, tags)}"
            yield _Finding((*place.keys, key), message)
        case _:
            yield _Finding(place.keys, _misfit(error, place, context))


def _unknown_key(place: _Place, name: str) -> _Finding:
    there = place.value if is_mapping(place.value) else {}
    absent = [key for key in place.fields if key not in there]
    return _Finding(
        (*place.keys, name),
        f"unknown key{not_among(name, place.fields, absent)}",
        nearest(name, absent),
    )


def _no_kind(place: _Place, there: Mapping[str, Plain]) -> Iterator[_Finding]:
    """A mapping that does not say which of several models it is: `op`, or dataset or path."""
    kinds = list(dict.fromkeys(next(iter(model.model_fields)) for model in place.models))
    unknown = [_unknown_key(place, name) for name in there if name not in place.fields]
    yield from unknown
    if not any(finding.meant in kinds for finding in unknown):
        yield _Finding((*place.keys, kinds[0]), f"is missing; expected {' or '.join(kinds)}")


def _misfit(error: ErrorDetails, place: _Place, context: Mapping[str, Any]) -> str:
    """A value of the wrong type or out of range."""
    choices = _kinds(place) or _choices(place.field)
    if choices and error["type"] in ("literal_error", "value_error"):
        return f"{shown(place.value)} is not known{not_among(place.value, choices)}"
    if error["type"] == "value_error":
        return str(context["error"])
    if error["type"] in _BOUNDS:
        return f"is {shown(place.value)}; expected {_BOUNDS[error['type']].format(**context)}"
    expected = _EXPECTED.get(error["type"], error["msg"].removeprefix("Input should be "))
    if "sweep" not in error["loc"]:
        expected += "".join(f", or {word}" for word in words_in(place.field))
    if "value" in error["loc"][-2:]:
        expected += ", or a list of such"
    if place.field and type(None) in get_args(place.field.annotation):
        expected += ", or null"
    return f"is {shown(place.value)}; expected {expected}"


def _kinds(place: _Place) -> list[str]:
    """The values of a field that says which of several models its keys are of."""
    name, inside = str(place.keys[-1]) if place.keys else "", place.inside
    if inside is None or not inside.among or name != next(iter(inside.fields), None):
        return []
    fields = [model.model_fields[name] for model in inside.among if name in model.model_fields]
    return [choice for field in fields for choice in _choices(field)]


def _choices(field: FieldInfo | None) -> list[str]:
    """The values of a field that takes one of a few."""
    if field is None:
        return []
    if get_origin(field.annotation) is Literal:
        return [shown(choice) for choice in get_args(field.annotation)]
    return list(names_in(field))


def words_in(field: FieldInfo | None) -> list[str]:
    """The words that may stand where a field has a number."""
    alternatives = _parts(field.annotation) if field else ()
    return [word for part in alternatives if get_origin(part) is Literal for word in get_args(part)]


def _parts(annotation: object) -> Iterator[object]:
    """An annotation's arguments, and theirs, without those of a Literal."""
    for argument in () if get_origin(annotation) is Literal else get_args(annotation):
        yield argument
        yield from _parts(argument)


def _models_in(annotation: object) -> Iterator[type[BaseModel]]:
    """Every model that an annotation names, through tuples, unions and Annotated."""
    if isinstance(annotation, OneOf):
        yield from annotation.models()
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models_in(argument)


def _tags(model: type[BaseModel]) -> set[object]:
    """What pydantic calls a model within a union: the default of its kind, or its name."""
    kind = next(iter(model.model_fields.values()))
    return {model.__name__, kind.default}
