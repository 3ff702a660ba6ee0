"""A session's recipe, solver and ends in a few words. Pure functions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ddib.operations.operation import Operation
from ddib.operations.sweeps import Sweepable
from workbench.session.schema import End, Session, Target
from workbench.session.titles import without_family
from workbench.tui.forms.values import summarize
from workbench.tui.present.models import OperationView, RecipeView


def recipe(session: Session) -> RecipeView:
    """The recipe's lines."""
    return RecipeView(
        solver(session),
        tuple(map(_operation, session.recipe.image)),
        tuple(map(_operation, session.recipe.latent)),
    )


def recipe_line(session: Session) -> str:
    """`latent: normalize standard, add noise c 0.1 0.4`, what is switched off in parentheses."""
    view, stages = recipe(session), []
    for stage, operations in (("image", view.image), ("latent", view.latent)):
        words = [f"{one.name} {one.summary}".strip() for one in operations]
        shown = [
            word if one.enabled else f"({word})"
            for one, word in zip(operations, words, strict=True)
        ]
        if shown:
            stages.append(f"{stage}: {', '.join(shown)}")
    return " · ".join(stages) or "no operation"


def _operation(operation: Operation) -> OperationView:
    return OperationView(title_of(operation), _summary(operation), operation.enabled)


def _summary(operation: Operation) -> str:
    """What is swept, or else the first parameter."""
    swept: dict[str, Any] = operation.sweeps() if isinstance(operation, Sweepable) else {}
    names = [name for name in type(operation).model_fields if name not in ("op", "enabled")]
    shown = list(swept) or names[:1]
    return ", ".join(_named(operation, name) for name in shown)


def _named(operation: Operation, name: str) -> str:
    extra = type(operation).model_fields[name].json_schema_extra
    symbol = extra.get("symbol") if isinstance(extra, dict) else None
    value = summarize(getattr(operation, name))
    return f"{symbol} {value}" if symbol else value


def title_of(operation: Operation) -> str:
    """An operation's name in words."""
    return operation.op.replace("_", " ")


def solver(session: Session) -> str:
    """`dpmpp_2m · 20`."""
    return f"{session.solver.name} · {summarize(session.solver.steps)}"


def ends(session: Session) -> list[str]:
    """`cmnist-digits:5` and so on: the source, the target, and the chain's further ends."""
    return [end(one.checkpoint, one.label) + strength(one) for one in _ends(session)]


def end_names(session: Session, values: Mapping[str, Any]) -> list[str]:
    """The ends in as few words as tell them apart: `sevens` of `cmnist-sevens`, or labels alone
    where the model is always the same.
    """
    found = passed(session, values)
    one_model = len({checkpoint for checkpoint, _ in found}) == 1
    if one_model and all(label is not None for _, label in found):
        return [str(label) for _, label in found]
    names = [end(*one) for one in found]
    return names if one_model else without_family(names)


def way(session: Session) -> tuple[str, str]:
    """The source, and what comes after it: `cmnist-fives`, `sevens → fives`."""
    source, *further = ends(session)
    if session.chain:
        names = zip(end_names(session, {}), _ends(session), strict=True)
        further = [name + strength(end) for name, end in names][1:]
    return source, " → ".join(further)


def passed(session: Session, values: Mapping[str, Any]) -> list[tuple[Any, Any]]:
    """Checkpoint and label of every end, the target's as a variant has them."""
    found: list[tuple[Any, Any]] = [(end.checkpoint, end.label) for end in _ends(session)]
    checkpoint, label = found[1]
    found[1] = values.get("target.checkpoint", checkpoint), values.get("target.label", label)
    return found


def _ends(session: Session) -> tuple[End | Target, ...]:
    return session.source, session.target, *session.chain


def strength(end: End | Target) -> str:
    """How an end is led, as short as the header is: ` w 1…5` by itself, ` s 4` by a classifier."""
    words = "" if end.guidance == 1 else f" w {_span(end.guidance)}"
    return words + (f" s {_span(end.classifier_scale)}" if end.classifier else "")


def _span(value: float | tuple[float, ...]) -> str:
    values = value if isinstance(value, tuple) else (value,)
    return "…".join(dict.fromkeys((summarize(min(values)), summarize(max(values)))))


def end(checkpoint: str | tuple[str, ...], label: Any) -> str:
    """`cmnist-digits:5`, an end of the bridge; of many checkpoints, how many."""
    names = checkpoint if isinstance(checkpoint, tuple) else (checkpoint,)
    name = " ".join(each.rpartition("/")[2].removesuffix(".safetensors") for each in names)
    name = f"{len(names)} checkpoints" if len(names) > 2 else name
    if label is None:
        return name
    labels = " ".join(map(str, label)) if isinstance(label, tuple) else str(label)
    return f"{name}:{labels}"
