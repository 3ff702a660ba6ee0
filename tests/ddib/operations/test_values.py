"""The scale, range and distribution of values, against the formulas."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from random_tensors import randn
from scipy import stats
from torch import Tensor

from ddib.operations.operation import Context
from ddib.operations.values import Clamp, Gaussianize, Normalize, Scale

IMAGE = Context(stage="image")


def test_standard_gives_each_image_mean_0_and_deviation_1(z: Tensor) -> None:
    expected = (z - z.mean((1, 2, 3), keepdim=True)) / z.std((1, 2, 3), correction=0, keepdim=True)
    torch.testing.assert_close(Normalize()(z), expected)


def test_channel_does_it_for_each_channel(z: Tensor) -> None:
    expected = (z - z.mean((2, 3), keepdim=True)) / z.std((2, 3), correction=0, keepdim=True)
    torch.testing.assert_close(Normalize(mode="channel")(z), expected)


def test_l2_and_max_divide_by_a_number(z: Tensor) -> None:
    norm = z.flatten(1).norm(dim=1)[:, None, None, None]
    torch.testing.assert_close(Normalize(mode="l2")(z), z / norm)
    largest = z.flatten(1).abs().amax(1)[:, None, None, None]
    torch.testing.assert_close(Normalize(mode="max")(z), z / largest)


@pytest.mark.parametrize("mode", ["standard", "channel", "l2", "max"])
@pytest.mark.parametrize("value", [0.0, -1.0, 0.1, 1e-30])
def test_an_image_without_variance_stays_as_it_is(mode: str, value: float, z: Tensor) -> None:
    z[1] = value
    result = Normalize(mode=mode)(z)  # type: ignore[arg-type]
    assert torch.equal(result[1], z[1])
    assert result.isfinite().all()


def test_a_channel_without_variance_stays_as_it_is(z: Tensor) -> None:
    z[0, 1] = 0.1
    assert torch.equal(Normalize(mode="channel")(z)[0, 1], z[0, 1])


def test_tiny_and_huge_images_are_normalized_too(z: Tensor) -> None:
    for size in (1e-30, 1e30):
        torch.testing.assert_close(Normalize()(z * size), Normalize()(z), rtol=1e-4, atol=1e-5)


@given(st.floats(-1000, 1000))
def test_scale_multiplies_the_latent_or_the_brightness(factor: float) -> None:
    z = randn(2, 3, 4, 4)
    assert torch.equal(Scale(factor=factor)(z), z * factor)
    brightness = (Scale(factor=factor)(z, IMAGE) + 1) / 2
    torch.testing.assert_close(brightness, factor * (z + 1) / 2, rtol=1e-4, atol=1e-5)


def test_scale_keeps_black_black_on_the_image_stage() -> None:
    black = torch.full((1, 3, 4, 4), -1.0)
    assert torch.equal(Scale(factor=1.3)(black, IMAGE), black)
    assert torch.equal(Scale(factor=0.0)(randn(1, 3, 4, 4), IMAGE), black)


def test_gaussianize_gives_normal_quantiles_in_the_order_of_the_values(z: Tensor) -> None:
    skewed = z.exp()
    result = Gaussianize()(skewed)[0].flatten().double().numpy()
    values = skewed[0].flatten().numpy()
    expected = stats.norm.ppf((stats.rankdata(values, "ordinal") - 0.5) / values.size)
    np.testing.assert_allclose(result, expected, atol=1e-5)
    by_channel = Gaussianize(over="channel")(skewed)[1, 2].flatten()
    assert np.array_equal(by_channel.argsort(), skewed[1, 2].flatten().argsort())
    assert abs(by_channel.mean()) < 1e-6


def test_clamp_limits_the_latent_or_the_brightness(z: Tensor) -> None:
    assert torch.equal(Clamp(low=-1, high=0.5)(z), z.clamp(-1, 0.5))
    assert torch.equal(Clamp(low=0, high=0.5)(z, IMAGE), z.clamp(-1, 0))
