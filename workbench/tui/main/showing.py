"""What the workspace has, handed to the main screen's widgets.

The main screen imports this after its first frame.
"""

from __future__ import annotations

from typing import Any

from textual.markup import escape
from textual.screen import Screen

from workbench.engine.protocol.client import EngineClient
from workbench.tui.forms import session_form
from workbench.tui.main.panes.checkpoint_details import CheckpointDetails
from workbench.tui.main.panes.checkpoints import CheckpointList
from workbench.tui.main.panes.flow import Flow
from workbench.tui.main.panes.header import HeaderLine
from workbench.tui.main.panes.image_grid import ImageGrid
from workbench.tui.main.panes.images import ImagesPane
from workbench.tui.main.panes.progress import ProgressLine
from workbench.tui.main.panes.recipe import RecipeList
from workbench.tui.main.panes.trade_off import TradeOff
from workbench.tui.present import workspace as views
from workbench.tui.state.workspace import Workspace
from workbench.tui.widgets.form import ParameterForm
from workbench.tui.widgets.sheet import ContactSheet

AnyScreen = Screen[Any]


def show_session(screen: AnyScreen, workspace: Workspace) -> None:
    """Show library, recipe, images and forms."""
    screen.query_one(CheckpointList).view = views.checkpoints(workspace)
    screen.query_one(CheckpointDetails).view = screen.query_one(CheckpointList).current
    screen.query_one(RecipeList).view = views.recipe(workspace)
    show_images(screen, workspace)
    show_form(screen, workspace)
    form = session_form.images_form(workspace)
    screen.query_one("#images-form", ParameterForm).show(form)


def show_header(screen: AnyScreen, workspace: Workspace, engine: EngineClient) -> None:
    """Show the line at the top."""
    screen.query_one(HeaderLine).view = views.header(workspace, engine.state, engine.ready)


def show_images(screen: AnyScreen, workspace: Workspace) -> None:
    """Show the thumbnails, and which are taken."""
    screen.query_one(ImageGrid).view = workspace.images.view()
    show_images_count(screen, workspace)


def show_images_count(screen: AnyScreen, workspace: Workspace) -> None:
    """Show how many images are taken, or what to do about one that cannot be read."""
    grid, pane = screen.query_one(ImageGrid), screen.query_one(ImagesPane)
    text = workspace.images.count_text()
    if grid.problem:
        text = "unreadable, space: out" if grid.place in workspace.images.taken() else "unreadable"
    pane.tooltip = grid.problem or None
    subtitle = escape(text)
    if pane.border_subtitle != subtitle:  # setting it draws the pane anew
        pane.border_subtitle = subtitle


def show_form(screen: AnyScreen, workspace: Workspace) -> None:
    """Show the form of the line under the recipe's cursor."""
    place = screen.query_one(RecipeList).place
    screen.query_one("#form", ParameterForm).show(session_form.form_of(workspace, place))


def show_results(
    screen: AnyScreen, workspace: Workspace, engine: EngineClient, *, latents: bool
) -> None:
    """Show what a run changes: contact sheet, flow, progress, header."""
    sheet = screen.query_one(ContactSheet)
    sheet.view = views.sheet(workspace, latents=latents)
    if sheet.border_title != (title := f"3 {sheet.view.title}"):  # setting it draws all of it anew
        sheet.border_title = title
    show_flow(screen, workspace)
    device = engine.ready.device if engine.ready else ""
    screen.query_one(ProgressLine).view = views.progress(workspace, device)
    show_header(screen, workspace, engine)


def show_flow(screen: AnyScreen, workspace: Workspace) -> None:
    """Show the image and the variant under the cursor, and where it stands in the trade-off."""
    image, variant = under_cursor(screen, workspace)
    screen.query_one(Flow).view = views.flow(workspace, image, variant)
    trade_off = views.trade_off(workspace, variant)
    screen.query_one(TradeOff).view = trade_off
    screen.set_class(bool(trade_off.points), "-swept")


def under_cursor(screen: AnyScreen, workspace: Workspace) -> tuple[int, int | None]:
    """The image that is looked at, and the variant when there is one."""
    sheet = screen.query_one(ContactSheet)
    rows = sheet.view.rows
    variant = rows[sheet.row].variant if sheet.row < len(rows) else None
    if variant is None:
        variant = next((row.variant for row in rows if row.variant is not None), None)
    if rows:
        return sheet.image, variant
    return workspace.images.column(screen.query_one(ImageGrid).place) or 0, variant
