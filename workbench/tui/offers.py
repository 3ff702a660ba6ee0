"""What makes sense now: the footer and the palette offer nothing else."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from workbench.tui.desk import Desk

NEEDS: dict[str, Callable[[Desk], bool]] = {
    "cancel": lambda desk: bool(desk.queue.active),
    "undo": lambda desk: desk.document.history.can_undo,
    "redo": lambda desk: desk.document.history.can_redo,
    "view": lambda desk: desk.run is not None or desk.pictures.pixels is not None,
}


def offered(action: str, desk: Desk | None) -> bool:
    """Whether an action of the bench has something to act on."""
    needs = NEEDS.get(action)
    return needs is None or (desk is not None and needs(desk))
