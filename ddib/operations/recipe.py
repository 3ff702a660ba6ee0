"""A recipe is a stack of operations, applied one after the other.

Importing this module loads no torch.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ddib.operations.operation import Context, Operation

if TYPE_CHECKING:
    from torch import Tensor


def enabled(operations: Sequence[Operation]) -> tuple[Operation, ...]:
    """Return the operations that run, each restated for those above it that run."""
    running: list[Operation] = []
    applied: list[bool] = []
    for operation in operations:
        restated = operation.restate(applied) if operation.enabled else None
        applied.append(operation.enabled)
        if restated is not None:
            running.append(restated)
    return tuple(running)


def states(operations: Sequence[Operation], x: Tensor, context: Context) -> Iterator[Tensor]:
    """Yield x [N, C, H, W], then the result of each enabled operation, one after the other."""
    before = context.before
    yield x
    for operation in enabled(operations):
        edited = operation.apply(x, replace(context, before=before))
        before, x = (*before, x), edited
        yield x


def apply_operations(operations: Sequence[Operation], x: Tensor, context: Context) -> Tensor:
    """Return x [N, C, H, W] after the enabled operations, one after the other."""
    *_, edited = states(operations, x, context)
    return edited
