"""A recipe is a stack of operations, applied one after the other.

Importing this module loads no torch.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ddib.errors import Cancelled, InputError, RunError
from ddib.operations.operation import Context, Operation

if TYPE_CHECKING:
    from torch import Tensor


def enabled(operations: Sequence[Operation]) -> tuple[Operation, ...]:
    """Return the operations that run, each adjusted to those above it that run."""
    running: list[Operation] = []
    applied: list[bool] = []
    for operation in operations:
        adjusted = operation.adjust_to(applied) if operation.enabled else None
        applied.append(operation.enabled)
        if adjusted is not None:
            running.append(adjusted)
    return tuple(running)


def states(operations: Sequence[Operation], x: Tensor, context: Context) -> Iterator[Tensor]:
    """Yield x [N, C, H, W], then the result of each enabled operation, one after the other.

    Raises RunError as `apply_operations` does.
    """
    before = context.before
    yield x
    for operation in enabled(operations):
        edited = _apply(operation, x, replace(context, before=before))
        before, x = (*before, x), edited
        yield x


def _apply(operation: Operation, x: Tensor, context: Context) -> Tensor:
    """What an operation makes of x; raises RunError where it is none of what it promises."""
    import torch

    try:
        edited = operation.apply(x, context)
    except (InputError, RunError, Cancelled, MemoryError, torch.OutOfMemoryError):
        raise
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
        raise RunError(f"the operation {operation.op} failed: {reason}") from error
    if not isinstance(edited, torch.Tensor):
        raise RunError(
            f"the operation {operation.op} returned {type(edited).__name__} where it should return "
            "the edited tensor"
        )
    for what in ("shape", "dtype", "device"):
        before, after = getattr(x, what), getattr(edited, what)
        if before != after:
            before, after = (list(v) if what == "shape" else v for v in (before, after))
            raise RunError(
                f"the operation {operation.op} changed the {what} from {before} to {after}; it "
                "should keep it"
            )
    return edited


def apply_operations(operations: Sequence[Operation], x: Tensor, context: Context) -> Tensor:
    """Return x [N, C, H, W] after the enabled operations, one after the other.

    Raises RunError that names an operation which fails or does not return such a tensor.
    """
    *_, edited = states(operations, x, context)
    return edited
