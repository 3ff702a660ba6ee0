"""The bench's panes, beside each other or behind each other as tabs, and which has the focus."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from textual.widget import Widget

from workbench.tui.widgets.form import ParameterForm
from workbench.tui.widgets.tabs import TabLine

if TYPE_CHECKING:
    from workbench.tui.main.screen import Bench

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


def focus_pane(bench: Bench, pane: str) -> None:
    """Focus a pane, bringing its tab to the front."""
    bench.remove_class("-zoomed") if pane != "sheet" else None
    show_tab(bench, TAB_OF_PANE[pane])
    bench.set_focus(bench.query_one(f"#{pane}"))  # at once: the next key may be on its way


def next_pane(bench: Bench, by: int) -> None:
    """The next field of a form, or the next pane."""
    focused = bench.focused
    form = next((w for w in _upwards(focused) if isinstance(w, ParameterForm)), None)
    if form is not None:
        fields = [row.control for row in form.fields]
        index = fields.index(focused) + by if focused in fields else -1
        if 0 <= index < len(fields):
            bench.set_focus(fields[index])
            return
    focus_pane(bench, PANES[(PANES.index(focused_pane(bench)) + by) % len(PANES)])


def focused_pane(bench: Bench) -> str:
    """The pane that has the focus, itself or in its form."""
    pane = next((w.id for w in _upwards(bench.focused) if w.id in TAB_OF_PANE), None) or "sheet"
    return {"form": "recipe", "images": "grid", "images-form": "grid"}.get(pane, pane)


def show_tab(bench: Bench, tab: str) -> None:
    """Bring a tab to the front, where there is no room for all."""
    bench.query_one(TabLine).active = tab
    shown = {f"-show-{name}": name == tab for name in PANE_OF_TAB}
    # An update of the whole screen's styles takes 50 ms; only narrow ones depend on these.
    bench.update_classes(shown, update=bench.has_class("-narrow"))


def _upwards(widget: Widget | None) -> Iterator[Widget]:
    """A widget and what it lies in."""
    node: Any = widget
    while isinstance(node, Widget):
        yield node
        node = node.parent
