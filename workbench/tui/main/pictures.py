"""The pictures of the contact sheet, and which of them is under the cursor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from textual.screen import Screen

from workbench.tui.models import PictureRow, Spot
from workbench.tui.widgets.sheet import ContactSheet

if TYPE_CHECKING:
    from workbench.tui.state.workspace import Workspace


def pictures(screen: Screen[Any], workspace: Workspace) -> tuple[tuple[PictureRow, ...], Spot]:
    """The sheet's rows that have pictures, and which of these is under the cursor."""
    from workbench.tui.present.workspace import picture_rows

    sheet = screen.query_one(ContactSheet)
    places = rows_with_pictures(sheet)
    row = min(range(len(places)), key=lambda i: abs(places[i] - sheet.row))
    return picture_rows(workspace, sheet.view), Spot(row, sheet.image)


def rows_with_pictures(sheet: ContactSheet) -> list[int]:
    """The indices of the sheet's rows that have pictures."""
    return [i for i, row in enumerate(sheet.view.rows) if row.pixels is not None] or [0]
