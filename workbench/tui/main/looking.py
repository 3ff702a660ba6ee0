"""What the bench's keys show without changing anything in the session."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual import work

from workbench.tui.main.panes import PANES, focused_pane
from workbench.tui.main.showing import under_cursor
from workbench.tui.present.models import Spot
from workbench.tui.terminal.keymap import Renamed
from workbench.tui.widgets.image_grid import ImageGrid
from workbench.tui.widgets.sheet import ContactSheet

if TYPE_CHECKING:
    from workbench.tui.main.screen import Bench
    from workbench.tui.present.models import PictureRow


def show_yaml(bench: Bench) -> None:
    """The session as it would be saved."""
    from workbench.tui.screens.dialogs.read import YamlScreen

    def left(edit: bool | None) -> None:
        if edit:
            bench.action_edit_yaml()

    if bench.desk is not None:
        document = bench.desk.document
        bench.app.push_screen(YamlScreen(document.name, document.yaml), left)


def show_help(bench: Bench) -> None:
    """All keys."""
    from workbench.tui.screens.dialogs.read import HelpScreen
    from workbench.tui.screens.help.content import help_for

    number = PANES.index(focused_pane(bench)) + 1
    bench.app.push_screen(HelpScreen(help_for(number, Renamed(bench.keymap))))


def latents(bench: Bench) -> None:
    """Rows of latents in the contact sheet, or without them."""
    bench.latents = not bench.latents
    bench.show_run()


def zoom(bench: Bench) -> None:
    """The middle alone, or all columns."""
    bench.toggle_class("-zoomed")


def pictures(bench: Bench) -> tuple[tuple[PictureRow, ...], Spot]:
    """The sheet's rows that have pictures, and which of these is under the cursor."""
    sheet = bench.query_one(ContactSheet)
    rows = bench.desk.picture_rows(sheet.view) if bench.desk else ()
    places = _places(sheet)
    row = min(range(len(places)), key=lambda i: abs(places[i] - sheet.row))
    return rows, Spot(row, sheet.image)


def _places(sheet: ContactSheet) -> list[int]:
    """Which rows of the sheet have pictures."""
    return [i for i, row in enumerate(sheet.view.rows) if row.pixels is not None] or [0]


def look_closely(bench: Bench) -> None:
    """The picture under the cursor, large; with a marked one, the two compared."""
    sheet = bench.query_one(ContactSheet)
    rows, at = pictures(bench)
    image = sheet.image if sheet.view.rows else bench.query_one(ImageGrid).cursor
    if rows:
        _open_view(bench, rows, Spot(at.row, min(image, len(rows[at.row].pixels) - 1)))
    else:
        bench.notify("There is no picture yet.", timeout=3)


def _open_view(bench: Bench, rows: Sequence[PictureRow], at: Spot) -> None:
    """The view of `rows`; afterwards the sheet's cursor is where it was left."""
    from workbench.tui.screens.viewer.screen import ViewScreen

    sheet = bench.query_one(ContactSheet)
    places = _places(sheet)
    marked = sheet.marked
    if marked is not None:
        marked = Spot(places.index(marked.row), marked.image)

    def back(left: tuple[Spot, Spot | None] | None) -> None:
        if left is None or not sheet.view.rows:
            return
        at, mark = left
        sheet.marked = None if mark is None else Spot(places[mark.row], mark.image)
        sheet.move_to(at.image, places[at.row])

    file = bench.desk.sheet_file if bench.desk else None
    bench.app.push_screen(ViewScreen(rows, at, marked, file), back)


@work(group="run")
async def trajectory(bench: Bench) -> None:
    """Encode and decode of the image under the cursor, step by step."""
    from workbench.tui.screens.trajectory.screen import follow

    if bench.desk is not None and bench.engine is not None:
        image, variant = under_cursor(bench)
        await follow(bench.app, bench.engine, bench.desk, image, variant or 0)


def inspect(bench: Bench) -> None:
    """The latents of the picture under the cursor, operation by operation."""
    from workbench.tui.screens.inspector.screen import look_inside

    if bench.desk is not None and bench.engine is not None:
        image, variant = under_cursor(bench)
        look_inside(bench.app, bench.engine, bench.desk, image, variant or 0)


def plots(bench: Bench) -> None:
    """A sweep's metrics against its values, or against each other."""
    from workbench.tui.screens.plots.screen import open_plots

    bench.plots = open_plots(bench)
