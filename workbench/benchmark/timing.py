"""Wall time, waiting for the device where it computes on its own."""

import time
from collections.abc import Callable

import torch

Work = Callable[[], object]
Clock = Callable[[], float]


def device_clock(device: torch.device) -> Clock:
    """A clock in seconds that first lets the device finish what it was given."""

    def now() -> float:
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        elif device.type == "mps":
            torch.mps.synchronize()
        return time.perf_counter()

    return now


def seconds(work: Work, clock: Clock) -> float:
    """How long `work` takes once."""
    begun = clock()
    work()
    return clock() - begun
