"""The screen's end of the conversation with the engine's process.

The engine has all three of its descriptors piped: a child that inherits stderr writes over the
screen. When its stdin closes it finishes the step it is in and exits; a kill follows only when it
does not.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

from pydantic import ValidationError

from workbench.engine.protocol.messages import (
    Asked,
    Cancel,
    Event,
    Finished,
    Inspection,
    Message,
    Previews,
    Ready,
    States,
    read_event,
    to_line,
)
from workbench.support.processes import child_command

COMMAND = child_command("-m", "workbench.engine")
LINE_LIMIT = 64 * 2**20  # bytes; a row of 64 pictures is one line of base64
TAIL_LINES = 20  # of stderr, kept for the error when the engine dies

EngineState = Literal["stopped", "starting", "ready"]


@dataclass(frozen=True)
class Lost:
    """The engine ended without being asked to; `tail` holds its last words on stderr."""

    returncode: int | None
    tail: tuple[str, ...]
    unresponsive: bool = False  # ended here, because it did not stop a run

    @property
    def reason(self) -> str:
        """One sentence for the person at the keyboard."""
        words = next((line for line in reversed(self.tail) if line.strip()), "")
        if self.unresponsive:
            return "the engine did not stop the run and was ended"
        if self.returncode is None:
            how = "could not be started"
        elif self.returncode == -9:
            how = "was killed (out of memory?)"
        elif self.returncode < 0:
            how = f"was ended by signal {-self.returncode}"
        else:
            how = f"ended with exit code {self.returncode}"
        return f"the engine {how}" + (f": {words.strip()}" if words else "")


class EngineClient:
    """Starts the engine when it is needed and passes its messages to `listener`.

    Everything happens on the running asyncio loop. Runs that are under way when the engine dies
    are answered with a Finished of status "failed"; the next run starts a new engine.
    """

    def __init__(
        self,
        listener: Callable[[Event | Lost], None],
        command: Sequence[str] | None = None,
        *,
        grace: float = 10.0,
    ) -> None:
        """`grace`: seconds that cancelling and exiting may take before the engine is killed."""
        self._listener = listener
        self._command = tuple(command or COMMAND)
        self._grace = grace
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.Task[None] | None = None
        self._starting = asyncio.Lock()
        self._tail: deque[str] = deque(maxlen=TAIL_LINES)
        self._running: dict[str, bool] = {}  # run id: whether it was asked to stop
        self._watchers: dict[str, asyncio.TimerHandle] = {}
        self._stopping = False
        self._unresponsive = False
        self.ready: Ready | None = None

    @property
    def state(self) -> EngineState:
        """Whether there is an engine, and whether it takes work."""
        if self._process is None:
            return "stopped"
        return "ready" if self.ready else "starting"

    async def start(self) -> None:
        """Start the engine unless there is one; a failure comes as Lost."""
        async with self._starting:
            if self._process is not None or self._stopping:
                return
            self._tail.clear()
            try:
                self._process = await asyncio.create_subprocess_exec(
                    *self._command,
                    stdin=asyncio.subprocess.PIPE,
                    stdout=asyncio.subprocess.PIPE,
                    stderr=asyncio.subprocess.PIPE,
                    limit=LINE_LIMIT,
                    start_new_session=True,  # the terminal's signals are the screen's business
                )
            except OSError as error:
                self._tail.append(f"{self._command[0]}: {error.strerror or error}")
                self._lose(None)
                return
            self._reader = asyncio.create_task(self._listen(self._process))

    async def run(self, request: Asked) -> None:
        """Send what is to be computed; the answers come to the listener."""
        self._running[request.id] = False
        await self.start()
        await self._send(request)
        if self._running.get(request.id):  # cancelled while the engine was being started
            await self._send(Cancel(id=request.id))

    async def cancel(self, run_id: str) -> None:
        """Stop a run, or drop it from the queue; an engine that does not listen is killed."""
        if run_id not in self._running:
            return
        self._running[run_id] = True
        if run_id not in self._watchers:
            loop = asyncio.get_running_loop()
            self._watchers[run_id] = loop.call_later(self._grace, self._kill_unresponsive, run_id)
        await self._send(Cancel(id=run_id))

    async def set_previews(self, per_second: float) -> None:
        """Change how often the runs that are not ended show the emerging picture."""
        for run_id in list(self._running):
            await self._send(Previews(id=run_id, per_second=per_second))

    async def stop(self) -> None:
        """Close the engine's stdin and wait for it to end; kill it after the grace period."""
        self._stopping = True
        for watcher in self._watchers.values():
            watcher.cancel()
        process, reader = self._process, self._reader
        if process is None or reader is None:
            return
        if self.ready is None:  # it is starting and has nothing to finish
            self._kill()
        if process.stdin is not None:
            process.stdin.close()
        try:
            await asyncio.wait_for(asyncio.shield(reader), self._grace)
        except TimeoutError:
            self._kill()
            await reader

    async def _send(self, message: Message) -> None:
        process = self._process
        if process is None or process.stdin is None or process.stdin.is_closing():
            return
        with suppress(ConnectionError):  # the reader notices the death and says so
            process.stdin.write(to_line(message))
            await process.stdin.drain()

    async def _listen(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None and process.stderr is not None
        drain = asyncio.create_task(self._drain(process.stderr))
        try:
            while line := await process.stdout.readline():
                self._receive(line)
        except ValueError:  # a line beyond LINE_LIMIT: the rest of the stream is lost
            self._tail.append(f"the engine sent a line of more than {LINE_LIMIT} bytes")
            self._kill()
        returncode = await process.wait()
        await drain
        self._process = self._reader = self.ready = None
        if not self._stopping:
            self._lose(returncode)

    async def _drain(self, stream: asyncio.StreamReader) -> None:
        pending = b""
        while chunk := await stream.read(2**16):
            *lines, pending = (pending + chunk).split(b"\n")
            self._tail.extend(line.decode(errors="replace") for line in lines if line.strip())
            pending = pending[-(2**16) :]
        if pending.strip():
            self._tail.append(pending.decode(errors="replace"))

    def _receive(self, line: bytes) -> None:
        try:
            event = read_event(line)
        except ValidationError:
            self._tail.append(f"not understood: {line[:200].decode(errors='replace').strip()}")
            return
        if isinstance(event, Ready):
            self.ready = event
        elif isinstance(event, Finished | States | Inspection):
            self._forget(event.id)
        self._listener(event)

    def _lose(self, returncode: int | None) -> None:
        lost = Lost(returncode, tuple(self._tail), self._unresponsive)
        self._unresponsive = False
        self._listener(lost)
        for run_id, cancelled in list(self._running.items()):
            self._forget(run_id)
            self._listener(
                Finished(id=run_id, status="cancelled")
                if cancelled
                else Finished(id=run_id, status="failed", error=lost.reason)
            )

    def _forget(self, run_id: str) -> None:
        self._running.pop(run_id, None)
        if watcher := self._watchers.pop(run_id, None):
            watcher.cancel()

    def _kill_unresponsive(self, run_id: str) -> None:
        """A run is still going long after it was cancelled; one that starts up has more time."""
        if self.ready is None and self._process is not None:
            loop = asyncio.get_running_loop()
            self._watchers[run_id] = loop.call_later(self._grace, self._kill_unresponsive, run_id)
            return
        self._unresponsive = True
        self._kill()

    def _kill(self) -> None:
        if self._process is not None:
            with suppress(ProcessLookupError):
                self._process.kill()
