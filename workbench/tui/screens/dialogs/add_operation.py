"""The palette of operations: type a few letters, enter adds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from workbench.tui.models import EditStage, Item, Position
from workbench.tui.screens.dialogs.pick import Picker


class AddOperation(Picker):
    """Each operation with its one line; tab goes between image and latent."""

    def __init__(
        self,
        operations: Sequence[tuple[str, str]],
        position: Position,
        counts: Mapping[Any, int],
    ) -> None:
        """`counts`: how many operations each stage has."""
        items = [Item(name, name.replace("_", " "), words) for name, words in operations]
        super().__init__("", items, subtitle="enter add · tab image/latent · esc back")
        self._counts = counts
        self.position = position  # where the operation goes

    def on_mount(self) -> None:
        """Say where it goes."""
        super().on_mount()
        self._show_stage()

    def action_other(self) -> None:
        """The other stage, at its end."""
        stage: EditStage = "image" if self.position.stage == "latent" else "latent"
        self.position = Position(stage, self._counts[stage])
        self._show_stage()

    def _show_stage(self) -> None:
        self.query_one(".dialog").border_title = f"Add to the {self.position.stage}"
