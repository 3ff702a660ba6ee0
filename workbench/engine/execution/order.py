"""How a plan is to be run: where results go, and what is shown meanwhile."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from workbench.engine.protocol.messages import Message

Listener = Callable[[Message], None]
"""Takes the messages of a run as they come."""


@dataclass(frozen=True)
class Order:
    """How a plan is to be run.

    store: where the run directory goes; None: nothing is written.
    unfinished: where solved chunks are kept until the run is done when the cache cannot hold
        them, so that the same order takes up a run that was killed; None: nowhere.
    """

    id: str = ""
    store: Path | None = None
    run_name: str = "untitled"
    unfinished: Path | None = None
    previews_per_second: Callable[[], float] = lambda: 0.0
