"""The runs since the program started, in their order, and which of them is shown."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from workbench.engine.protocol.messages import Finished, Progress, Row, Started
from workbench.tui.state.runs.run_state import RunState, row_dependencies

if TYPE_CHECKING:
    from pathlib import Path

    from workbench.session.schema import Session

MOST_LISTED = 50  # ended runs that are listed
MOST_WITH_PICTURES = 3  # ended runs that keep them in memory; of earlier ones they are read again
MOST_PICTURE_BYTES = 64 * 2**20  # bytes of pixels that ended runs may hold


class RunQueue:
    """Runs under way, waiting and ended; the newest that has something to show is shown."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.runs: list[RunState] = []
        self.shown: RunState | None = None
        self.last: RunState | None = None  # whose end the line at the bottom shows
        self.auto = False  # whether a change of the session runs a sample of it
        self.previews = 4.0  # pictures per second of a run under way
        self._shown_before: RunState | None = None  # comes back when the shown one fails empty
        self._clock = clock
        self._asked = 0
        self._behind = 0  # runs up to this number belong to a session that was put away

    @property
    def active(self) -> list[RunState]:
        """Runs that are not ended, in their order."""
        return [run for run in self.runs if run.active]

    @property
    def under_way(self) -> RunState | None:
        """The run that the engine works on, unless it is an auto-run that gives way."""
        begun = [run for run in self.active if run.started or run.progress]
        return next((run for run in begun if not (run.auto and run.cancelling)), None)

    @property
    def waiting(self) -> list[RunState]:
        """Runs that have not begun."""
        return [run for run in self.active if not (run.started or run.progress)]

    @property
    def to_cancel(self) -> RunState | None:
        """The run under way, else the newest that waits."""
        under_way = self.under_way
        if under_way is not None and not under_way.cancelling:
            return under_way
        waiting = [run for run in self.waiting if not run.cancelling]
        return waiting[-1] if waiting and under_way is None else None

    def find(self, run_id: str) -> RunState | None:
        """The run of an id."""
        return next((run for run in self.runs if run.id == run_id), None)

    def same(self, session: Session, base: Path | None) -> RunState | None:
        """A kept run under way or waiting that is of this very session."""
        kept = [run for run in self.active if not (run.auto or run.cancelling)]
        return next((run for run in kept if (run.session, run.base) == (session, base)), None)

    def done(self, session: Session, base: Path | None) -> RunState | None:
        """The newest whole run that has all results of a session."""
        found = (run for run in reversed(self.runs) if _is_done(run, session, base))
        return next(found, None)

    def knows_encoding(self, session: Session, base: Path | None) -> bool:
        """Whether a whole run in the queue has encoded what a session encodes."""
        return any(
            run.base == base
            and not run.auto
            and run.started is not None
            and row_dependencies(run.session, "latent") == row_dependencies(session, "latent")
            and (
                run.done
                or all(
                    row is not None and not row.partial
                    for row in (run.row("latent", v) for v in range(len(run.started.variants)))
                )
            )
            for run in self.runs
        )

    # ---- changes

    def add(self, run: RunState) -> None:
        """Put a run behind the others; a kept one is shown at once when none is before it."""
        self._asked += 1
        run.number = self._asked
        if not run.auto and not any(not other.auto for other in self.active):
            self._bring_forward(run)
        self.runs.append(run)

    def receive(self, event: Started | Row | Progress | Finished) -> RunState | None:
        """Take in what the engine says; the run that it is about."""
        run = self.find(event.id)
        if run is None:
            return None
        run.receive(event)
        if isinstance(event, Started):
            run.begun = self._clock()
        if isinstance(event, Row if run.auto else Started):
            self._show_newer(run, event)
        if isinstance(event, Finished):
            self._end(run)
        return run

    def show(self, run: RunState) -> None:
        """Show a run that was chosen."""
        self.shown = self.last = run

    def take_up(self, run: RunState) -> None:
        """Show a stored run."""
        self._asked += 1
        run.number = self._asked
        self.runs.append(run)
        self.show(run)

    def put_away(self) -> None:
        """Another session is opened: nothing is shown, and no earlier run comes to the front."""
        self.shown = self.last = self._shown_before = None
        self._behind = self._asked

    def seconds(self, run: RunState) -> float | None:
        """How long a run has been under way, or took."""
        if run.finished is not None and "total" in run.finished.seconds:
            return run.finished.seconds["total"]
        if run.begun is None or run.finished is not None:
            return None
        return self._clock() - run.begun

    def _show_newer(self, run: RunState, event: Started | Row | Progress | Finished) -> None:
        """An auto-run comes to the front with its first result, so that nothing flickers."""
        if isinstance(event, Row) and event.kind != "result":
            return
        if run.number > self._behind and (self.shown is None or run.number > self.shown.number):
            self._bring_forward(run)
            self._drop([old for old in self.runs if old.auto and not old.active and old is not run])

    def _bring_forward(self, run: RunState) -> None:
        if self.shown is not run:
            self._shown_before = self.shown
        self.shown = run

    def _end(self, run: RunState) -> None:
        replaced = run.auto and run.cancelling
        if run is self.shown and run.failed_empty and self._shown_before is not None:
            self.shown = self._shown_before
        if replaced and run is not self.shown:
            self._drop([run])
        if not replaced and run.number > self._behind:
            self.last = run
        ended = [
            r
            for r in self.runs
            if not r.active and r not in (self.shown, self.last, self._shown_before)
        ]
        for old in ended[:-MOST_WITH_PICTURES]:
            old.release()
        while ended and (
            len(ended) > MOST_LISTED or sum(r.size for r in ended) > MOST_PICTURE_BYTES
        ):
            self._drop([ended.pop(0)])

    def _drop(self, runs: list[RunState]) -> None:
        self.runs = [run for run in self.runs if all(run is not one for one in runs)]


def _is_done(run: RunState, session: Session, base: Path | None) -> bool:
    return (
        run.done
        and not run.auto
        and run.base == base
        and row_dependencies(run.session, "result") == row_dependencies(session, "result")
    )
