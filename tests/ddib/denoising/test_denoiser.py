"""The denoiser: what depends only on σ and label is computed once, and changes nothing."""

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from ddib.denoising.denoiser import Denoiser
from ddib.networks.configurations import UNetConfig
from ddib.networks.unet import UNet
from ddib.schedules.noise_schedules import linear

SIGMAS = linear(1000)


@pytest.fixture(params=[True, False], ids=["scale-shift norm", "shift"])
def network(request: pytest.FixtureRequest) -> UNet:
    config = UNetConfig(
        model_channels=32,
        channel_mult=(1, 2),
        attention_factors=(2,),
        num_classes=10,
        use_scale_shift_norm=request.param,
    )
    network = UNet(config).eval().requires_grad_(False)
    generator = torch.Generator().manual_seed(0)
    for parameter in network.parameters():
        parameter.copy_(torch.randn(parameter.shape, generator=generator) * 0.1)
    return network


def test_one_condition_serves_a_batch_as_one_for_each_sample_does(network: UNet) -> None:
    z = torch.randn((3, 3, 16, 16), generator=torch.Generator().manual_seed(1))
    one = network(z, network.condition(torch.tensor([321.5]), torch.tensor([7])))
    each = network(z, network.condition(torch.full((3,), 321.5), torch.full((3,), 7)))
    assert torch.allclose(one, each, atol=1e-5 * float(each.std()))


def test_conditions_are_computed_once_for_each_level_and_label(
    network: UNet, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: Counter[tuple[float, int | None]] = Counter()
    computed = network.condition

    def counting(timesteps: Tensor, labels: Tensor | None = None) -> tuple[Tensor, ...]:
        asked[float(timesteps), None if labels is None else int(labels)] += 1
        return computed(timesteps, labels)

    monkeypatch.setattr(network, "condition", counting)
    denoiser = Denoiser(network, SIGMAS, "v")
    sigmas = np.geomspace(0.02, 100, 7)
    for count in (2, 5):
        z = torch.randn((count, 3, 16, 16), generator=torch.Generator().manual_seed(2))
        for label in (None, 3):
            results = [denoiser(z, float(sigma), label) for sigma in sigmas]
            assert not any(torch.equal(a, b) for a, b in pairwise(results))
    assert len(asked) == 14
    assert set(asked.values()) == {1}
    assert denoiser.evaluations == 28
    assert not torch.equal(denoiser(z, 1.0, 3), denoiser(z, 1.0, 4))


def test_a_label_for_each_image_is_as_images_on_their_own(network: UNet) -> None:
    denoiser = Denoiser(network, SIGMAS, "v")
    z = torch.randn((3, 3, 16, 16), generator=torch.Generator().manual_seed(4))
    labels = (7, 0, 7)
    alone = torch.cat([denoiser(z[[i]], 0.5, label) for i, label in enumerate(labels)])
    together = denoiser(z, 0.5, labels)
    assert torch.allclose(together, alone, atol=1e-5 * float(alone.std()))
    assert not torch.allclose(together, denoiser(z, 0.5, 7), atol=1e-4 * float(alone.std()))


def test_the_state_keeps_its_precision(network: UNet) -> None:
    z = torch.randn((2, 3, 16, 16), generator=torch.Generator().manual_seed(3))
    denoiser = Denoiser(network, SIGMAS, "epsilon")
    precise = denoiser(z.double(), 0.5)
    assert precise.dtype == torch.float64
    assert F.mse_loss(precise.float(), denoiser(z, 0.5)) < 1e-10
