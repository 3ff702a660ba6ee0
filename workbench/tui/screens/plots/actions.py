"""The actions of the plots of a sweep."""

from workbench.tui.actions import Action, ActionGroup, register

PLOTS_ACTIONS = register(
    ActionGroup(
        "Plots of a sweep",
        (
            Action("dismiss(None)", "escape,q,g", "back", shown=True, key_display="esc"),
            Action(
                "take",
                "enter",
                "to the sheet",
                "back, to this variant in the results",
                shown=True,
            ),
            Action("variant(-1)", "left", "variant", shown=True, key_display="←→"),
            Action("variant(1)", "right", "variant"),
            Action("metric(1)", "down", "metric", shown=True, key_display="↑↓"),
            Action("metric(-1)", "up", "metric"),
            Action("trade_off", "t", "trade-off", "the trade-off of two metrics", shown=True),
            Action("axis('x')", "x", "axis", "another metric along x", shown=True),
            Action("axis('y')", "y", "axis", "another metric along y", shown=True),
        ),
        notes=(
            ("↑ ↓", "another metric"),
            ("← →", "from variant to variant; its pictures are shown below"),
        ),
        page="screen",
    )
)
