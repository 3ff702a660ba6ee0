"""The actions of the manual."""

from workbench.tui.actions import Action, ActionGroup, register

MANUAL_ACTIONS = register(
    ActionGroup(
        "Manual",
        (
            Action("search", "slash", "search", "search all pages", key_display="/"),
            Action("next_page(1)", "n,right", "next page", "the next page", key_display="n →"),
            Action("next_page(-1)", "p,left", "page before", "the page before", key_display="p ←"),
            Action("back", "escape,q,question_mark", "back"),
        ),
        page="start",
    )
)
