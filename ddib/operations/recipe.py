"""A recipe is a stack of operations, applied one after the other.

Importing this module loads no torch.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ddib.operations.operation import Context, Mask, Operation

if TYPE_CHECKING:
    from torch import Tensor


def enabled(operations: Sequence[Operation]) -> tuple[Operation, ...]:
    """The operations that run. A mask is one of those only that it counts and that run too."""
    running: list[Operation] = []
    for index, operation in enumerate(operations):
        if not operation.enabled:
            continue
        if isinstance(operation, Mask):
            first = max(0, index - operation.operations)
            above = sum(one.enabled for one in operations[first:index])
            if above:
                running.append(operation.model_copy(update={"operations": above}))
        else:
            running.append(operation)
    return tuple(running)


def states(operations: Sequence[Operation], x: Tensor, context: Context) -> Iterator[Tensor]:
    """x [N, C, H, W], then what each enabled operation makes of it, one after the other."""
    before = context.before
    yield x
    for operation in enabled(operations):
        edited = operation.apply(x, replace(context, before=before))
        before, x = (*before, x), edited
        yield x


def apply_operations(operations: Sequence[Operation], x: Tensor, context: Context) -> Tensor:
    """The enabled operations one after the other on x [N, C, H, W]."""
    *_, edited = states(operations, x, context)
    return edited
