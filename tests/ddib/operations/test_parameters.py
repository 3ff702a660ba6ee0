"""What parameters do to no latent: neutral ones change nothing, wrong ones are refused."""

from dataclasses import replace

import pytest
import torch
from pydantic import ValidationError
from torch import Tensor

from ddib.operations.frequencies import Blur, FrequencyMix, Whiten
from ddib.operations.geometry import Rotate, Shuffle
from ddib.operations.mask import Mask
from ddib.operations.noise import AddNoise
from ddib.operations.operation import Context, Operation, Stage
from ddib.operations.source import Blend, Checkerboard, Tint
from ddib.operations.sphere import Slerp
from ddib.operations.values import Clamp, Normalize, Scale

NEUTRAL: list[Operation] = [
    Blur(sigma=0),
    Shuffle(patch=4096),
    Mask(shape="rectangle", width=2, height=2),
    Mask(shape="foreground", threshold=1, keep="outside"),
    AddNoise(coefficient=0),
    Blend(proportion=0),
    Tint(amount=0),
    Scale(),
    Clamp(low=-1000, high=1000),
]

NEARLY_NEUTRAL: list[Operation] = [
    Whiten(amount=0),
    FrequencyMix(cutoff=1),
    Rotate(degrees=0),
    Slerp(fraction=0),
]

REFUSED: list[tuple[type[Operation], dict[str, object]]] = [
    (Blur, {"sigma": -1}),
    (Blur, {"gain": -1}),
    (Rotate, {"degrees": 361}),
    (Rotate, {"interpolation": "cubic"}),
    (Rotate, {"enabled": "no"}),
    (Rotate, {"op": "blur"}),
    (Mask, {"operations": 0}),
    (Mask, {"shape": "circle"}),
    (AddNoise, {"coefficient": -0.1}),
    (AddNoise, {"seed": -1}),
    (AddNoise, {"seed": 0.5}),
    (AddNoise, {"per_image": 1}),
    (Blend, {"proportion": 1.01}),
    (Blend, {"proportion": -0.01}),
    (Checkerboard, {"cell": 0}),
    (Checkerboard, {"phase": 2}),
    (Checkerboard, {"other": "black"}),
    (Slerp, {"offset": 0}),
    (Slerp, {"other": "latent"}),
    (Normalize, {"mode": "mean"}),
    (Scale, {"factor": float("nan")}),
    (Scale, {"factor": float("inf")}),
    (Scale, {"factor": "2"}),
    (Scale, {"factor": True}),
    (Scale, {"factr": 2}),
]


@pytest.mark.parametrize("operation", NEUTRAL, ids=repr)
@pytest.mark.parametrize("stage", ["image", "latent"])
def test_neutral_parameters_change_nothing(
    operation: Operation, stage: Stage, z: Tensor, context: Context
) -> None:
    assert torch.equal(operation(z, replace(context, stage=stage)), z)


@pytest.mark.parametrize("operation", NEARLY_NEUTRAL, ids=repr)
@pytest.mark.parametrize("stage", ["image", "latent"])
def test_neutral_parameters_change_no_more_than_rounding(
    operation: Operation, stage: Stage, z: Tensor, context: Context
) -> None:
    result = operation(z, replace(context, stage=stage))
    torch.testing.assert_close(result, z, rtol=0, atol=1e-6)


@pytest.mark.parametrize(("operation", "values"), REFUSED)
def test_wrong_parameters_are_refused(
    operation: type[Operation], values: dict[str, object]
) -> None:
    with pytest.raises(ValidationError):
        operation.model_validate({"op": operation.model_fields["op"].default} | values)
