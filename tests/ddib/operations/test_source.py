"""What mixes in the source image, pixel by pixel."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from random_tensors import randn
from torch import Tensor

from ddib.errors import InputError
from ddib.operations.operation import Context, Operation
from ddib.operations.source import Blend, Checkerboard, Tint
from ddib.operations.tensors import standard_noise


@given(st.floats(0, 1))
def test_blend_mixes_with_the_source(proportion: float) -> None:
    z, image = randn(2, 3, 4, 4), randn(2, 3, 4, 4, seed=1)
    result = Blend(proportion=proportion)(z, Context(image))
    torch.testing.assert_close(result, (1 - proportion) * z + proportion * image)


@pytest.mark.parametrize("operation", [Blend(), Checkerboard(), Tint()])
def test_what_needs_the_source_says_so(operation: Operation, z: Tensor) -> None:
    with pytest.raises(InputError, match="source image"):
        operation(z)
    with pytest.raises(InputError, match="shape"):
        operation(z, Context(image=z[:1]))


@given(st.integers(1, 20), st.integers(0, 1), st.sampled_from(["image", "noise"]))
def test_checkerboard_pixel_by_pixel(cell: int, phase: int, other: str) -> None:
    z, image = randn(2, 3, 7, 9), randn(2, 3, 7, 9, seed=1)
    odd = image if other == "image" else standard_noise(4, None, (3, 7, 9)).expand_as(z)
    operation = Checkerboard(other=other, cell=cell, phase=phase, seed=4)  # type: ignore[arg-type]
    result = operation(z, Context(image))
    for i in range(7):
        for j in range(9):
            even = (i // cell + j // cell + phase) % 2 == 0
            assert torch.equal(result[..., i, j], (z if even else odd)[..., i, j])


def test_tint_shifts_by_the_colour_of_what_is_bright(z: Tensor) -> None:
    image = torch.full((4, 3, 16, 12), -1.0)
    image[:, 0, 4:8, 4:8] = 0.6  # a square of red at brightness 0.8
    image[:, 2, 12:14] = -0.8  # and a band of blue at 0.1
    colour = torch.tensor([0.8 * 0.8 * 16, 0.0, 0.1 * 0.1 * 24]) / (0.8 * 16 + 0.1 * 24)
    shift = (colour - colour.mean())[:, None, None]
    torch.testing.assert_close(Tint(amount=0.4)(z, Context(image)), z + 0.4 * shift)


def test_tint_of_grey_and_of_black_changes_nothing(z: Tensor) -> None:
    for grey in (-1.0, 0.3):
        assert torch.equal(Tint()(z, Context(torch.full_like(z, grey))), z)
