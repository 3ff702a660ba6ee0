"""The source images: where they come from, and their thumbnails."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Vertical

from workbench.tui.main.panes.image_grid import ImageGrid
from workbench.tui.widgets.form import ParameterForm


class ImagesPane(Vertical):
    """A form for the entry of the session, a grid for what it means."""

    def compose(self) -> ComposeResult:
        """Form above, grid below."""
        yield ParameterForm(id="images-form", back="#grid")
        yield ImageGrid(id="grid")
