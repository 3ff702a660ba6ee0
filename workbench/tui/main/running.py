"""Runs as the main screen's keys ask for them: stored runs queue up, auto-runs give way."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Protocol

from textual.timer import Timer

from workbench.tui.actions import key_of
from workbench.tui.present.runs import queue_lines
from workbench.tui.screens.queue.screen import QueueScreen

if TYPE_CHECKING:
    from textual.app import App

    from workbench.engine.protocol.client import EngineClient, Lost
    from workbench.engine.protocol.messages import Finished, Progress, Row, Started
    from workbench.tui.state.runs.run_queue import RunQueue
    from workbench.tui.state.runs.run_state import RunState
    from workbench.tui.state.workspace import Workspace

PAUSE = 0.25  # seconds of quiet after a change before an auto-run
RATES = (4.0, 1.0, 0.0)  # live previews per second


def new_queue() -> RunQueue:
    """An empty queue with the configured rate of previews."""
    from ddib.errors import InputError
    from workbench.library.configuration import read_config
    from workbench.tui.state.runs.run_queue import RunQueue

    queue = RunQueue()
    try:
        queue.previews = read_config().previews_per_second
    except InputError:  # the list of checkpoints has complained
        return queue
    return queue


class RunHost(Protocol):
    """The screen on which runs are shown."""

    @property
    def app(self) -> App[Any]:
        """The program."""

    @property
    def workspace(self) -> Workspace | None:
        """What is worked on."""

    def complain(self, words: str, title: str = "") -> None:
        """Say what went wrong."""

    def hint(self, words: str) -> None:
        """Say something in passing."""

    def show_run(self) -> None:
        """Show what a run changed."""

    def call_later_in(self, seconds: float, call: Callable[[], Awaitable[None]]) -> Timer:
        """Call something after so many seconds."""


class Running:
    """Queues, cancels and shows the runs of this program."""

    def __init__(self, host: RunHost, engine: EngineClient) -> None:
        self._host = host
        self._engine = engine
        self._auto_run_timer: Timer | None = None
        self._reported = ""  # the last reason that was reported for the engine's end

    @property
    def _workspace(self) -> Workspace:
        workspace = self._host.workspace
        assert workspace is not None
        return workspace

    async def run(self) -> None:
        """Queue a kept run of the session as it stands; an auto-run gives way to it."""
        workspace = self._workspace
        if (same := workspace.queue.same(workspace.session, workspace.document.base)) is not None:
            waits = same in workspace.queue.waiting
            words = (
                f"This run waits already; {key_of('queue')} shows the queue."
                if waits
                else f"This run is under way; {key_of('cancel')} stops it."
            )
            self._host.hint(words)
            return
        self._cancel_auto_run_timer()
        await self.stop_auto()
        request = workspace.queue_run()
        if behind := len(workspace.queue.active) - 1:
            queued = f"Queued behind {behind}; {key_of('queue')} shows the queue."
            self._host.hint(queued)
        self._host.show_run()
        await self._engine.run(request)
        self._host.show_run()

    async def cancel(self, run: RunState | None) -> None:
        """Stop a run, or take it out of the queue; what is finished stays."""
        if run is None or not run.active or run.cancelling:
            return
        run.cancelling = True
        self._host.show_run()
        await self._engine.cancel(run.id)

    async def stop_auto(self) -> None:
        """Stop the auto-run that is not ended."""
        for run in self._workspace.queue.active:
            if run.auto:
                await self.cancel(run)

    async def next_rate(self) -> None:
        """Live previews 4 per second, 1, none, and again."""
        queue = self._workspace.queue
        known = queue.previews in RATES
        queue.previews = (
            RATES[(RATES.index(queue.previews) + 1) % len(RATES)] if known else RATES[0]
        )
        rate = f"{queue.previews:g} per second" if queue.previews else "off, rows come when whole"
        self._host.hint(f"Live previews: {rate}.")
        self._host.show_run()
        await self._engine.set_previews(queue.previews)

    # ---- auto-run

    async def toggle_auto(self) -> None:
        """Switch auto-run on, which runs at once, or off."""
        queue = self._workspace.queue
        queue.auto = not queue.auto
        self._host.show_run()
        if queue.auto:
            await self._auto_run()
        else:
            self._cancel_auto_run_timer()
            await self.stop_auto()

    def session_changed(self) -> None:
        """After a pause, run a few images of the changed session, if auto-run is on."""
        self._cancel_auto_run_timer()
        if self._workspace.queue.auto:
            self._auto_run_timer = self._host.call_later_in(PAUSE, self._auto_run)

    def _cancel_auto_run_timer(self) -> None:
        if self._auto_run_timer is not None:
            self._auto_run_timer.stop()
            self._auto_run_timer = None

    async def _auto_run(self) -> None:
        self._auto_run_timer = None
        workspace = self._workspace
        await self.stop_auto()
        done = workspace.queue.done(workspace.session, workspace.document.base)
        if done is not None and await self._has_pictures(done):
            workspace.queue.show(done)
            self._host.show_run()
        elif workspace.queue.same(workspace.session, workspace.document.base) is None:
            request = workspace.queue_run(auto=True)
            self._host.show_run()
            await self._engine.run(request)

    # ---- what the engine reports

    def on_run_event(self, event: Started | Row | Progress | Finished) -> bool:
        """Take in a report on a run; return whether the run ended."""
        from workbench.engine.protocol.messages import Finished

        run = self._workspace.queue.receive(event)
        if run is None or not isinstance(event, Finished):
            return False
        if (
            event.status == "failed"
            and event.error
            and not run.auto
            and event.error != self._reported
        ):
            name = f"Run {run.number} failed" if run.number > 1 else "The run failed"
            self._host.complain(event.error, name)
        return True

    def on_engine_lost(self, event: Lost) -> None:
        """The engine is gone, and with it the runs that waited."""
        self._reported = event.reason
        runs = len(self._workspace.queue.active)
        also = f"\nThe {runs} runs that it had are lost." if runs > 1 else ""
        self._host.complain(f"{event.reason}.{also}\nThe next run starts it again.", "Engine gone")

    # ---- the queue

    def open_queue(self) -> None:
        """List all runs since the program started."""
        screen = QueueScreen(queue_lines(self._workspace.queue), self._cancel_id)
        self._host.app.push_screen(screen, self._show_id)

    def show_queue(self) -> None:
        """Tell the queue's screen, when it is open, what there is now."""
        for screen in self._host.app.screen_stack:
            if isinstance(screen, QueueScreen):
                screen.show(queue_lines(self._workspace.queue))

    async def _cancel_id(self, run_id: str) -> None:
        await self.cancel(self._workspace.queue.find(run_id))

    async def _show_id(self, run_id: str | None) -> None:
        run = self._workspace.queue.find(run_id) if run_id else None
        if run is not None and await self._has_pictures(run):
            self._workspace.queue.show(run)
            self._host.show_run()

    async def _has_pictures(self, run: RunState) -> bool:
        """Whether a run's pictures are in memory, if need be after reading them from its directory.

        Says what of them is missing or damaged.
        """
        from ddib.errors import InputError
        from workbench.tui.state.runs.reopen_run import reopen

        if run.directory is None or not run.released:
            return True
        try:
            reopened = await asyncio.to_thread(reopen, run.directory)
        except InputError as error:
            self._host.complain(str(error), "This run cannot be shown")
            return False
        shown = reopened.run is not None
        if reopened.problems:
            title = "Parts of this run are missing" if shown else "This run cannot be shown"
            self._host.complain("\n".join(reopened.problems), title)
        if reopened.run is not None:
            run.take_pictures(reopened.run)
        return shown
