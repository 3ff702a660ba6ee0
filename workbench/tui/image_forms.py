"""The form of an entry of the session's images."""

from __future__ import annotations

from typing import Any

from ddib.datasets import ColoredMNIST, ImageFiles, ImageSpec
from workbench.tui import forms
from workbench.tui.views import FieldView, FormView


def form_of(spec: ImageSpec, part: int, parts: int) -> FormView:
    """Where the images come from, and what is chosen of them; `part` of `parts` entries."""
    files = isinstance(spec, ImageFiles)
    form = forms.form_of(spec, "images.files" if files else "images.digits", "")
    lead = [
        FieldView("from", "choice", "files" if files else "digits", "where images come from",
                  choices=("digits", "files"))
    ]  # fmt: skip
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


def changed(spec: Any, field: FieldView, typed: Any, digit: int) -> ImageSpec:
    """An entry with a typed value; `digit`: of the digits that replace files. Raises ValueError."""
    if field.name == "from":
        return ImageFiles(path="*.png") if typed == "files" else ColoredMNIST(digit=digit)
    if field.name in ("count", "path"):
        picked = "indices" if isinstance(spec, ColoredMNIST) else "names"
        spec = spec.model_copy(update={picked: None})
    return forms.changed(spec, field, typed)  # type: ignore[return-value]  # another of its kind
