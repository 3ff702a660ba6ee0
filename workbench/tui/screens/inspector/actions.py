"""The actions of the latent inspector."""

from workbench.tui.actions import Action, ActionGroup, register

INSPECTOR_ACTIONS = register(
    ActionGroup(
        "Inspecting",
        (
            Action("leave", "escape,q,i", "back", shown=True, key_display="esc"),
            Action("image(-1)", "left", "image before", first=True),
            Action("image(1)", "right", "image", shown=True, key_display="← →", first=True),
            Action("all", "a", "all images", "all images as one", shown=True),
            Action("plot(1)", "tab", "plot", shown=True),
            Action("plot(-1)", "shift+tab", "plot"),
        ),
        notes=(
            ("↑ ↓", "the latent before the recipe, after each operation"),
            ("← →", "another image"),
            ("tab", "histogram, spectrum, channels, where there is room for one"),
            ("!", "beyond 3 standard errors of white noise N(0, 1)"),
        ),
        page="screen",
    )
)
