"""Each check of operations finds an operation that breaks it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import pytest
from pydantic import Field
from torch import Tensor

from ddib.operations import checks
from ddib.operations.operation import OPERATIONS, Context, Operation


@pytest.fixture(autouse=True)
def _put_back() -> Iterator[None]:
    before = dict(OPERATIONS)
    yield
    OPERATIONS.replace_members(before)


@pytest.mark.parametrize(
    ("effect", "broken"),
    [
        (lambda z: z - z.mean(), "depends on the others"),
        (lambda z: z.mul_(2), "changes its input"),
        (lambda z: z.double(), "changes the dtype"),
        (lambda z: z[:, :1], "changes the shape"),
    ],
)
def test_a_broken_promise_is_found(effect, broken: str) -> None:
    class Broken(Operation):
        """Break a promise."""

        op: Literal["broken"] = "broken"

        def apply(self, z: Tensor, context: Context) -> Tensor:
            return effect(z)

    with pytest.raises(AssertionError, match=broken):
        checks.check_operation(Broken)


def test_a_parameter_without_bounds_is_found() -> None:
    class Unbounded(Operation):
        """Multiply."""

        op: Literal["unbounded"] = "unbounded"
        factor: float = Field(default=1.0, description="what to multiply by")

        def apply(self, z: Tensor, context: Context) -> Tensor:
            return z * self.factor

    with pytest.raises(AssertionError, match="factor has no bounds"):
        checks.check_operation(Unbounded)
