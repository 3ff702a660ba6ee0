"""Rotation, flips and shuffles, against torchvision."""

from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from torch import Tensor
from torchvision.transforms import InterpolationMode
from torchvision.transforms import functional as oracle

from ddib.operations.geometry import Flip, Rotate, Shuffle
from ddib.operations.operation import Context, Operation, Stage

IMAGE = Context(stage="image")
SHAPES = [(2, 3, 32, 32), (3, 1, 7, 12), (1, 4, 1, 5), (2, 3, 33, 20)]


def randn(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("operation", [Shuffle(patch=4096)], ids=repr)
@pytest.mark.parametrize("stage", ["image", "latent"])
def test_neutral_parameters_change_nothing(
    operation: Operation, stage: Stage, z: Tensor, context: Context
) -> None:
    assert torch.equal(operation(z, replace(context, stage=stage)), z)


@pytest.mark.parametrize("operation", [Rotate(degrees=0)], ids=repr)
@pytest.mark.parametrize("stage", ["image", "latent"])
def test_neutral_parameters_change_no_more_than_rounding(
    operation: Operation, stage: Stage, z: Tensor, context: Context
) -> None:
    result = operation(z, replace(context, stage=stage))
    torch.testing.assert_close(result, z, rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    ("operation", "values"),
    [
        (Rotate, {"degrees": 361}),
        (Rotate, {"interpolation": "cubic"}),
        (Rotate, {"enabled": "no"}),
        (Rotate, {"op": "blur"}),
    ],
)
def test_wrong_parameters_are_refused(
    operation: type[Operation], values: dict[str, object]
) -> None:
    with pytest.raises(ValidationError):
        operation.model_validate({"op": operation.model_fields["op"].default} | values)


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
