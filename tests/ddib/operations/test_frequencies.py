"""Blur, whitening and mixing of frequencies, against scipy and numpy."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from random_tensors import randn
from scipy import ndimage
from torch import Tensor

from ddib.errors import InputError
from ddib.operations.frequencies import Blur, FrequencyMix, Whiten
from ddib.operations.operation import Context
from ddib.operations.tensors import standard_noise

IMAGE = Context(stage="image")
SHAPES = [(2, 3, 32, 32), (3, 1, 7, 12), (1, 4, 1, 5), (2, 3, 33, 20)]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("sigma", [0, 0.05, 0.124, 0.126, 0.5, 1, 2, 3.7, 20, 100])
def test_blur_is_scipy_s(shape: tuple[int, ...], sigma: float) -> None:
    z = randn(*shape)
    expected = ndimage.gaussian_filter(z.numpy(), (0, 0, sigma, sigma))
    np.testing.assert_allclose(Blur(sigma=sigma)(z).numpy(), expected, atol=1e-6)


@settings(deadline=None, max_examples=50)
@given(
    st.floats(0, 50), st.floats(0, 10), st.integers(1, 12), st.integers(1, 12), st.integers(0, 99)
)
def test_blur_is_scipy_s_at_any_size(
    sigma: float, gain: float, height: int, width: int, seed: int
) -> None:
    z = randn(1, 2, height, width, seed=seed)
    blurred = ndimage.gaussian_filter(z.double().numpy(), (0, 0, sigma, sigma))
    on_latent = Blur(sigma=sigma, gain=gain)(z).numpy()
    np.testing.assert_allclose(on_latent, gain * blurred, atol=1e-5)
    on_image = Blur(sigma=sigma, gain=gain)(z, IMAGE).numpy()
    np.testing.assert_allclose((on_image + 1) / 2, gain * (blurred + 1) / 2, atol=1e-5)


def test_whiten_flattens_what_blur_has_bent(z: Tensor) -> None:
    blurred = Blur(sigma=1.0)(randn(2, 3, 32, 32))
    white = Whiten()(blurred).double().numpy()
    frequency = np.hypot(np.fft.fftfreq(32)[:, None], np.fft.fftfreq(32)[None]) * 32
    for channel in (np.abs(np.fft.fft2(white)) ** 2).reshape(-1, 32, 32):
        rings = [channel[np.rint(frequency) == ring].mean() for ring in range(1, 22)]
        assert max(rings) / min(rings) < 1.0001
    torch.testing.assert_close(Whiten()(blurred).mean((2, 3)), blurred.mean((2, 3)))
    torch.testing.assert_close(Whiten()(blurred).std((2, 3)), blurred.std((2, 3)))


def test_frequency_mix_takes_each_frequency_from_one_of_the_two() -> None:
    z = randn(1, 3, 16, 16)
    mixed = np.fft.fft2(FrequencyMix(cutoff=0.2, seed=4)(z)[0].double().numpy())
    noise = np.fft.fft2(standard_noise(4, None, (3, 16, 16)).double().numpy())
    own = np.fft.fft2(z[0].double().numpy())
    low = np.hypot(np.fft.fftfreq(16)[:, None], np.fft.fftfreq(16)[None]) <= 0.2
    np.testing.assert_allclose(mixed, np.where(low, own, noise), atol=1e-4)


def test_frequency_mix_takes_high_frequencies_from_another_image() -> None:
    everything = randn(3, 2, 8, 16)
    mix = FrequencyMix(cutoff=0.25, other="image", offset=1)
    mixed = mix(everything[2:], Context(first_index=2, everything=everything))
    low = np.hypot(np.fft.fftfreq(8)[:, None], np.fft.fftfreq(16)[None]) <= 0.25
    own, other = (np.fft.fft2(z.double().numpy()) for z in (everything[2], everything[0]))
    np.testing.assert_allclose(
        np.fft.fft2(mixed[0].double().numpy()), np.where(low, own, other), atol=1e-4
    )


def test_frequency_mix_needs_a_latent_of_another_image(z: Tensor) -> None:
    operation = FrequencyMix(other="image")
    assert operation.reads_everything
    with pytest.raises(InputError, match="everything"):
        operation(z)
    with pytest.raises(InputError, match=r"shape \(4, 3, 16, 12\), not \(4, 3, 16, 11\)"):
        operation(z, Context(everything=z[..., :11]))
