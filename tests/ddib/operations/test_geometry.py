"""Rotation, flips and shuffles, against torchvision."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from random_tensors import randn
from torch import Tensor
from torchvision.transforms import InterpolationMode
from torchvision.transforms import functional as oracle

from ddib.operations.geometry import Flip, Rotate, Shuffle
from ddib.operations.operation import Context

IMAGE = Context(stage="image")
SHAPES = [(2, 3, 32, 32), (3, 1, 7, 12), (1, 4, 1, 5), (2, 3, 33, 20)]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("interpolation", ["nearest", "bilinear"])
@pytest.mark.parametrize("fill", [0.0, 0.7])
def test_rotate_is_torchvision_s(shape: tuple[int, ...], interpolation: str, fill: float) -> None:
    z = randn(*shape)
    mode = InterpolationMode(interpolation)
    for degrees in [*range(-360, 361, 15), 0.3, 33.3, 59.99]:
        operation = Rotate(degrees=degrees, interpolation=interpolation, fill=fill)  # type: ignore[arg-type]
        torch.testing.assert_close(
            operation(z), oracle.rotate(z, degrees, mode, fill=[fill]), rtol=0, atol=1e-6
        )
        torch.testing.assert_close(
            operation(z, IMAGE),
            oracle.rotate((z + 1) / 2, degrees, mode, fill=[fill]) * 2 - 1,
            rtol=0,
            atol=2e-6,
        )


def test_rotate_turns_counter_clockwise_and_fills_with_black() -> None:
    image = torch.full((1, 1, 5, 5), 1.0)
    image[..., 0, 4] = 0.25  # top right goes to the top left
    assert Rotate(degrees=90)(image, IMAGE)[..., 0, 0] == 0.25
    assert Rotate(degrees=45)(image, IMAGE)[..., 0, 0] == -1


def test_flip_is_torchvision_s(z: Tensor) -> None:
    assert torch.equal(Flip()(z), oracle.hflip(z))
    assert torch.equal(Flip(direction="vertical")(z), oracle.vflip(z))


@given(st.integers(1, 9), st.integers(0, 99))
def test_shuffle_moves_whole_patches(patch: int, seed: int) -> None:
    z = torch.arange(2 * 7 * 9.0).reshape(1, 2, 7, 9)
    result = Shuffle(patch=patch, seed=seed)(z)
    assert sorted(result.flatten().tolist()) == sorted(z.flatten().tolist())
    down, across = 7 // patch * patch, 9 // patch * patch
    assert torch.equal(result[..., down:, :], z[..., down:, :])
    assert torch.equal(result[..., across:], z[..., across:])
    whole = [
        z[0, :, i : i + patch, j : j + patch]
        for i in range(0, down, patch)
        for j in range(0, across, patch)
    ]
    for i in range(0, down, patch):
        for j in range(0, across, patch):
            found = result[0, :, i : i + patch, j : j + patch]
            assert sum(torch.equal(found, one) for one in whole) == 1
