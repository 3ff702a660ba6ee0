"""The actions of the viewer."""

from typing import Literal

from workbench.tui.actions import Action, ActionGroup, register

Mode = Literal["single", "side by side", "flicker", "difference"]
MODES: tuple[Mode, ...] = ("single", "side by side", "flicker", "difference")

VIEWER_ACTIONS = register(
    ActionGroup(
        "Looking closely",
        (
            Action("leave", "escape,q,v,enter", "back", shown=True, key_display="esc"),
            Action("go(0, 1)", "n", "image", "the next image; also shift and →", shown=True),
            Action("go(1, 0)", "N", "row", "the next row; also shift and ↓", shown=True),
            Action("go(0, 1)", "shift+right", "next image"),
            Action("go(0, -1)", "shift+left", "image before"),
            Action("go(1, 0)", "shift+down", "next row"),
            Action("go(-1, 0)", "shift+up", "row before"),
            Action(
                "mark", "m", "mark A", "mark the picture as A; then go to another, B", shown=True
            ),
            Action("cycle(1)", "tab", "compare", "the next way to compare A and B", shown=True),
            Action("cycle(-1)", "shift+tab", "compare"),
            *(
                Action(f"mode('{mode}')", str(number), mode, mode)
                for number, mode in enumerate(MODES, 1)
            ),
            Action("hold", "space", "hold", "hold the flicker", shown=True),
            Action("whole", "w", "whole row", "the whole row of pictures", shown=True),
            Action(
                "graphics",
                "f",
                "full resolution",
                "full resolution, by the terminal's own graphics",
                shown=True,
            ),
            Action("sheet", "F", "the run's sheet", "the same of the run's sheet.png"),
            Action("zoom(1)", "plus,equals_sign", "larger", "larger", shown=True, key_display="+"),
            Action("zoom(-1)", "minus", "smaller", "smaller, by whole factors", key_display="-"),
            Action("fit", "0", "fit", "as large as fits"),
            Action("point(-1, 0)", "left", "left"),
            Action("point(1, 0)", "right", "right"),
            Action("point(0, -1)", "up", "up"),
            Action("point(0, 1)", "down", "down"),
            Action("page(-1, 0)", "home", "a window left"),
            Action("page(1, 0)", "end", "a window right"),
            Action("page(0, -1)", "pageup", "a window up"),
            Action("page(0, 1)", "pagedown", "a window down"),
        ),
        notes=(("arrows", "move the crosshair, and the picture where it is larger than the room"),),
        page="screen",
    )
)
