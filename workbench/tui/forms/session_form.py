"""The form of the line under the recipe's cursor, and typed values put into the session."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from ddib.operations.operation import OPERATIONS
from workbench.session.schema import Session
from workbench.tui.actions import key_of
from workbench.tui.forms import conditions, forms
from workbench.tui.forms import image_entries as image_forms
from workbench.tui.models import FieldView, FormView, Place
from workbench.tui.state.session import edits
from workbench.tui.state.workspace import Workspace

_SOLVER_HELP = "How the ODE is solved, the same in both directions."
_STAGE_HELP = {
    "image": "Operations here edit the image before it is encoded.",
    "latent": "Operations here edit the latent before it is decoded.",
}


def form_of(workspace: Workspace, place: Place) -> FormView:
    """The form of what a line of the recipe stands for."""
    session, position = workspace.session, place.position
    if place.kind == "operation":
        operation = edits.operation_at(session, position)
        title = f"{edits.operation_title(operation)} · {position.stage}"
        key = f"{position.stage}.{position.index}.{operation.op}"
        return forms.form_of(operation, key, title)
    if place.kind == "solver":
        form = forms.form_of(session.solver, "solver", "solver")
        return FormView(form.key, form.title, _SOLVER_HELP, form.fields)
    if place.kind in conditions.ENDS:
        return conditions.form(session, workspace.library.listed, place.kind)
    choose = f"enter or {key_of('add')}: choose one of {len(OPERATIONS)}."
    return FormView("add", "add", f"{_STAGE_HELP[position.stage]}\n\n{choose}")


def images_form(workspace: Workspace) -> FormView:
    """The form of the entry of images that is shown."""
    images = workspace.images
    return image_forms.form_of(images.spec, images.entry, images.count)


def set_field(workspace: Workspace, key: str, place: Place, field: FieldView, typed: Any) -> str:
    """Put a typed value into the session; return what is wrong with it, or ""."""
    try:
        if key.startswith("images"):
            session = _with_images(workspace, field, typed)
        else:
            session = _with_field(workspace.session, place, field, typed)
    except ValueError as error:
        return str(error)
    workspace.editor.change(session, f"{field.title} {typed}", merge=f"{key}.{field.name}")
    return ""


def _with_field(session: Session, place: Place, field: FieldView, typed: Any) -> Session:
    model: BaseModel
    if place.kind in conditions.ENDS:
        return forms.checked(conditions.changed(session, place.kind, field, typed))
    if place.kind == "operation":
        model = forms.changed(edits.operation_at(session, place.position), field, typed)
        session = edits.replace(session, place.position, model)  # type: ignore[arg-type]
    else:
        model = forms.changed(session.solver, field, typed)
        session = edits.with_solver(session, model)  # type: ignore[arg-type]
    return forms.checked(session)


def _with_images(workspace: Workspace, field: FieldView, typed: Any) -> Session:
    images = workspace.images
    if field.name == "entry":
        images.entry = int(typed) - 1
        return workspace.session
    facts = workspace.library.facts(workspace.session.source.checkpoint)
    spec = image_forms.changed(images.spec, field, typed, facts)
    return edits.with_images(workspace.session, images.entry, spec)
