"""The main screen's actions, a file for each subject; an action is declared beside its function."""

from workbench.tui.actions import ActionGroup, register
from workbench.tui.main.actions import files, panes, program, recipe, runs, session, views

EVERYWHERE = "Everywhere"

MAIN_ACTIONS = register(
    ActionGroup(
        EVERYWHERE,
        (
            *recipe.ACTIONS,
            *runs.ACTIONS,
            *session.ACTIONS,
            *files.ACTIONS,
            *views.ACTIONS,
            *panes.ACTIONS,
            *program.ACTIONS,
        ),
        remappable=True,
    )
)
