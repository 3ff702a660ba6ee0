"""Label and guidance of source and target: their lines in the recipe, their forms."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, cast

from workbench.library.checkpoints import Listed
from workbench.session.schema import Session, Source, Target
from workbench.tui.forms import forms
from workbench.tui.models import EndView, FieldKind, FieldView, FormView
from workbench.tui.state.session.ends import strength
from workbench.tui.state.session.library import find
from workbench.tui.state.values import summarize

ENDS: tuple[Literal["source", "target"], ...] = ("source", "target")
_HELP = {
    "source": "The class that the source's model is guided to while it encodes.",
    "target": "The class that the target's model is guided to while it decodes. "
    "Several values are a sweep.",
}


def lines(session: Session, listed: Sequence[Listed]) -> tuple[EndView, ...]:
    """The ends that have several classes to choose from, or a guidance."""
    return tuple(
        EndView(name, _summary(end))
        for name in ENDS
        for end in [_end(session, name)]
        if _has_classes(session, listed, name) or strength(end)
    )


def form(session: Session, listed: Sequence[Listed], name: str) -> FormView:
    """Label, guidance and classifier of an end, as far as its checkpoint can have them."""
    end = _end(session, name)
    found = _found(session, listed, name)
    facts = found.facts if found else None
    shown = [_label(end, facts.labels if facts else ())]
    if end.guidance != 1 or facts is None or facts.trained_with_label_dropout:
        shown.append(_scale(end, "guidance"))
    classifiers = dict.fromkeys((None, *_classifiers(listed, found), end.classifier))
    if len(classifiers) > 1:
        shown.append(_field(end, "classifier", "choice", choices=tuple(classifiers)))
    if end.classifier is not None:
        shown.append(_scale(end, "classifier_scale"))
    return FormView(f"end.{name}", f"{name} · condition", _HELP[name], tuple(shown))


def changed(session: Session, name: str, field: FieldView, typed: Any) -> Session:
    """The session with one of an end's fields as typed; raises ValueError with one sentence."""
    end = _end(session, name)
    if field.name == "label" and typed in ("", "none"):
        return session.model_copy(update={name: end.model_copy(update={"label": None})})
    conditioned = cast("Source | Target", forms.changed(end, field, typed))
    labels = conditioned.label if isinstance(conditioned.label, tuple) else (conditioned.label,)
    if field.name == "label" and field.choices and not set(labels) <= {*field.choices, "own"}:
        raise ValueError(f"expected {field.bounds}")
    return session.model_copy(update={name: conditioned})


def _end(session: Session, name: str) -> Source | Target:
    return session.source if name == "source" else session.target


def _found(session: Session, listed: Sequence[Listed], name: str) -> Listed | None:
    checkpoint = _end(session, name).checkpoint
    return find(listed, checkpoint if isinstance(checkpoint, str) else checkpoint[0])


def _has_classes(session: Session, listed: Sequence[Listed], name: str) -> bool:
    found = _found(session, listed, name)
    facts = found.facts if found else None
    return facts is not None and (facts.class_conditional or len(facts.labels) > 1)


def _classifiers(listed: Sequence[Listed], end: Listed | None) -> list[str]:
    """Those of the library that read the end's kind of images."""
    shape = end.facts.shape if end and end.facts else None
    known = [(one.name, one.facts) for one in listed if one.facts is not None]
    return [n for n, facts in known if facts.kind == "classifier" and facts.shape == shape]


def _label(end: Source | Target, labels: Sequence[int]) -> FieldView:
    """One of a few for the source; for the target they are typed, several as a sweep."""
    if isinstance(end, Source):
        choices = tuple(dict.fromkeys((None, *labels, "own", end.label)))
        return _field(end, "label", "choice", choices=choices)
    known = f"one of {' '.join(map(str, labels))}" if labels else ""
    words = ("own", "none")
    return _field(
        end, "label", "integer", sweepable=True, words=words, bounds=known, choices=tuple(labels)
    )


def _scale(end: Source | Target, name: str) -> FieldView:
    swept = isinstance(end, Target)
    return _field(end, name, "number", low=0, bounds="0 or more", sweepable=swept)


def _field(end: Source | Target, name: str, kind: FieldKind, **more: Any) -> FieldView:
    info = type(end).model_fields[name]
    return FieldView(name, kind, getattr(end, name), info.description or "", info.default, **more)


def _summary(end: Source | Target) -> str:
    label = "no label" if end.label is None else summarize(end.label)
    return label + strength(end)
