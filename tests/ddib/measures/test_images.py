"""Metrics against their definitions."""

import colorsys

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ddib.data.pixels import to_tensor
from ddib.data.sources.colored_mnist import colored_mnist
from ddib.measures.images import hue_error, psnr


def flat(hue: float, value: float = 1.0, saturation: float = 1.0) -> torch.Tensor:
    rgb = colorsys.hsv_to_rgb(hue, saturation, value)
    return torch.tensor(rgb).mul(2).sub(1).reshape(1, 3, 1, 1).expand(1, 3, 4, 4)


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0.1, 1), st.floats(0.1, 1))
def test_hue_error_of_flat_colours(a: float, b: float, value: float, saturation: float) -> None:
    turn = abs(a - b) % 1
    wanted = 360 * min(turn, 1 - turn)
    found = hue_error(flat(a, value), flat(b, 1.0, saturation)).item()
    assert found == pytest.approx(wanted, abs=1e-3)


def test_images_without_colour_have_no_hue() -> None:
    grey = flat(0.3, saturation=0.0)
    assert hue_error(grey, flat(0.3)).isnan().all()
    assert hue_error(flat(0.3), grey).isnan().all()


def test_hue_is_weighted_by_saturation_and_value() -> None:
    image = torch.cat([flat(0.0).expand(1, 3, 4, 4), flat(0.5, 0.01)], dim=2)
    assert hue_error(image, flat(0.0)).item() < 1


def test_a_digit_and_its_shift_have_the_same_hue() -> None:
    digits = colored_mnist(digit=3, count=8)
    assert hue_error(digits.roll(3, -1), digits).max() < 1e-6
    assert hue_error(digits, digits.roll(1, 0)).max() > 30


def test_psnr_has_range_two_and_does_not_clip() -> None:
    a = torch.zeros(1, 3, 4, 4)
    assert psnr(a + 0.2, a).item() == pytest.approx(10 * np.log10(4 / 0.04), abs=1e-4)
    assert psnr(a + 2.0, a + 1.5).item() == pytest.approx(10 * np.log10(4 / 0.25), abs=1e-4)
    assert psnr(a, a).isinf().all()


def test_hue_survives_eight_bits() -> None:
    pixels = np.full((1, 2, 2, 3), (10, 200, 90), np.uint8)
    wanted = colorsys.rgb_to_hsv(*(np.array([10, 200, 90]) / 255))[0]
    assert hue_error(to_tensor(pixels), flat(wanted)).item() < 1e-3
