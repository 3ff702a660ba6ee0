"""Runs as the bench's keys ask for them: kept ones queue, auto-runs give way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.timer import Timer

from workbench.tui.screens.queue.screen import QueueScreen
from workbench.tui.terminal.keymap import key

if TYPE_CHECKING:
    from workbench.engine.protocol.client import EngineClient, Lost
    from workbench.engine.protocol.messages import Finished, Progress, Row, Started
    from workbench.tui.main.screen import Bench
    from workbench.tui.state.run_queue import RunQueue
    from workbench.tui.state.run_state import RunView
    from workbench.tui.state.workspace import Desk

PAUSE = 0.25  # seconds of quiet after a change before an auto-run
RATES = (4.0, 1.0, 0.0)  # live previews per second


def new_queue() -> RunQueue:
    """An empty queue with the configured rate of previews."""
    from ddib.errors import InputError
    from workbench.library.library import read_config
    from workbench.tui.state.run_queue import RunQueue

    queue = RunQueue()
    try:
        queue.previews = read_config().previews_per_second
    except InputError:  # the list of checkpoints has complained
        return queue
    return queue


class Running:
    """What the bench does about runs."""

    def __init__(self, bench: Bench, engine: EngineClient) -> None:
        self._bench = bench
        self._engine = engine
        self._soon: Timer | None = None
        self._said = ""  # the last thing said of the engine's end

    @property
    def _desk(self) -> Desk:
        assert self._bench.desk is not None
        return self._bench.desk

    async def run(self) -> None:
        """Queue a kept run of the session as it stands; an auto-run gives way to it."""
        desk = self._desk
        if (same := desk.queue.same(desk.session, desk.document.base)) is not None:
            waits = same in desk.queue.waiting
            words = (
                f"This run waits already; {key('queue')} shows the queue."
                if waits
                else f"This run is under way; {key('cancel')} stops it."
            )
            self._bench.notify(words, timeout=3)
            return
        self._forget_change()
        await self.stop_auto()
        request = desk.request()
        if behind := len(desk.queue.active) - 1:
            queued = f"Queued behind {behind}; {key('queue')} shows the queue."
            self._bench.notify(queued, timeout=3)
        self._bench.show_run()
        await self._engine.run(request)
        self._bench.show_run()

    async def cancel(self, run: RunView | None) -> None:
        """Stop a run, or take it out of the queue; what is finished stays."""
        if run is None or not run.active or run.cancelling:
            return
        run.cancelling = True
        self._bench.show_run()
        await self._engine.cancel(run.id)

    async def stop_auto(self) -> None:
        """Stop the auto-run that is not ended."""
        for run in self._desk.queue.active:
            if run.auto:
                await self.cancel(run)

    async def next_rate(self) -> None:
        """Live previews 4 per second, 1, none, and again."""
        queue = self._desk.queue
        known = queue.previews in RATES
        queue.previews = (
            RATES[(RATES.index(queue.previews) + 1) % len(RATES)] if known else RATES[0]
        )
        rate = f"{queue.previews:g} per second" if queue.previews else "off, rows come when whole"
        self._bench.notify(f"Live previews: {rate}.", timeout=3)
        self._bench.show_run()
        await self._engine.set_previews(queue.previews)

    # ---- auto-run

    async def toggle_auto(self) -> None:
        """Switch auto-run on, which runs at once, or off."""
        queue = self._desk.queue
        queue.auto = not queue.auto
        self._bench.show_run()
        if queue.auto:
            await self._auto_run()
        else:
            self._forget_change()
            await self.stop_auto()

    def changed(self) -> None:
        """The session is another one: after a pause, an auto-run."""
        self._forget_change()
        if self._desk.queue.auto:
            self._soon = self._bench.set_timer(PAUSE, self._auto_run)

    def _forget_change(self) -> None:
        if self._soon is not None:
            self._soon.stop()
            self._soon = None

    async def _auto_run(self) -> None:
        self._soon = None
        desk = self._desk
        await self.stop_auto()
        if (done := desk.queue.done(desk.session, desk.document.base)) is not None:
            desk.queue.show(done)
            self._bench.show_run()
        elif desk.queue.same(desk.session, desk.document.base) is None:
            request = desk.request(auto=True)
            self._bench.show_run()
            await self._engine.run(request)

    # ---- what the engine says

    def hear(self, event: Started | Row | Progress | Finished) -> bool:
        """Take in what is said of a run; whether it ended."""
        from workbench.engine.protocol.messages import Finished

        run = self._desk.queue.receive(event)
        if run is None or not isinstance(event, Finished):
            return False
        if event.status == "failed" and event.error and not run.auto and event.error != self._said:
            name = f"Run {run.number} failed" if run.number > 1 else "The run failed"
            self._bench.complain(event.error, name)
        return True

    def lost(self, event: Lost) -> None:
        """The engine is gone, and with it the runs that waited."""
        self._said = event.reason
        runs = len(self._desk.queue.active)
        also = f"\nThe {runs} runs that it had are lost." if runs > 1 else ""
        self._bench.complain(f"{event.reason}.{also}\nThe next run starts it again.", "Engine gone")

    # ---- the queue

    def open_queue(self) -> None:
        """All runs of this sitting."""
        screen = QueueScreen(self._desk.queue_lines(), self._cancel_id)
        self._bench.app.push_screen(screen, self._show_id)

    def show_queue(self) -> None:
        """Tell the queue's screen, when it is open, what there is now."""
        for screen in self._bench.app.screen_stack:
            if isinstance(screen, QueueScreen):
                screen.show(self._desk.queue_lines())

    async def _cancel_id(self, run_id: str) -> None:
        await self.cancel(self._desk.queue.find(run_id))

    def _show_id(self, run_id: str | None) -> None:
        run = self._desk.queue.find(run_id) if run_id else None
        if run is not None:
            self._desk.queue.show(run)
            self._bench.show_run()
