"""Batches that fit: how many images a network evaluation can take at once within a budget."""

from collections import Counter
from collections.abc import Callable
from typing import Any, cast
from weakref import finalize

import torch
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves

from ddib.bridge.chunk import Chunk, Solved
from ddib.checkpoints.model import Model


def images_within(budget: int, model: Model, device: torch.device) -> int:
    """How many images an evaluation takes at once in `budget` bytes; at least one.

    One image goes through the network, uncompiled and uncounted, to see what it makes.
    """
    facts, network = model.facts, cast(Any, model.denoiser.network)
    z = torch.zeros(1, facts.channels, facts.image_size, facts.image_size, device=device)
    with torch.inference_mode():
        condition = network.condition(torch.zeros(1, device=device))
        with _Live() as live:
            network.forward(z, condition)
    return int(max(1, budget // max(1, live.peak)))


class _Live(TorchFunctionMode):
    """Watches the bytes that tensors made inside hold, and the most there were at one time."""

    def __init__(self) -> None:
        super().__init__()
        self.peak = 0
        self._size = 0
        self._holders: Counter[int] = Counter()  # tensors by the address of their storage

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        made = func(*args, **(kwargs or {}))
        for tensor in tree_leaves(made):
            if isinstance(tensor, torch.Tensor):
                storage = tensor.untyped_storage()
                self._hold(storage.data_ptr(), storage.nbytes())
                finalize(tensor, self._drop, storage.data_ptr(), storage.nbytes())
        return made

    def _hold(self, address: int, size: int) -> None:
        self._holders[address] += 1
        if self._holders[address] == 1:
            self._size += size
            self.peak = max(self.peak, self._size)

    def _drop(self, address: int, size: int) -> None:
        self._holders[address] -= 1
        if not self._holders[address]:
            self._size -= size


def solve_within(chunk: Chunk, limit: int, solve: Callable[[Chunk], Solved]) -> tuple[Solved, int]:
    """A chunk solved in batches of at most `limit`, and the limit that held.

    It is halved when memory runs out, and what is solved stays. Raises what `solve` raises when
    there is no memory for a single image.
    """
    solved: list[Solved] = []
    waiting = chunk.split(limit)
    while waiting:
        try:
            solved.append(solve(waiting[0]))
        except (torch.OutOfMemoryError, MemoryError, RuntimeError) as error:
            if len(waiting[0].start) == 1 or not _is_out_of_memory(error):
                raise
            limit = max(1, len(waiting[0].start) // 2)
            waiting = [part for whole in waiting for part in whole.split(limit)]
        else:
            del waiting[0]
    return join(solved), limit


def join(parts: list[Solved]) -> Solved:
    """The batches of a chunk as one."""
    carried = [part.carried for part in parts if part.carried is not None]
    return Solved(
        torch.cat([part.z for part in parts]),
        torch.cat(carried) if carried else None,
        max(part.evaluations for part in parts),
    )


def _is_out_of_memory(error: BaseException) -> bool:
    words = ("can't allocate memory", "out of memory")
    return not isinstance(error, RuntimeError) or any(word in str(error) for word in words)
