"""What keys and widgets change in the session."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from textual import work

from workbench.tui.main.panes import focus_pane, show_tab
from workbench.tui.main.showing import show_form
from workbench.tui.present.models import Position
from workbench.tui.terminal.keymap import key
from workbench.tui.widgets.form import FieldRow, ParameterForm
from workbench.tui.widgets.recipe import RecipeList

if TYPE_CHECKING:
    from workbench.tui.main.screen import Bench
    from workbench.tui.state.workspace import Desk
    from workbench.tui.widgets.checkpoints import CheckpointList
    from workbench.tui.widgets.image_grid import ImageGrid


def choose(bench: Bench, event: CheckpointList.Choose) -> None:
    """Source, target or further on; a class-conditional checkpoint needs a label too."""
    if event.checkpoint.problem is None:
        _choose(bench, event.checkpoint.name, event.end)
    else:
        bench.complain(event.checkpoint.problem, f"{event.checkpoint.name} cannot be used")


def shorten(bench: Bench) -> None:
    """The chain ends one checkpoint earlier."""
    if bench.desk is None:
        return
    if problem := bench.desk.shorten():
        bench.complain(problem)
    else:
        bench.changed()


@work(exclusive=True, group="dialog")
async def _choose(bench: Bench, name: str, end: str) -> None:
    from workbench.tui.screens.dialogs.ask import Prompt

    desk = bench.desk
    if desk is None:
        return
    label: Any = None
    if labels := desk.labels_of(name):
        several = "; several are a sweep" if end == "target" else ""
        words = f"{', '.join(map(str, labels))}; own: that of each image{several}."
        typed = await bench.app.push_screen_wait(
            Prompt(
                f"On to {name}" if end == "further" else f"{name} as {end}",
                f"Which label? It has {words}",
                check=lambda text: desk.label_problem(text, labels, sweep=end == "target"),
            )
        )
        if typed is None:
            return
        label = desk.label(typed)
    if desk.choose(end, name, label):
        bench.changed()


def pick(bench: Bench, event: ImageGrid.Pick) -> None:
    """Take other images."""
    if bench.desk is None:
        return
    if problem := bench.desk.pick(event.what, event.place, event.shown):
        bench.complain(problem)
    else:
        bench.changed()


def edit_recipe(bench: Bench, event: RecipeList.Edit) -> None:
    """What the recipe's keys do."""
    if bench.desk is None:
        return
    if event.what == "add":
        _add(bench, event.place.position)
    elif event.what == "form":
        form(bench)
    elif event.place.kind == "operation":
        place = bench.desk.edit(event.what, event.place.position)
        bench.changed()
        bench.query_one(RecipeList).select(place)


def set_field(bench: Bench, event: ParameterForm.Edited) -> None:
    """A value was typed: into the session if it is one, else the error beside it."""
    if bench.desk is None:
        return
    edited = _form(bench, event.key)
    if edited.view.key != event.key:
        return
    place = bench.query_one(RecipeList).place
    problem = bench.desk.set_field(event.key, place, event.field, event.value)
    edited.set_error(event.field.name, problem)
    bench.refresh_bindings()
    if not problem:
        bench.changed()


def _form(bench: Bench, key: str) -> ParameterForm:
    """The form that a key belongs to."""
    selector = "#images-form" if key.startswith("images") else "#form"
    return bench.query_one(selector, ParameterForm)


def undo(bench: Bench) -> None:
    """One step back."""
    _travel(bench, lambda desk: desk.document.history.undo(), "undone")


def redo(bench: Bench) -> None:
    """One step forward."""
    _travel(bench, lambda desk: desk.document.history.redo(), "done again")


def _travel(bench: Bench, step: Callable[[Desk], str | None], done: str) -> None:
    if bench.desk is None:
        return
    if wrong := [row for row in bench.query(FieldRow) if row.error]:
        for row in wrong:
            row.set_error("")
        bench.refresh_views()
        return
    if (what := step(bench.desk)) is not None:
        bench.notify(f"{done}: {what}", timeout=2, markup=False)
        bench.changed()


def add(bench: Bench) -> None:
    """Add an operation below the one under the cursor, or at the end of the latent's."""
    if bench.desk is None:
        return
    recipe = bench.query_one(RecipeList)
    place = recipe.place
    if place.kind == "operation":
        _add(bench, Position(place.position.stage, place.position.index + 1))
    elif place.kind == "add":
        _add(bench, place.position)
    else:
        _add(bench, Position("latent", len(recipe.view.latent)))


def _add(bench: Bench, position: Position) -> None:
    from workbench.tui.screens.dialogs.add_operation import AddOperation

    if bench.desk is None:
        return
    counts = {s: len(bench.query_one(RecipeList).view.operations(s)) for s in ("image", "latent")}
    palette = AddOperation(bench.desk.offered_operations(), position, counts)

    def chosen(name: str | None) -> None:
        if name is None or bench.desk is None:
            return
        place = bench.desk.add(name, palette.position)
        bench.changed()
        focus_pane(bench, "recipe")
        bench.query_one(RecipeList).select(place)

    bench.app.push_screen(palette, chosen)


def form(bench: Bench) -> None:
    """Into the form of the line under the recipe's cursor, or of the images."""
    focused = bench.focused
    if focused is not None and focused.id == "grid":
        bench.query_one("#images-form", ParameterForm).focus_first()
        return
    show_tab(bench, "recipe")
    show_form(bench)  # the cursor may have moved with the key before
    if not bench.query_one("#form", ParameterForm).focus_first():
        add(bench)


@work(exclusive=True, group="dialog")
async def edit_yaml(bench: Bench) -> None:
    """The session as YAML in the user's editor; what comes back is one step of undo."""
    from workbench.tui.screens.editor.screen import edit_text

    if (
        bench.desk is None
        or (edited := await edit_text(bench.app, bench.desk.document.yaml)) is None
    ):
        return
    for row in bench.query(FieldRow):
        row.set_error("")
    if not bench.desk.take_text(*edited):
        bench.notify(f"Only the text is another; {key('save')} saves it.", timeout=4)
    bench.changed()


@work(exclusive=True, group="dialog")
async def title(bench: Bench) -> None:
    """What contact sheets and listings call the session."""
    from workbench.tui.screens.dialogs.ask import Prompt

    desk = bench.desk
    if desk is None:
        return
    words = "Contact sheets and listings show it."
    typed = await bench.app.push_screen_wait(Prompt("Title", words, desk.session.title))
    if typed is not None and desk.rename(typed):
        bench.changed()


def add_images(bench: Bench) -> None:
    """Another entry of images; its form is entered."""
    if bench.desk is not None:
        bench.desk.add_images()
        bench.changed()
        focus_pane(bench, "grid")
        _form(bench, "images").focus_first()


def remove_images(bench: Bench) -> None:
    """The entry of images that the form shows goes."""
    if bench.desk is not None:
        bench.desk.remove_images()
        bench.changed()
