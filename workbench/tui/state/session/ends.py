"""The ends of a session's bridge in words: source, target, and what comes after it in a chain."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workbench.session.schema import End, Session, Target
from workbench.session.titles import without_family
from workbench.tui.state.values import summarize


def ends(session: Session) -> list[str]:
    """`cmnist-digits:5` and so on: the source, the target, and the chain's further ends."""
    return [end(one.checkpoint, one.label) + strength(one) for one in _ends(session)]


def end_names(session: Session, values: Mapping[str, Any]) -> list[str]:
    """The ends in as few words as tell them apart: `sevens` of `cmnist-sevens`, or labels alone
    where the model is always the same.
    """
    found = end_conditions(session, values)
    one_model = len({checkpoint for checkpoint, _ in found}) == 1
    if one_model and all(label is not None for _, label in found):
        return [str(label) for _, label in found]
    names = [end(*one) for one in found]
    return names if one_model else without_family(names)


def end_titles(session: Session) -> tuple[str, str]:
    """The source, and what comes after it: `cmnist-fives`, `sevens → fives`."""
    source, *further = ends(session)
    if session.chain:
        names = zip(end_names(session, {}), _ends(session), strict=True)
        further = [name + strength(end) for name, end in names][1:]
    return source, " → ".join(further)


def end_conditions(session: Session, values: Mapping[str, Any]) -> list[tuple[Any, Any]]:
    """Checkpoint and label of every end, the target's as a variant has them."""
    found: list[tuple[Any, Any]] = [(end.checkpoint, end.label) for end in _ends(session)]
    checkpoint, label = found[1]
    found[1] = values.get("target.checkpoint", checkpoint), values.get("target.label", label)
    return found


def _ends(session: Session) -> tuple[End | Target, ...]:
    return session.source, session.target, *session.chain


def strength(end: End | Target) -> str:
    """The guidance of an end in short: ` w 1…5` by itself, ` s 4` by a classifier."""
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
