"""The queue: runs under way, waiting and ended since the program started."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from itertools import groupby
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical

from workbench.tui.models import QueueLineView
from workbench.tui.screens.dialogs.dialog import Dialog
from workbench.tui.widgets.lines import Lines, Part

NAME = 18  # cells of a run's name
STYLES = {
    "done": "lines--on",
    "failed": "lines--error",
    "cancelled": "lines--dim",
    "waiting": "lines--dim",
}


class QueueScreen(Dialog[str | None]):
    """A line for each run; gives the id of the run that is to be shown."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,Q", "dismiss(None)", "back"),
        Binding("enter", "take", "show"),
        Binding("c,d", "cancel", "cancel"),
    ]

    def __init__(
        self, runs: Sequence[QueueLineView], cancel: Callable[[str], Awaitable[None]]
    ) -> None:
        """`cancel`: what stops the run of an id."""
        super().__init__()
        self._runs, self._cancel = tuple(runs), cancel
        self._ids: list[str | None] = []  # the run of each line

    def compose(self) -> ComposeResult:
        """The list."""
        with Vertical(classes="dialog queue") as dialog:
            dialog.border_title = "Queue"
            dialog.border_subtitle = "enter show · c cancel · esc back"
            yield Lines()

    def on_mount(self) -> None:
        """The lines as they are now."""
        self._fill()
        self.query_one(Lines).focus()

    def show(self, runs: Sequence[QueueLineView]) -> None:
        """Other runs, or news of them; the cursor stays on its run."""
        if tuple(runs) != self._runs and self.is_mounted:
            self._runs = tuple(runs)
            self._fill()

    def on_lines_chosen(self) -> None:
        """A click on the line."""
        self.action_take()

    def action_take(self) -> None:
        """Show the results of the run under the cursor."""
        if (run := self._run) is not None:
            self.dismiss(run)

    async def action_cancel(self) -> None:
        """Cancel the run under the cursor."""
        if (run := self._run) is not None:
            await self._cancel(run)

    @property
    def _run(self) -> str | None:
        cursor = self.query_one(Lines).cursor
        return self._ids[cursor] if cursor < len(self._ids) else None

    def _fill(self) -> None:
        view, here = self.query_one(Lines), self._run
        lines: list[tuple[list[Part], list[Part], bool]] = []
        self._ids = []
        for group, runs in groupby(self._runs, lambda run: run.group):
            lines.append(([(f" {group}", "lines--heading")], [], False))
            self._ids.append(None)
            for run in runs:
                lines.append(_line(run))
                self._ids.append(run.id)
        if not lines:
            lines = [([(" No run yet; run the session first.", "lines--dim")], [], False)]
        view.set_lines(lines)
        if here is not None and here in self._ids:
            view.cursor = self._ids.index(here)


def _line(run: QueueLineView) -> tuple[list[Part], list[Part], bool]:
    name = run.name if len(run.name) <= NAME else run.name[: NAME - 1] + "…"
    left: list[Part] = [
        ("▸" if run.shown else " ", "lines--accent"),
        (f"{run.number:>3}  ", "lines--dim"),
        (f"{name:<{NAME}}  ", ""),
        (run.recipe, "lines--dim"),
    ]
    right: list[Part] = [
        (f" {run.state:>11}", STYLES.get(run.state, "lines--accent")),
        (f"{run.seconds:>9} ", "lines--dim"),
    ]
    return left, right, True
