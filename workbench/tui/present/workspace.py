"""The main screen's views of the workspace."""

from __future__ import annotations

from dataclasses import replace

from workbench.engine.protocol.client import EngineState
from workbench.engine.protocol.messages import Ready
from workbench.tui.forms import conditions
from workbench.tui.models import (
    CheckpointView,
    FlowView,
    HeaderView,
    PictureRow,
    PlotsView,
    ProgressView,
    RecipeView,
    SheetView,
    TradeOffView,
)
from workbench.tui.present import checkpoints as checkpoint_views
from workbench.tui.present import flow as flow_views
from workbench.tui.present import recipe as recipe_views
from workbench.tui.present import runs as run_views
from workbench.tui.present import sheet as sheet_views
from workbench.tui.present import sweeps as sweep_views
from workbench.tui.state.session.ends import end_titles
from workbench.tui.state.workspace import Workspace

_ENGINE = {"stopped": "no engine", "starting": "engine starts…"}


def header(workspace: Workspace, state: EngineState, ready: Ready | None) -> HeaderView:
    """The line at the top; `ready`: what the engine reported of itself, once it has."""
    source, target = end_titles(workspace.session)
    return HeaderView(
        workspace.document.name,
        workspace.session.title,
        workspace.document.history.dirty,
        source,
        target,
        recipe_views.solver(workspace.session),
        ready.device if ready is not None else _ENGINE.get(state, ""),
        busy=bool(workspace.queue.active),
    )


def checkpoints(workspace: Workspace) -> tuple[CheckpointView, ...]:
    """The library's lines."""
    return checkpoint_views.checkpoints(workspace.session, workspace.library.listed)


def recipe(workspace: Workspace) -> RecipeView:
    """The recipe's lines."""
    ends = conditions.lines(workspace.session, workspace.library.listed)
    return replace(recipe_views.recipe(workspace.session), ends=ends)


def flow(workspace: Workspace, image: int, variant: int | None) -> FlowView:
    """The stops from source to result, of one image in one variant."""
    loaded = workspace.images.loaded
    return flow_views.flow(
        workspace.session,
        workspace.run,
        loaded.pixels,
        loaded.names,
        image,
        variant,
        workspace.images.size,
    )


def sheet(workspace: Workspace, *, latents: bool) -> SheetView:
    """The contact sheet, with or without rows of latents."""
    run, loaded = workspace.run, workspace.images.loaded
    return sheet_views.sheet(
        workspace.session,
        run,
        loaded.pixels,
        workspace.library.listed,
        workspace.images.size,
        latents,
        loaded.count,
        workspace.has_history,
        loaded.names if run is None or run.started is None else run.started.names,
    )


def picture_rows(workspace: Workspace, view: SheetView) -> tuple[PictureRow, ...]:
    """The rows to look at closely: the sheet's, or before any run the source images."""
    loaded = workspace.images.loaded
    if not view.rows and loaded.pixels is not None:
        return (PictureRow("source", loaded.pixels, (), loaded.names),)
    return sheet_views.picture_rows(view, workspace.run)


def sheet_file(workspace: Workspace) -> str | None:
    """The file with the contact sheet of the run that is shown, when it was stored."""
    finished = workspace.run.finished if workspace.run else None
    return finished.sheet if finished else None


def trade_off(workspace: Workspace, variant: int | None) -> TradeOffView:
    """The small plot of a sweep."""
    return sweep_views.trade_off(workspace.run, variant)


def plots(workspace: Workspace) -> PlotsView:
    """The sweep that is shown, as curves."""
    return PlotsView(sweep_views.sweep(workspace.run), sheet(workspace, latents=False))


def progress(workspace: Workspace, device: str) -> ProgressView:
    """The line at the bottom."""
    return run_views.progress_line(
        workspace.queue, workspace.session, workspace.document.base, device
    )
