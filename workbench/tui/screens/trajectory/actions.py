"""The actions of the trajectory."""

from workbench.tui.actions import Action, ActionGroup, register

TRAJECTORY_ACTIONS = register(
    ActionGroup(
        "Trajectory",
        (
            Action("leave", "escape,q,T", "back", shown=True, key_display="esc"),
            Action("go(-1)", "left", "state", shown=True, key_display="← →"),
            Action("go(1)", "right", "next state"),
            Action("go(-10)", "shift+left", "10 states back"),
            Action("go(10)", "shift+right", "10 states on"),
            Action("go(-9999)", "home", "first state"),
            Action("go(9999)", "end", "last state"),
            Action("play", "space", "play", "play, and stop", shown=True),
            Action("zoom(1)", "plus,equals_sign", "strip", shown=True, key_display="+ -"),
            Action("zoom(-1)", "minus", "smaller strip"),
        ),
        notes=(
            ("← →", "one state back and on; with shift 10; home and end"),
            ("+ -", "larger and smaller pictures in the strip"),
        ),
        page="screen",
    )
)
