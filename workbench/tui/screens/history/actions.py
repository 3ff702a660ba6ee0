"""The actions of the history."""

from workbench.tui.actions import Action, ActionGroup, register

HISTORY_ACTIONS = register(
    ActionGroup(
        "History",
        (
            Action("open", "enter", "open", "open the run in place of the session", shown=True),
            Action(
                "compare",
                "c",
                "compare",
                "compare its pictures with those on the main screen",
                shown=True,
            ),
            Action(
                "search",
                "slash",
                "search",
                "search names, recipes and notes",
                shown=True,
                key_display="/",
            ),
            Action("pin", "p", "pin", "keep it first in the list, or no longer", shown=True),
            Action("rename", "n", "name", "give it a name", shown=True),
            Action("annotate", "a", "note", "write a note", shown=True),
            Action("delete", "d", "delete", "delete its directory, after a question", shown=True),
            Action("back", "escape", "back", shown=True, key_display="esc"),
            Action("dismiss(None)", "h,q", "back"),
        ),
        page="runs",
    )
)
