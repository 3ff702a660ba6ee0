"""A batch of latents and what an operation may know besides."""

import pytest
import torch
from torch import Tensor

from ddib.operations.operation import Context


def randn(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@pytest.fixture
def z() -> Tensor:
    return randn(4, 3, 16, 12)


@pytest.fixture
def context() -> Context:
    return Context(
        image=randn(4, 3, 16, 12, seed=1).clamp(-1, 1),
        everything=randn(11, 3, 16, 12, seed=2),
        before=(randn(4, 3, 16, 12, seed=3),),
    )
