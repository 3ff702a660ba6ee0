"""The form of an entry of the session's images."""

from __future__ import annotations

from typing import Any

from ddib.checkpoints.checkpoint import CheckpointFacts
from ddib.data.points import SyntheticPoints
from ddib.data.sources import ColoredMNIST, ImageFiles, ImageSpec
from workbench.tui.forms import forms
from workbench.tui.models import FieldView, FormView
from workbench.tui.state.images.image_specs import fitting

_KINDS: dict[str, type[Any]] = {
    "digits": ColoredMNIST,
    "files": ImageFiles,
    "points": SyntheticPoints,
}


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
