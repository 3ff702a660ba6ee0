"""What messages of the panes change in the session."""

from __future__ import annotations

from typing import Any

from textual import work

from workbench.tui.main.actions.recipe import add_at, edit_parameters
from workbench.tui.main.base import MainBase
from workbench.tui.main.panes.checkpoints import CheckpointList
from workbench.tui.main.panes.image_grid import ImageGrid
from workbench.tui.main.panes.recipe import RecipeList
from workbench.tui.widgets.form import ParameterForm


def choose_checkpoint(main: MainBase, event: CheckpointList.Choose) -> None:
    """Make a checkpoint the source, the target or a further end, if it can be used."""
    if event.checkpoint.problem is None:
        _choose(main, event.checkpoint.name, event.end)
    else:
        main.complain(event.checkpoint.problem, f"{event.checkpoint.name} cannot be used")


@work(exclusive=True, group="dialog")
async def _choose(main: MainBase, name: str, end: str) -> None:
    """Choose a checkpoint, and ask for the label that a class-conditional one needs."""
    from workbench.tui.screens.dialogs.ask import Prompt
    from workbench.tui.state.session.editor import label_problem, parse_label

    if (workspace := main.workspace) is None:
        return
    label: Any = None
    if labels := workspace.library.labels(name):
        several = "; several are a sweep" if end == "target" else ""
        words = f"{', '.join(map(str, labels))}; own: that of each image{several}."
        typed = await main.app.push_screen_wait(
            Prompt(
                f"On to {name}" if end == "further" else f"{name} as {end}",
                f"Which label? It has {words}",
                check=lambda text: label_problem(text, labels, sweep=end == "target"),
            )
        )
        if typed is None:
            return
        label = parse_label(typed)
    if workspace.editor.choose_checkpoint(end, name, label):
        main.session_changed()


def remove_last_end(main: MainBase) -> None:
    """End the chain one checkpoint earlier."""
    if main.workspace is not None:
        _after(main, main.workspace.editor.remove_last_end())


def pick_images(main: MainBase, event: ImageGrid.Pick) -> None:
    """Take other images."""
    if main.workspace is not None:
        _after(main, main.workspace.images.pick(event.what, event.place, event.shown))


def _after(main: MainBase, problem: str) -> None:
    """Show the change, or why there was none."""
    if problem:
        main.complain(problem)
    else:
        main.session_changed()


def edit_recipe(main: MainBase, event: RecipeList.Edit) -> None:
    """Do what the recipe's keys ask for."""
    if (opened := main.opened) is None:
        return
    if event.what == "add":
        add_at(main, opened, event.place.position)
    elif event.what == "form":
        edit_parameters(main)
    elif event.place.kind == "operation":
        place = opened.workspace.editor.edit_operation(event.what, event.place.position)
        main.session_changed()
        main.query_one(RecipeList).select(place)


def set_field(main: MainBase, event: ParameterForm.Edited) -> None:
    """Put a typed value into the session if it is one, else show the error beside it."""
    from workbench.tui.forms import session_form

    if (workspace := main.workspace) is None:
        return
    selector = "#images-form" if event.key.startswith("images") else "#form"
    form = main.query_one(selector, ParameterForm)
    if form.view.key != event.key:
        return
    place = main.query_one(RecipeList).place
    problem = session_form.set_field(workspace, event.key, place, event.field, event.value)
    form.set_error(event.field.name, problem)
    main.refresh_bindings()
    if not problem:
        main.session_changed()
