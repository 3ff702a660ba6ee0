"""What the desk has, handed to the bench's widgets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.markup import escape

from workbench.tui.widgets.checkpoints import CheckpointList
from workbench.tui.widgets.details import CheckpointDetails
from workbench.tui.widgets.flow import Flow
from workbench.tui.widgets.form import ParameterForm
from workbench.tui.widgets.header import HeaderLine
from workbench.tui.widgets.image_grid import ImageGrid
from workbench.tui.widgets.images import ImagesPane
from workbench.tui.widgets.progress import ProgressLine
from workbench.tui.widgets.recipe import RecipeList
from workbench.tui.widgets.sheet import ContactSheet
from workbench.tui.widgets.trade_off import TradeOff

if TYPE_CHECKING:
    from workbench.tui.main.screen import Bench


def refresh_views(bench: Bench) -> None:
    """Hand every widget what there is to show now."""
    desk = bench.desk
    if desk is None:
        return
    show_header(bench)
    bench.query_one(CheckpointList).view = desk.checkpoints()
    bench.query_one(CheckpointDetails).view = bench.query_one(CheckpointList).current
    bench.query_one(RecipeList).view = desk.recipe()
    bench.query_one(ImageGrid).view = desk.images()
    show_images_count(bench)
    show_form(bench)
    bench.query_one("#images-form", ParameterForm).show(desk.images_form())
    show_results(bench)
    if desk.pictures_key() != bench.loaded:
        bench.loaded = desk.pictures_key()
        bench.load_pictures()
    bench.refresh_bindings()


def show_header(bench: Bench) -> None:
    """The line at the top."""
    if bench.desk is None:
        return
    state = bench.engine.state if bench.engine else "stopped"
    ready = bench.engine.ready if bench.engine else None
    bench.query_one(HeaderLine).view = bench.desk.header(state, ready)


def show_images_count(bench: Bench) -> None:
    """How many images are taken, or why the one under the cursor cannot be."""
    if bench.desk is not None:
        said = bench.query_one(ImageGrid).said or bench.desk.images_count()
        pane, subtitle = bench.query_one(ImagesPane), escape(said)
        if pane.border_subtitle != subtitle:  # setting it draws the pane anew
            pane.border_subtitle = subtitle


def show_form(bench: Bench) -> None:
    """The form of the line under the recipe's cursor."""
    if bench.desk is not None:
        place = bench.query_one(RecipeList).place
        bench.query_one("#form", ParameterForm).show(bench.desk.form(place))


def show_results(bench: Bench) -> None:
    """The parts that a run changes: of the screen that lies on top, else of the bench.

    For each change behind a dialog Textual draws and dims the whole bench, while keys wait.
    """
    bench.redraw = None
    if bench.desk is None:
        return
    if bench.running is not None:
        bench.running.show_queue()
    if bench.plots is not None and bench.plots.is_attached:
        bench.plots.show(bench.desk.plots())
    bench.outdated = bench.app.screen is not bench
    if bench.outdated:
        return
    sheet = bench.query_one(ContactSheet)
    sheet.view = bench.desk.sheet(bench.latents)
    if sheet.border_title != (title := f"3 {sheet.view.title}"):  # setting it draws all of it anew
        sheet.border_title = title
    show_flow(bench)
    ready = bench.engine.ready if bench.engine else None
    bench.query_one(ProgressLine).view = bench.desk.progress(ready.device if ready else "")
    show_header(bench)


def show_run(bench: Bench) -> None:
    """Show at once what a run changed, and the keys that go with it."""
    show_results(bench)
    bench.refresh_bindings()


def show_flow(bench: Bench) -> None:
    """The image and the variant under the cursor, and where it stands in the trade-off."""
    if bench.desk is None:
        return
    image, variant = under_cursor(bench)
    bench.query_one(Flow).view = bench.desk.flow(image, variant)
    trade_off = bench.desk.trade_off(variant)
    bench.query_one(TradeOff).view = trade_off
    bench.set_class(bool(trade_off.points), "-swept")


def under_cursor(bench: Bench) -> tuple[int, int | None]:
    """The image that is looked at, and the variant when there is one."""
    sheet = bench.query_one(ContactSheet)
    rows = sheet.view.rows
    variant = rows[sheet.row].variant if sheet.row < len(rows) else None
    if variant is None:
        variant = next((row.variant for row in rows if row.variant is not None), None)
    if rows:
        return sheet.image, variant
    place = bench.query_one(ImageGrid).place
    return (bench.desk.column(place) if bench.desk else None) or 0, variant
