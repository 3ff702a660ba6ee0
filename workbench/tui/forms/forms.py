"""Forms from models: one definition serves the session file and the screen."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal, cast, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from ddib.operations.sweeps import Sweepable
from ddib.registry import names_in
from workbench.session.errors import words_in
from workbench.session.schema import Session
from workbench.support.ranges import parse_numbers
from workbench.tui.models import FieldView, FormView

HIDDEN = ("enabled", "indices", "names")  # chosen elsewhere than in the form
LARGEST_BOUND = 1e9  # a bound beyond this is a limit of the machine and says nothing


def form_of(model: BaseModel, key: str, title: str) -> FormView:
    """The form of a model's parameters as they stand."""
    there = type(model).model_fields
    fields = tuple(
        _field(name, info, getattr(model, name), there[name].annotation != info.annotation)
        for name, info in _plain(type(model)).model_fields.items()
        if name not in HIDDEN and not _is_kind(info)
    )
    return FormView(key, title, (type(model).__doc__ or "").strip(), fields)


def _is_kind(info: FieldInfo) -> bool:
    """Whether a field says what the model is, and can say nothing else: `op: scale`."""
    return get_origin(info.annotation) is Literal and len(get_args(info.annotation)) == 1


def changed(model: BaseModel, field: FieldView, typed: Any) -> BaseModel:
    """The model with one parameter as typed; raises ValueError with one sentence."""
    value = typed
    if field.words and typed.strip() in field.words:
        value = typed.strip()
    elif field.numeric:
        value = parse_numbers(typed, integer=field.kind == "integer", sweep=field.sweepable)
    elif field.kind == "text":
        value = typed.strip() or None
    try:
        return type(model).model_validate(dict(model) | {field.name: value})
    except ValidationError as error:
        raise ValueError(_words(error, field.bounds)) from None


def checked(session: Session) -> Session:
    """The session, if its sweeps make no more variants than a session may have.

    Raises ValueError with one sentence.
    """
    try:
        return Session.model_validate(dict(session))
    except ValidationError as error:
        raise ValueError(_words(error)) from None


def _plain(model: type[BaseModel]) -> type[BaseModel]:
    """The model without sweeps: its annotations are the plain types."""
    return model.single if issubclass(model, Sweepable) else model


def _field(name: str, info: FieldInfo, value: Any, sweeps: bool) -> FieldView:
    words = tuple(words_in(info))
    annotation, limits = info.annotation, info.metadata
    if words:
        annotation, *limits = get_args(get_args(info.annotation)[0])
    choices: tuple[Any, ...] = ()
    kind: Any = "text"
    if get_origin(annotation) is Literal:
        kind, choices = "choice", get_args(annotation)
    elif isinstance(info.json_schema_extra, dict) and "enum" in info.json_schema_extra:
        kind, choices = "choice", tuple(cast("list[Any]", info.json_schema_extra["enum"]))
    elif annotation is bool:
        kind, choices = "choice", (False, True)
    elif names := names_in(info) or _listed_values(info):
        kind, choices = "choice", names
    elif annotation is int:
        kind = "integer"
    elif annotation is float:
        kind = "number"
    low, high = _limits(limits)
    return FieldView(
        name,
        kind,
        value,
        info.description or "",
        info.default,
        _bounds(low, high),
        choices,
        sweepable=sweeps and kind in ("integer", "number"),
        words=words,
        low=low,
        high=high,
    )


def _listed_values(info: FieldInfo) -> tuple[Any, ...]:
    """The values that a field's JSON schema lists, if it does."""
    extra = info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}
    listed = extra.get("enum")
    return tuple(listed) if isinstance(listed, list) else ()


def _limits(limits: Iterable[object]) -> tuple[Any, Any]:
    """The least and the largest value; open ends are those of whole numbers."""
    low: Any = None
    high: Any = None
    for limit in limits:
        if isinstance(limit, Ge | Gt):
            low = limit.ge if isinstance(limit, Ge) else cast("int", limit.gt) + 1
        if isinstance(limit, Le | Lt):
            high = limit.le if isinstance(limit, Le) else cast("int", limit.lt) - 1
    return low, high


def _bounds(low: float | None, high: float | None) -> str:
    numbers = [None if b is None or abs(b) >= LARGEST_BOUND else b for b in (low, high)]
    if numbers[0] is not None and numbers[1] is not None:
        return f"from {numbers[0]:g} to {numbers[1]:g}"
    if numbers[0] is not None:
        return f"{numbers[0]:g} or more"
    return "" if numbers[1] is None else f"at most {numbers[1]:g}"


def _words(error: ValidationError, bounds: str = "") -> str:
    """The first error in words, without pydantic's framing."""
    first = error.errors()[0]
    if bounds and first["type"].startswith(("greater_than", "less_than")):
        return f"expected {bounds}"
    message = first["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
    return message[:1].lower() + message[1:]
