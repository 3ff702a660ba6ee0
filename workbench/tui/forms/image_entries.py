"""The form of an entry of the session's images."""

from __future__ import annotations

from typing import Any

from ddib.checkpoints.header import CheckpointFacts
from ddib.data.source import IMAGE_SOURCES, ImageSource
from workbench.tui.forms import forms
from workbench.tui.models import FieldView, FormView
from workbench.tui.state.images.image_specs import fitting


def form_of(spec: ImageSource, part: int, parts: int) -> FormView:
    """Where the images come from, and what is chosen of them; `part` of `parts` entries."""
    form = forms.form_of(spec, f"images.{spec.name}", "")
    where = "where images come from"
    lead = [FieldView("from", "choice", spec.name, where, choices=tuple(IMAGE_SOURCES))]
    if parts > 1:
        entries = tuple(range(1, parts + 1))
        lead.insert(0, FieldView("entry", "choice", part + 1, "which entry", choices=entries))
    return FormView(form.key, "", "", (*lead, *form.fields))


def changed(
    spec: ImageSource, field: FieldView, typed: Any, facts: CheckpointFacts | None = None
) -> ImageSource:
    """An entry with a typed value; `facts`: of the checkpoint that is to read it, by which digits
    or points are chosen that replace others. Raises ValueError."""
    if field.name == "from":
        own, source = fitting(facts), IMAGE_SOURCES[typed]
        return own if isinstance(own, source) else source.default_entry()
    if field.name in ("count", "path"):
        spec = spec.without_picks()
    return forms.changed(spec, field, typed)  # type: ignore[return-value]  # another of its kind
