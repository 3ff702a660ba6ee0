"""Actions that show something without changing the session."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual import work

from workbench.tui.actions import Action, key_of
from workbench.tui.main.actions.need import on_session, unless
from workbench.tui.main.base import MainBase, Opened
from workbench.tui.main.panes.image_grid import ImageGrid
from workbench.tui.main.pictures import pictures, rows_with_pictures
from workbench.tui.models import PictureRow, Spot
from workbench.tui.widgets.form import FieldRow
from workbench.tui.widgets.sheet import ContactSheet

if TYPE_CHECKING:
    from workbench.tui.state.workspace import Workspace

RESULTS = "3 Results"


@on_session
def show_yaml(main: MainBase, opened: Opened) -> None:
    """Show the session as it would be saved."""
    from workbench.tui.screens.dialogs.read import YamlScreen

    def edit(wanted: bool | None) -> None:
        if wanted:
            edit_yaml(main)

    document = opened.workspace.document
    main.app.push_screen(YamlScreen(document.name, document.yaml), edit)


@work(exclusive=True, group="dialog")
async def edit_yaml(main: MainBase) -> None:
    """Edit the session as YAML in the user's editor; what comes back is one step of undo."""
    from workbench.tui.screens.editor.screen import edit_text

    if (opened := main.opened) is None:
        return
    document = opened.workspace.document
    if (edited := await edit_text(main.app, document.yaml)) is None:
        return
    for row in main.query(FieldRow):
        row.set_error("")
    if not document.take_text(*edited):
        main.hint(f"Only comments or layout changed; {key_of('save')} saves them.")
    main.session_changed()


def toggle_latents(main: MainBase) -> None:
    """Show rows of latents in the contact sheet, or leave them out."""
    main.latents = not main.latents
    main.show_run()


def zoom(main: MainBase) -> None:
    """Show the middle alone, or all columns."""
    main.toggle_class("-zoomed")


@on_session
def look_closely(main: MainBase, opened: Opened) -> None:
    """Show the picture under the cursor large; with a marked one, the two compared."""
    sheet = main.query_one(ContactSheet)
    rows, at = pictures(main, opened.workspace)
    image = sheet.image if sheet.view.rows else main.query_one(ImageGrid).cursor
    if rows:
        last = len(rows[at.row].pixels) - 1
        _open_viewer(main, opened.workspace, rows, Spot(at.row, min(image, last)))
    else:
        main.hint("There is no picture yet.")


def _open_viewer(
    main: MainBase, workspace: Workspace, rows: Sequence[PictureRow], at: Spot
) -> None:
    """Show `rows`; afterwards put the sheet's cursor where the viewer was left."""
    from workbench.tui.present.workspace import sheet_file
    from workbench.tui.screens.viewer.screen import ViewScreen

    sheet = main.query_one(ContactSheet)
    places = rows_with_pictures(sheet)
    marked = sheet.marked
    if marked is not None:
        marked = Spot(places.index(marked.row), marked.image)

    def back(left: tuple[Spot, Spot | None] | None) -> None:
        if left is None or not sheet.view.rows:
            return
        at, mark = left
        sheet.marked = None if mark is None else Spot(places[mark.row], mark.image)
        sheet.move_to(at.image, places[at.row])

    main.app.push_screen(ViewScreen(rows, at, marked, sheet_file(workspace)), back)


@work(group="run")
async def show_trajectory(main: MainBase) -> None:
    """Show encode and decode of the image under the cursor, step by step."""
    from workbench.tui.main.showing import under_cursor
    from workbench.tui.screens.trajectory.screen import follow

    if (opened := main.opened) is not None:
        image, variant = under_cursor(main, opened.workspace)
        await follow(main.app, opened.engine, opened.workspace, image, variant or 0)


@on_session
def inspect(main: MainBase, opened: Opened) -> None:
    """Show the latents of the picture under the cursor, operation by operation."""
    from workbench.tui.main.showing import under_cursor
    from workbench.tui.screens.inspector.screen import open_inspector

    image, variant = under_cursor(main, opened.workspace)
    open_inspector(main.app, opened.engine, opened.workspace, image, variant or 0)


@on_session
def show_plots(main: MainBase, opened: Opened) -> None:
    """Plot a sweep's metrics against its values, or against each other.

    Afterwards the sheet's cursor is on the variant that was left under the plot's cursor.
    """
    from workbench.tui.present.workspace import plots
    from workbench.tui.screens.plots.screen import PlotsScreen

    sheet = main.query_one(ContactSheet)
    rows = sheet.view.rows
    variant = rows[sheet.row].variant if sheet.row < len(rows) else None

    def back(chosen: int | None) -> None:
        for index, row in enumerate(sheet.view.rows):
            if chosen is not None and row.variant == chosen and row.kind == "result":
                sheet.move_to(sheet.image, index)
                main.set_focus(sheet)

    main.plots = PlotsScreen(plots(opened.workspace), variant or 0, sheet.image)
    main.app.push_screen(main.plots, back)


def _no_images(workspace: Workspace) -> str:
    there = workspace.images.loaded.pixels is not None
    return "" if there else "The session has no images to start from."


def _no_sweep(workspace: Workspace) -> str:
    if workspace.run is None or workspace.run.started is None:
        return f"There is nothing to plot yet; {key_of('run')} runs the session."
    if len(workspace.run.started.variants) < 2:
        return (
            "There is no sweep in this run. Give a parameter several values, "
            f"such as 0.1 0.3 0.5, and run it ({key_of('run')})."
        )
    return ""


ACTIONS = (
    Action(
        "yaml",
        "y",
        "yaml",
        "The session as it would be saved",
        title="YAML",
        more="the session as YAML",
        shown=True,
        handler=show_yaml,
    ),
    Action(
        "edit_yaml",
        "ctrl+e",
        "edit yaml",
        "The session as YAML in $VISUAL or $EDITOR",
        title="Edit YAML",
        more="edit the session as YAML in $VISUAL or $EDITOR, else vi",
        handler=edit_yaml,
    ),
    Action(
        "latents",
        "l",
        "latents",
        "Rows of latents in the contact sheet",
        title="Latents",
        more="rows of latents too",
        heading=RESULTS,
        handler=toggle_latents,
    ),
    Action(
        "zoom",
        "z",
        "zoom",
        "The pictures alone",
        title="Zoom",
        more="the pictures alone",
        heading=RESULTS,
        handler=zoom,
    ),
    Action(
        "view",
        "v",
        "look closely",
        "One picture large, or two compared",
        title="Look closely",
        more="look closely at the picture under the cursor (also enter)",
        heading=RESULTS,
        handler=look_closely,
        why_not=unless(lambda it: "" if it.run is not None else _no_images(it)),
    ),
    Action(
        "trajectory",
        "T",
        "trajectory",
        "Encode and decode of one image, step by step",
        title="Trajectory",
        more="its trajectory from source to target: the states z and estimates",
        heading=RESULTS,
        handler=show_trajectory,
        why_not=unless(_no_images),
    ),
    Action(
        "inspect",
        "i",
        "inspect",
        "The latent after every operation, beside white noise",
        title="Inspect",
        more="inspect its first latent after every operation",
        heading=RESULTS,
        handler=inspect,
        why_not=unless(_no_images),
    ),
    Action(
        "plots",
        "g",
        "plots",
        "A sweep's metrics as curves, and the trade-off",
        title="Plots",
        more="the sweep as curves",
        heading=RESULTS,
        handler=show_plots,
        why_not=unless(_no_sweep),
    ),
)
