"""Actions on the program: theme, help, quit."""

from __future__ import annotations

import os
import signal

from textual import work
from textual.app import SuspendNotSupported

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
    """Go to the background, as ctrl+z does in a shell; `fg` brings the screen back.

    The default action of SIGTSTP does nothing where no shell could bring the program back, as
    under `ssh -t host ddib-workbench`; SIGSTOP would leave that terminal frozen.
    """
    try:
        with main.app.suspend():  # gives the terminal back, and draws everything anew afterwards
            handler = signal.signal(signal.SIGTSTP, signal.SIG_DFL)
            os.kill(os.getpid(), signal.SIGTSTP)
            signal.signal(signal.SIGTSTP, handler)
    except SuspendNotSupported:
        main.hint("This terminal cannot be left to a shell.")


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

    which = "A run is" if runs == 1 else f"{runs} runs are"
    words = f"{which} under way or waiting. Leaving stops that; finished rows are stored."
    answers = (("s", "stop and leave"), ("esc", "back"))
    return await main.app.push_screen_wait(Ask("Leave during a run", words, answers)) == "s"


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
