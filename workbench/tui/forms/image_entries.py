"""The form of an entry of the session's images."""

from __future__ import annotations

from typing import Any

from ddib.checkpoints.checkpoint import CheckpointFacts
from ddib.data.points import CHANNELS, SHAPES, SyntheticPoints
from ddib.data.sources import ColoredMNIST, ImageFiles, ImageSpec
from workbench.tui.forms import forms
from workbench.tui.present.models import FieldView, FormView

_KINDS: dict[str, type[Any]] = {
    "digits": ColoredMNIST,
    "files": ImageFiles,
    "points": SyntheticPoints,
}


def fits(spec: ImageSpec, facts: CheckpointFacts) -> bool:
    """Whether a checkpoint reads what an entry gives: points or pictures."""
    return isinstance(spec, SyntheticPoints) == (facts.channels == CHANNELS)


def fitting(facts: CheckpointFacts | None) -> ImageSpec:
    """An entry of the images of a checkpoint's own domain, where that is known: else fives."""
    if facts is not None and facts.channels == CHANNELS:
        name = facts.data.get("dataset")
        return SyntheticPoints(dataset=name) if name in list(SHAPES) else SyntheticPoints()
    labels = facts.labels if facts else ()
    return ColoredMNIST(digit=labels[0] if labels and 0 <= labels[0] <= 9 else 5)


def form_of(spec: ImageSpec, part: int, parts: int) -> FormView:
    """Where the images come from, and what is chosen of them; `part` of `parts` entries."""
    kind = next(name for name, model in _KINDS.items() if isinstance(spec, model))
    form = forms.form_of(spec, f"images.{kind}", "")
    where = "where images come from"
    lead = [FieldView("from", "choice", kind, where, choices=tuple(_KINDS))]
    if parts > 1:
        entries = tuple(range(1, parts + 1))
        lead.insert(0, FieldView("entry", "choice", part + 1, "which entry", choices=entries))
    fields = tuple(
        FieldView(**{**vars(f), "kind": "choice", "choices": tuple(range(10))})
        if f.name == "digit"
        else f
        for f in form.fields
    )
    return FormView(form.key, "", "", (*lead, *fields))


def changed(
    spec: Any, field: FieldView, typed: Any, facts: CheckpointFacts | None = None
) -> ImageSpec:
    """An entry with a typed value; `facts`: of the checkpoint that is to read it, by which digits
    or points are chosen that replace others. Raises ValueError."""
    if field.name == "from":
        if typed == "files":
            return ImageFiles(path="*.png")
        own, plain = fitting(facts), SyntheticPoints() if typed == "points" else ColoredMNIST()
        return own if type(own) is type(plain) else plain
    if field.name in ("count", "path") and not isinstance(spec, SyntheticPoints):
        picked = "indices" if isinstance(spec, ColoredMNIST) else "names"
        spec = spec.model_copy(update={picked: None})
    return forms.changed(spec, field, typed)  # type: ignore[return-value]  # another of its kind
