"""Latent statistics against scipy, numpy, and white noise."""

import numpy as np
import pytest
import torch
from scipy.stats import kurtosis, norm

from ddib.measures.latents import (
    autocorrelation,
    histogram,
    latent_moments,
    pool,
    radial_spectrum,
    white_noise,
    white_spectrum_errors,
)


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def test_moments_are_scipys() -> None:
    z = torch.randn((3, 3, 8, 8), generator=torch.Generator().manual_seed(0)) ** 3
    found = latent_moments(z)
    flattened = z.double().flatten(1).numpy()
    assert np.allclose(found["mean"], flattened.mean(1))
    assert np.allclose(found["std"], flattened.std(1))
    assert np.allclose(found["kurtosis"], kurtosis(flattened, axis=1, fisher=False))
    assert latent_moments(torch.ones(1, 1, 2, 2))["kurtosis"].isnan().all()


def test_autocorrelation_is_numpys() -> None:
    z = noise(2, 3, 8, 6).cumsum(2)
    for found, image in zip(autocorrelation(z), z.double().numpy(), strict=True):
        centred = image - image.mean()
        across = np.mean([np.mean(row[1:] * row[:-1]) for row in centred.reshape(-1, 6)])
        down = np.mean([np.mean(c[1:] * c[:-1]) for c in centred.transpose(0, 2, 1).reshape(-1, 8)])
        assert found == pytest.approx((across + down) / 2 / image.var())
    assert autocorrelation(torch.ones(1, 1, 4, 4)).isnan().all()


def test_a_wave_has_its_power_in_its_ring() -> None:
    wave = torch.cos(2 * torch.pi * 3 * torch.arange(16) / 16).expand(1, 1, 16, 16)
    spectrum = radial_spectrum(wave)[0]
    assert spectrum.argmax() == 2, "rings are counted from one cycle on"
    assert spectrum.sum() == pytest.approx(spectrum[2].item())
    frequencies = np.hypot(*np.meshgrid(np.fft.fftfreq(16), np.fft.fftfreq(16))) * 16
    ring = np.rint(frequencies) == 3
    power = np.abs(np.fft.fft2(wave[0, 0].double().numpy())) ** 2 / 256
    assert spectrum[2] == pytest.approx(power[ring].mean(), rel=1e-6)


@pytest.mark.parametrize("shape", [(16, 16), (12, 20), (7, 9)])
def test_white_noise_is_within_its_bands(shape: tuple[int, int]) -> None:
    """The deviation over many images is the standard error that is stated, in every statistic."""
    z = noise(3000, 3, *shape)
    found = latent_moments(z) | {"autocorrelation": autocorrelation(z)}
    for name, band in white_noise(3, *shape).items():
        assert found[name].std().item() == pytest.approx(band.error, rel=0.12), name
        assert abs(found[name].mean().item() - band.expected) < 0.2 * band.error, name
    spectra = radial_spectrum(z)
    errors = white_spectrum_errors(3, *shape)
    assert spectra.shape == (3000, min(shape) // 2)
    assert torch.allclose(spectra.mean(0), torch.ones(len(errors)).double(), atol=0.02)
    assert torch.allclose(spectra.std(0), errors, rtol=0.1)


def test_pooled_is_over_all_images() -> None:
    z = noise(5, 3, 8, 8) * torch.arange(1, 6).reshape(5, 1, 1, 1)
    whole = pool(z)
    assert latent_moments(whole)["std"].item() == pytest.approx(z.double().numpy().std())
    assert torch.allclose(radial_spectrum(whole)[0], radial_spectrum(z).mean(0))


def test_histogram_is_the_normal_density() -> None:
    z = noise(1, 1, 300, 300)
    counts = histogram(z)[0].double()
    edges = np.linspace(-4, 4, 65)
    assert np.array_equal(counts.numpy(), np.histogram(z.numpy(), edges)[0])
    assert np.abs(counts.numpy() / 90_000 - np.diff(norm.cdf(edges))).max() < 0.003
    assert histogram(z * 0 + 9).sum() == 0
