"""A batch of latents and what an operation may know besides."""

import pytest
from random_tensors import randn
from torch import Tensor

from ddib.operations.operation import Context


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
