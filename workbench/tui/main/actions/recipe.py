"""Actions on the recipe: add an operation, edit the parameters of one."""

from __future__ import annotations

from workbench.tui.actions import Action
from workbench.tui.main.actions.need import on_session
from workbench.tui.main.base import MainBase, Opened
from workbench.tui.main.focus import focus_pane, show_tab
from workbench.tui.main.panes.recipe import RecipeList
from workbench.tui.models import Position
from workbench.tui.widgets.form import ParameterForm


@on_session
def add(main: MainBase, opened: Opened) -> None:
    """Add an operation below the one under the cursor, or at the end of the latent's."""
    recipe = main.query_one(RecipeList)
    place = recipe.place
    if place.kind == "operation":
        add_at(main, opened, Position(place.position.stage, place.position.index + 1))
    elif place.kind == "add":
        add_at(main, opened, place.position)
    else:
        add_at(main, opened, Position("latent", len(recipe.view.latent)))


def add_at(main: MainBase, opened: Opened, position: Position) -> None:
    """Let the user choose an operation, and insert it."""
    from workbench.tui.screens.dialogs.add_operation import AddOperation

    editor, recipe = opened.workspace.editor, main.query_one(RecipeList)
    counts = {stage: len(recipe.view.operations(stage)) for stage in ("image", "latent")}
    palette = AddOperation(editor.offered_operations(), position, counts)

    def insert(name: str | None) -> None:
        if name is not None:
            place = editor.add_operation(name, palette.position)
            main.session_changed()
            focus_pane(main, "recipe")
            recipe.select(place)

    main.app.push_screen(palette, insert)


@on_session
def edit_parameters(main: MainBase, opened: Opened) -> None:
    """Go into the form of the line under the recipe's cursor, or into that of the images."""
    from workbench.tui.main.showing import show_form

    focused = main.focused
    if focused is not None and focused.id == "grid":
        main.query_one("#images-form", ParameterForm).focus_first()
        return
    show_tab(main, "recipe")
    show_form(main, opened.workspace)  # the cursor may have moved with the key before
    if not main.query_one("#form", ParameterForm).focus_first():
        add(main)


ACTIONS = (
    Action(
        "add",
        "a",
        "add",
        "To the image or the latent",
        title="Add operation",
        more="add an operation",
        shown=True,
        handler=add,
    ),
    Action("form", "e", "edit", "Edit the parameters", heading="4 Recipe", handler=edit_parameters),
)
