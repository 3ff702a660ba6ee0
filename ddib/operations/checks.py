"""What holds for every operation is checked on its examples.

`check_operation(Quantize)` in a test of one's own, or in the tests of this repository for every
member of the registry, raises AssertionError where the class breaks a promise that runs rely on.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ddib.operations.operation import OPERATIONS, Context, Operation, Stage
from ddib.operations.sweep_checks import check_file_and_sweep, check_parameters

if TYPE_CHECKING:
    from torch import Tensor

_PICTURES = (4, 3, 16, 12)
_POINTS = (4, 2, 1, 50)


def check_operation(operation: type[Operation]) -> None:
    """Check a class of operations; raises AssertionError with what is wrong."""
    check_parameters(operation, "op", OPERATIONS)
    for example in operation.examples():
        check_file_and_sweep(example)
        for shape in (_PICTURES,) if operation.pictures_only else (_PICTURES, _POINTS):
            for stage in ("image", "latent"):
                check_result(example, shape, stage)
                check_batch_independence(example, shape, stage)


def check_result(example: Operation, shape: tuple[int, ...], stage: Stage) -> None:
    """Shape, dtype and the input stay; the layout in memory does not matter."""
    import torch

    context = _context(shape, stage)
    for dtype in (torch.float32, torch.float64):
        z = _randn(shape, 0).to(dtype)
        before = z.clone()
        result = example(z, context)
        assert result.shape == z.shape, f"{example!r} changes the shape"
        assert result.dtype == dtype, f"{example!r} changes the dtype"
        assert torch.equal(z, before), f"{example!r} changes its input"
        assert example(z.to(memory_format=torch.channels_last), context).equal(result)


def check_batch_independence(example: Operation, shape: tuple[int, ...], stage: Stage) -> None:
    """The result of an image does not depend, to the last bit, on the others of its batch."""
    import torch

    z, context = _randn(shape, 0), _context(shape, stage)
    assert context.image is not None
    whole = example(z, context)
    for i in range(len(z)):
        here = slice(i, i + 1)
        alone = replace(
            context,
            image=context.image[here],
            first_index=context.first_index + i,
            before=tuple(state[here] for state in context.before),
        )
        assert torch.equal(example(z[here], alone), whole[here]), (
            f"{example!r}: image {i} depends on the others of its batch; work image by image"
        )


def _context(shape: tuple[int, ...], stage: Stage) -> Context:
    return Context(
        image=_randn(shape, 1).clamp(-1, 1),
        first_index=5,
        stage=stage,
        everything=_randn((11, *shape[1:]), 2),
        before=(_randn(shape, 3),),
    )


def _randn(shape: tuple[int, ...], seed: int) -> Tensor:
    import torch

    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))
