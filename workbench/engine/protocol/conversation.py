"""The engine's side of the protocol: requests wait in order, each gets one answer."""

import json
import logging
import threading
from typing import IO

from pydantic import ValidationError

from workbench.engine.protocol.messages import (
    Asked,
    Cancel,
    Finished,
    Message,
    Previews,
    RunSession,
    read_request,
    to_line,
)

log = logging.getLogger(__name__)


class Conversation:
    """The requests that wait and the one that is being worked on.

    A thread calls `read`; the worker takes each request with `next` and ends it with `answer`. The
    id of a request is free again once it is answered.
    """

    def __init__(self, requests: IO[bytes], events: IO[bytes]):
        self._requests = requests
        self._events = events
        self._waiting: dict[str, Asked] = {}
        self._active: str | None = None
        self._stopping = False  # whether the active request is cancelled
        self._rates: dict[str, float] = {}  # previews per second of waiting and active runs
        self._changed = threading.Condition()  # guards all of the above
        self._closing = threading.Event()
        self._writing = threading.Lock()

    def read(self) -> None:
        """Read requests until stdin closes, which cancels the active one."""
        for line in self._requests:
            try:
                request = read_request(line)
            except ValidationError as error:
                self._refuse(line, error)
                continue
            if isinstance(request, Cancel):
                self._cancel(request.id)
            elif isinstance(request, Previews):
                with self._changed:
                    if request.id in self._rates:
                        self._rates[request.id] = request.per_second
            else:
                self._enqueue(request)
        self.close()

    def _refuse(self, line: bytes, error: ValidationError) -> None:
        log.error("not a request: %s", error)
        try:
            id_ = json.loads(line)["id"]
        except (ValueError, RecursionError, KeyError, TypeError):
            return
        if isinstance(id_, str) and _can_be_sent(id_):
            first = error.errors(include_url=False, include_input=False)[0]
            place = ".".join(map(str, first["loc"]))
            message = f"not a request: {place}: {first['msg']}"
            self.send(Finished(id=id_, status="failed", error=message))

    def _enqueue(self, request: Asked) -> None:
        with self._changed:
            taken = request.id in self._waiting or request.id == self._active
            if not taken:
                self._waiting[request.id] = request
                if isinstance(request, RunSession):
                    self._rates[request.id] = request.previews_per_second
                self._changed.notify()
        if taken:
            error = f"the id {request.id} is taken by a request that waits or is under way"
            self.send(Finished(id=request.id, status="failed", error=error))

    def _cancel(self, id_: str) -> None:
        with self._changed:
            dropped = self._waiting.pop(id_, None)
            if dropped is not None:
                self._rates.pop(id_, None)
            elif id_ == self._active:
                self._stopping = True
        if dropped is not None:
            error = "cancelled before it began"
            self.send(Finished(id=id_, status="cancelled", error=error))

    def close(self) -> None:
        """End the conversation, which cancels the active request."""
        with self._changed:
            self._closing.set()
            self._changed.notify()

    def next(self) -> Asked | None:
        """The request that waits longest, waited for; None when the screen has closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closing.is_set())
            if self._closing.is_set():
                return None
            self._active = next(iter(self._waiting))
            self._stopping = False
            return self._waiting.pop(self._active)

    def answer(self, message: Message) -> None:
        """End the active request with its last message."""
        with self._changed:
            if self._active is not None:
                self._rates.pop(self._active, None)
            self._active = None
        self.send(message)

    def send(self, message: Message) -> None:
        """Send an event; when the screen is gone, the conversation closes."""
        try:
            with self._writing:
                self._events.write(to_line(message))
                self._events.flush()
        except (BrokenPipeError, ValueError):
            self._closing.set()

    @property
    def stopping(self) -> bool:
        """Whether the active request is to stop."""
        return self._closing.is_set() or self._stopping

    @property
    def previews_per_second(self) -> float:
        """How often the active run shows the emerging picture."""
        return self._rates.get(self._active or "", 0.0)


def _can_be_sent(text: str) -> bool:
    """Whether a text is no half of a character, which JSON can spell and UTF-8 cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
