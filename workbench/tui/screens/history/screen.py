"""The history: every kept run, to look at, to name, and to take up again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Static

from workbench.tui.actions import ActionGroup, key_of
from workbench.tui.models import PictureRow, Spot
from workbench.tui.screens.dialogs.ask import Ask, Prompt
from workbench.tui.screens.history.actions import HISTORY_ACTIONS
from workbench.tui.screens.history.run_list import RunList
from workbench.tui.widgets.action_screen import ActionScreen
from workbench.tui.widgets.form import LineInput
from workbench.tui.widgets.key_hints import KeyHints
from workbench.tui.widgets.sheet import ContactSheet

if TYPE_CHECKING:
    from workbench.tui.models import RunLineView
    from workbench.tui.state.runs.run_list import StoredRun

LOOK = 1.0  # seconds between two looks at whether there are other runs


class SearchInput(LineInput):
    """The words to search for; up, down and enter go back to the list."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,down,up,tab", "screen.leave_search(True)", "to the list"),
        Binding("escape", "screen.leave_search(False)", "end the search"),
    ]


class RunHistory(ActionScreen[Path | None]):
    """Runs at the left, the one under the cursor at the right where there is room."""

    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (110, "-wide")]  # noqa: RUF012  # as in the main screen
    ACTION_GROUP: ClassVar[ActionGroup] = HISTORY_ACTIONS

    def __init__(
        self,
        folder: Path,
        rows: Sequence[PictureRow] = (),
        at: Spot = Spot(0, 0),  # noqa: B008  # immutable
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ):
        """`rows`, `at`: the main screen's pictures to compare with, and which of them is A."""
        super().__init__()
        self._folder, self._clock = folder, clock
        self._rows, self._at = rows, at
        self._runs: dict[str, StoredRun] = {}
        self._lines: dict[str, RunLineView] = {}  # those that were read
        self._changed: object = None  # when the folder last did

    def compose(self) -> ComposeResult:
        """Search, list and preview, keys."""
        with Horizontal(id="history"):
            with Vertical(id="history-runs", classes="pane") as pane:
                pane.border_title = "History"
                yield SearchInput(placeholder="words of the name, recipe or note", compact=True)
                yield RunList(id="runs")
            with Vertical(id="history-preview", classes="pane"):
                yield Static(id="history-facts", markup=False)
                yield ContactSheet(id="history-sheet")
        yield KeyHints()

    def on_mount(self) -> None:
        """The list first."""
        self.query_one(ContactSheet).can_focus = False
        self.query_one(SearchInput).display = False
        self.query_one(RunList).focus()
        self._scan()
        self.set_interval(LOOK, self._look)

    # ---- the runs

    def _look(self) -> None:
        """Runs that were added or deleted meanwhile."""
        if self._stamp() != self._changed:
            self._scan()

    def _stamp(self) -> object:
        try:
            return self._folder.stat().st_mtime_ns
        except OSError:
            return None

    @work(exclusive=True, group="scan")
    async def _scan(self) -> None:
        from ddib.errors import InputError
        from workbench.tui.state.runs.run_list import scan

        self._changed = self._stamp()
        try:
            runs = await asyncio.to_thread(scan, self._folder)
        except InputError as error:
            self._complain(str(error))
            return
        self._runs = {run.path.name: run for run in runs}
        self._list()

    def _list(self) -> None:
        """The runs that are searched for."""
        from workbench.tui.present.stored_runs import plain_line
        from workbench.tui.screens.history.search import search

        typed = self.query_one(SearchInput).value
        found = search(list(self._runs.values()), typed)
        shown = self.query_one(RunList)
        empty = (
            "No run is kept yet.",
            "",
            f"Back with esc, then {key_of('run')} runs the session.",
        )
        if typed:
            empty = (f"No run has “{typed.strip()}”.", "", "esc ends the search.")
        now = self._clock()
        lines = [plain_line(run, now, self._lines.get(run.path.name)) for run in found]
        shown.show(lines, empty, shown.chosen)
        total, pane = len(self._runs), self.query_one("#history-runs")
        counted = f"{len(found):,} of {total:,}" if typed.strip() else f"{total:,}"
        pane.border_title = f"History · {counted} run{'' if total == 1 else 's'}"

    @work(group="lines")
    async def on_run_list_in_sight(self, event: RunList.InSight) -> None:
        """Read what a run's line needs, from the top down."""
        from workbench.tui.present.stored_runs import line

        for name in event.names:
            if (run := self._runs.get(name)) is not None:
                view = await asyncio.to_thread(line, run, self._clock())
                self._lines[view.name] = view
                self.query_one(RunList).put(view)

    @work(exclusive=True, group="preview")
    async def on_run_list_highlighted(self, event: RunList.Highlighted) -> None:
        """Show the run under the cursor at the side."""
        from workbench.tui.models import RunPreview
        from workbench.tui.present.stored_runs import preview

        run = self._runs.get(event.name or "")
        view = await asyncio.to_thread(preview, run) if run else RunPreview()
        parts: list[tuple[str, str]] = [(view.title, "bold $foreground")]
        if view.note:
            parts.append((f"\n“{view.note}”", "$accent"))
        parts += [(f"\n{fact}", "$dim") for fact in view.facts]
        if view.problem:
            parts.append((f"\n{view.problem}", "$error"))
        self.query_one("#history-facts", Static).update(Content.assemble(*parts))
        self.query_one(ContactSheet).view = view.sheet

    # ---- search

    def action_search(self) -> None:
        """Type to narrow the list down."""
        search = self.query_one(SearchInput)
        search.display = True
        search.focus()

    def action_leave_search(self, keep: bool) -> None:
        """Back to the list, with what was found or with all runs."""
        search = self.query_one(SearchInput)
        if not keep or not search.value.strip():
            search.value = ""
            search.display = False
        self.query_one(RunList).focus()

    def on_input_changed(self) -> None:
        """Narrow the list down."""
        self._list()

    # ---- what the keys do

    def action_back(self) -> None:
        """First out of the search, then out of the history."""
        if self.query_one(SearchInput).value:
            self.action_leave_search(False)
        else:
            self.dismiss(None)

    def on_run_list_chosen(self) -> None:
        """A second click."""
        self.action_open()

    def action_open(self) -> None:
        """Take the run up again."""
        if (run := self._chosen) is not None:
            self.dismiss(run.path)

    @work(exclusive=True, group="dialog")
    async def action_compare(self) -> None:
        """Its pictures with those on the main: A is the one under the cursor there."""
        from ddib.errors import InputError
        from workbench.tui.present.stored_runs import stored_picture_rows
        from workbench.tui.screens.viewer.screen import ViewScreen

        if (run := self._chosen) is None:
            return
        if not self._rows:
            self._complain("The main screen has no picture to compare with; open a run first.")
            return
        try:
            theirs = await asyncio.to_thread(stored_picture_rows, run.path)
        except InputError as error:
            self._complain(str(error))
            return
        if not theirs:
            self._complain(f"{run.name} has no pictures.")
            return
        here = [replace(row, title=f"main: {row.title}") for row in self._rows]
        there = [replace(row, title=f"{run.name}: {row.title}") for row in theirs]
        row = min(self._at.row, len(there) - 1)
        at = Spot(len(here) + row, min(self._at.image, len(there[row].pixels) - 1))
        self.app.push_screen(ViewScreen((*here, *there), at, self._at))

    def action_pin(self) -> None:
        """First in the list, or back to its date."""
        if (run := self._chosen) is not None:
            self._change(run, pinned=not run.notes.pinned)

    @work(exclusive=True, group="dialog")
    async def action_rename(self) -> None:
        """A name in place of the session's title."""
        if (run := self._chosen) is None:
            return
        words = f"Shown in place of “{run.title or run.session}”; none takes it away."
        typed = await self.app.push_screen_wait(Prompt("Name", words, run.notes.name))
        if typed is not None:
            self._change(run, name=typed)

    @work(exclusive=True, group="dialog")
    async def action_annotate(self) -> None:
        """A note."""
        if (run := self._chosen) is None:
            return
        words = "What was seen, or why it was run; the search finds it."
        typed = await self.app.push_screen_wait(Prompt("Note", words, run.notes.note))
        if typed is not None:
            self._change(run, note=typed)

    @work(exclusive=True, group="dialog")
    async def action_delete(self) -> None:
        """Delete the run's directory, after asking."""
        from ddib.errors import InputError, RunError
        from workbench.runs.store import delete_run

        if (run := self._chosen) is None:
            return
        words = f"{run.name}\n{run.path}\n\nIts pictures and latents are gone for good."
        answer = await self.app.push_screen_wait(
            Ask("Delete this run?", words, (("d", "delete"), ("esc", "keep")))
        )
        if answer != "d":
            return
        try:
            await asyncio.to_thread(delete_run, self._folder, run.path.name)
        except (InputError, RunError) as error:
            self._complain(str(error))
        self._scan()

    @property
    def _chosen(self) -> StoredRun | None:
        return self._runs.get(self.query_one(RunList).chosen or "")

    def _change(self, run: StoredRun, **changes: Any) -> None:
        from ddib.errors import InputError, RunError
        from workbench.runs.notes import change_notes

        try:
            change_notes(run.path, **changes)
        except (InputError, RunError) as error:
            self._complain(str(error))
        self._scan()

    def _complain(self, words: str) -> None:
        self.notify(words, severity="error", timeout=12, markup=False)
