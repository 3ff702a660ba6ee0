"""Actions on the program: theme, help, quit."""

from __future__ import annotations

import os
import signal

from textual import work

from workbench.tui.actions import ACTIONS as REGISTRY
from workbench.tui.actions import Action
from workbench.tui.main.base import MainBase
from workbench.tui.main.focus import PANES, focused_pane

HEADINGS = dict(zip(PANES, ("1 Checkpoints", "2 Images", "3 Results", "4 Recipe"), strict=True))


def show_help(main: MainBase) -> None:
    """Show all keys, those of the focused pane first."""
    from workbench.tui.screens.help.content import help_for
    from workbench.tui.screens.help.screen import HelpScreen

    heading = HEADINGS[focused_pane(main)]
    page = REGISTRY.groups[heading].page
    main.app.push_screen(HelpScreen(help_for(heading, REGISTRY.keymap), page))


def suspend(main: MainBase) -> None:
    """Go to the background, as ctrl+z does in a shell; `fg` brings the screen back."""
    with main.app.suspend():  # gives the terminal back, and draws everything anew afterwards
        os.kill(os.getpid(), signal.SIGSTOP)


def show_manual(main: MainBase) -> None:
    """Show the manual at the page of the focused pane."""
    from workbench.tui.screens.help.manual import ManualScreen

    main.app.push_screen(ManualScreen(REGISTRY.groups[HEADINGS[focused_pane(main)]].page))


@work(exclusive=True, group="dialog")
async def leave(main: MainBase) -> None:
    """Leave the program, with a question when a run is under way or something is unsaved."""
    opened = main.opened
    if opened is not None:
        runs = [run for run in opened.workspace.queue.active if not run.auto]
        if runs and not await _may_stop(main, len(runs)):
            return
        if not await opened.files.may_leave(opened.workspace.document):
            return
    await main.close(keep=False)
    main.app.exit()


async def _may_stop(main: MainBase, runs: int) -> bool:
    """Whether the user lets go of the runs that are not ended."""
    from workbench.tui.screens.dialogs.ask import Ask

    words = "A run is" if runs == 1 else f"{runs} runs are"
    answer = await main.app.push_screen_wait(
        Ask(
            "Leave during a run",
            f"{words} not ended. Leaving stops it; the rows that are whole are stored."
            if runs == 1
            else f"{words} not ended. Leaving stops them; the rows that are whole are stored.",
            (("s", "stop and leave"), ("esc", "back")),
        )
    )
    return answer == "s"


ACTIONS = (
    Action(
        "app.theme",
        "ctrl+t",
        "theme",
        "Dark, light, or the terminal's own background",
        title="Theme",
        more="theme: dark, light, the terminal's own background",
    ),
    Action(
        "help",
        "question_mark",
        "help",
        "All keys",
        title="Help",
        shown=True,
        key_display="?",
        handler=show_help,
    ),
    Action(
        "manual",
        "",
        "manual",
        "What everything is for, searchable (? and then m)",
        title="Manual",
        handler=show_manual,
    ),
    Action(
        "suspend",
        "ctrl+z",
        "suspend",
        "To the background; fg in the shell brings it back",
        title="Suspend",
        handler=suspend,
    ),
    Action("quit", "q", "quit", "Leave the program", title="Quit", shown=True, handler=leave),
    Action("quit", "ctrl+q", "quit", fixed=True),
)
