"""A long list of images whose thumbnails are made in a thread, when they come into sight."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from threading import Lock, Thread
from time import monotonic
from typing import TYPE_CHECKING

from ddib.errors import InputError

if TYPE_CHECKING:
    from ddib.data.source import Available
    from workbench.tui.models import Pixels

KEPT = 1024  # thumbnails; 3 KB each
SIZE = 32  # pixels of a thumbnail's edge, whatever the checkpoint's
EVERY = 0.05  # seconds between two reports while thumbnails are made


class Gallery:
    """The names of the images that are there, and the thumbnails of those that were seen."""

    def __init__(self, available: Available, channels: int = 3) -> None:
        self.available = available
        self.decoded = 0  # thumbnails made so far
        self._channels = channels
        self._made: OrderedDict[int, Pixels | str] = OrderedDict()
        self._wanted: list[int] = []
        self._ready: Callable[[list[int]], None] | None = None
        self._working = False
        self._lock = Lock()

    @property
    def names(self) -> Sequence[str]:
        """A name for each image."""
        return self.available.names

    @property
    def busy(self) -> bool:
        """Whether thumbnails are being made."""
        return self._working

    def get(self, place: int) -> Pixels | str | None:
        """A thumbnail, or why there is none; None while it is not made."""
        with self._lock:
            made = self._made.get(place)
            if made is not None:
                self._made.move_to_end(place)
            return made

    def want(self, places: Sequence[int], ready: Callable[[list[int]], None]) -> None:
        """Make the thumbnails of what is in sight now, and no longer of what was before.

        `ready` is called in another thread with the places of those that are made.
        """
        with self._lock:
            self._wanted = [place for place in reversed(places) if place not in self._made]
            self._ready = ready
            if not self._wanted or self._working:
                return
            self._working = True
        Thread(target=self._work, name="thumbnails", daemon=True).start()

    def _work(self) -> None:
        made: list[int] = []
        reported = monotonic()
        while (place := self._next()) is not None:
            picture = self._read(place)
            with self._lock:
                self._made[place] = picture
                if len(self._made) > KEPT:
                    self._made.popitem(last=False)
            made.append(place)
            if monotonic() - reported > EVERY:
                self._report(made)
                made, reported = [], monotonic()
        self._report(made)

    def _next(self) -> int | None:
        with self._lock:
            self._working = bool(self._wanted)
            return self._wanted.pop() if self._wanted else None

    def _read(self, place: int) -> Pixels | str:
        self.decoded += 1
        try:
            picture: Pixels = self.available.load([place], SIZE, self._channels).pictures[0]
            return picture
        except InputError as error:
            return str(error).partition(": ")[2].partition(" (")[0] or str(error)
        except Exception as error:  # a damaged file makes decoders raise nearly anything
            return f"cannot be read: {error}"

    def _report(self, made: list[int]) -> None:
        if made and self._ready is not None:
            self._ready(made)
