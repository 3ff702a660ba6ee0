"""Actions that move the focus from pane to pane."""

from __future__ import annotations

from workbench.tui.actions import Action
from workbench.tui.main.focus import PANES, focus_next, focus_pane

ACTIONS = (
    Action("next_pane(1)", "tab", "next pane", more="the next pane", handler=focus_next),
    Action("next_pane(-1)", "shift+tab", "previous pane", more="the pane before"),
    *(
        Action(
            f"pane('{pane}')",
            str(number),
            pane,
            more={"grid": "images", "sheet": "results"}.get(pane, pane),
            handler=focus_pane,
        )
        for number, pane in enumerate(PANES, 1)
    ),
)
