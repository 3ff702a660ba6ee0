"""Which pane of the main screen has the focus, and which tab is in front on a narrow one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from textual.screen import Screen
from textual.widget import Widget

from workbench.tui.main.panes.tabs import TabLine
from workbench.tui.widgets.form import ParameterForm

PANES = ("checkpoints", "grid", "sheet", "recipe")
TAB_OF_PANE = {
    "checkpoints": "library",
    "images": "library",
    "grid": "library",
    "images-form": "library",
    "sheet": "flow",
    "recipe": "recipe",
    "form": "recipe",
}
PANE_OF_TAB = {"library": "checkpoints", "flow": "sheet", "recipe": "recipe"}


def focus_pane(screen: Screen[Any], pane: str) -> None:
    """Focus a pane, bringing its tab to the front."""
    if pane != "sheet":
        screen.remove_class("-zoomed")
    show_tab(screen, TAB_OF_PANE[pane])
    screen.set_focus(screen.query_one(f"#{pane}"))  # at once: the next key may be on its way


def focus_next(screen: Screen[Any], by: int) -> None:
    """Focus the next field of a form, or the next pane."""
    focused = screen.focused
    form = next((w for w in _upwards(focused) if isinstance(w, ParameterForm)), None)
    if form is not None:
        fields = [row.control for row in form.fields]
        index = fields.index(focused) + by if focused in fields else -1
        if 0 <= index < len(fields):
            screen.set_focus(fields[index])
            return
    focus_pane(screen, PANES[(PANES.index(focused_pane(screen)) + by) % len(PANES)])


def focused_pane(screen: Screen[Any]) -> str:
    """The pane that has the focus, itself or in its form."""
    pane = next((w.id for w in _upwards(screen.focused) if w.id in TAB_OF_PANE), None) or "sheet"
    return {"form": "recipe", "images": "grid", "images-form": "grid"}.get(pane, pane)


def show_tab(screen: Screen[Any], tab: str) -> None:
    """Bring a tab to the front, where there is no room for all."""
    screen.query_one(TabLine).active = tab
    shown = {f"-show-{name}": name == tab for name in PANE_OF_TAB}
    # An update of the whole screen's styles takes 50 ms; only narrow ones depend on these.
    screen.update_classes(shown, update=screen.has_class("-narrow"))


def _upwards(widget: Widget | None) -> Iterator[Widget]:
    """A widget and what it lies in."""
    node: Any = widget
    while isinstance(node, Widget):
        yield node
        node = node.parent
