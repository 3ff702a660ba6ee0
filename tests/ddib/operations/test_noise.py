"""Fixed noise: its key, its distribution, and how it is added."""

import numpy as np
import torch
from torch import Tensor

from ddib.operations.noise import AddNoise
from ddib.operations.operation import Context
from ddib.operations.tensors import standard_noise


def test_noise_is_the_same_for_every_image_unless_per_image(z: Tensor) -> None:
    noise = (AddNoise(coefficient=0.5, seed=3)(z) - z) / 0.5
    torch.testing.assert_close(noise, standard_noise(3, None, (3, 16, 12)).expand_as(z))
    own = (AddNoise(coefficient=0.5, seed=3, per_image=True)(z, Context(first_index=7)) - z) / 0.5
    expected = torch.stack([standard_noise(3, i, (3, 16, 12)) for i in range(7, 11)])
    torch.testing.assert_close(own, expected, rtol=1e-4, atol=1e-5)


def test_multiplicative_noise_is_multiplied_by_the_latent(z: Tensor) -> None:
    noise = standard_noise(0, None, (3, 16, 12))
    result = AddNoise(coefficient=0.3, multiplicative=True)(z)
    torch.testing.assert_close(result, z + 0.3 * noise * z)


def test_noise_depends_on_seed_and_index_only() -> None:
    state = torch.get_rng_state()
    keys = [(seed, index) for seed in (0, 1, 2**32 - 1) for index in (None, 0, 1, 1000)]
    drawn = [standard_noise(*key, (3, 8, 8)) for key in keys]
    torch.manual_seed(1)
    np.random.seed(1)
    torch.randn(5)
    for key, noise in zip(keys, drawn, strict=True):
        assert torch.equal(standard_noise(*key, (3, 8, 8)), noise)
    assert len({noise.numpy().tobytes() for noise in drawn}) == len(drawn)
    torch.set_rng_state(state)
    standard_noise(0, None, (3,))
    assert torch.equal(torch.get_rng_state(), state)


def test_noise_is_standard_normal() -> None:
    noise = standard_noise(0, None, (3, 256, 256))
    assert noise.dtype == torch.float32
    assert abs(noise.mean()) < 0.01
    assert abs(noise.std() - 1) < 0.01
    assert abs(noise.pow(4).mean() - 3) < 0.05
