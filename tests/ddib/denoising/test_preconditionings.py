"""What holds for every preconditioning, against a mixture of Gaussians whose D is known."""

import pytest
import torch
from torch import Tensor

from ddib.checkpoints.header import CheckpointFacts
from ddib.denoising.denoiser import Denoiser
from ddib.denoising.preconditionings import PRECONDITIONINGS
from ddib.errors import InputError
from ddib.networks.configurations import MlpConfig
from ddib.schedules.noise_schedules import linear
from ddib.training.configuration import TrainingConfig

SIGMAS = linear(1000)
CENTRES, DEVIATION = torch.tensor([[-1.0, 0.5], [0.8, -0.4], [0.1, 1.0]]).double(), 0.3
NAMES = pytest.mark.parametrize("name", list(PRECONDITIONINGS))


def mixture_estimate(z: Tensor, a: float, b: float) -> Tensor:
    """E[image | z] of points [N, 2, 1, 1] around the centres, z = a·image + b·ε."""
    points = z[:, :, 0, 0]
    variance = a**2 * DEVIATION**2 + b**2
    off = points[:, None] - a * CENTRES
    shares = (-off.square().sum(2) / (2 * variance)).softmax(1)
    each = CENTRES + a * DEVIATION**2 / variance * off
    return (shares[:, :, None] * each).sum(1)[:, :, None, None]


class PerfectNetwork:
    """Puts out what a network that was trained for ever would, at the level it was made for."""

    def __init__(self, name: str, a: float, b: float) -> None:
        self.target, self.a, self.b = PRECONDITIONINGS[name].target, a, b

    def condition(self, timesteps: Tensor, labels: Tensor | None = None) -> None:
        return None

    def __call__(self, z: Tensor, condition: None) -> Tensor:
        image = mixture_estimate(z, self.a, self.b)
        eps = (z - self.a * image) / self.b
        return self.target(image, eps, self.a, self.b)


@NAMES
@pytest.mark.parametrize("sigma", [0.05, 0.7, 20.0])
def test_a_perfect_network_gives_the_mixtures_estimate(name: str, sigma: float) -> None:
    a, b = 1 / (1 + sigma**2) ** 0.5, sigma / (1 + sigma**2) ** 0.5
    z = torch.randn((50, 2, 1, 1), generator=torch.Generator().manual_seed(0)).double()
    found = Denoiser(PerfectNetwork(name, a, b), SIGMAS, name)(z, sigma)
    assert torch.allclose(found, mixture_estimate(z, a, b), atol=1e-9)


@NAMES
def test_a_header_and_a_training_take_its_name(name: str) -> None:
    facts = CheckpointFacts(
        kind="denoiser", domain="points", image_size=1, channels=2, architecture=MlpConfig(),
        parameterisation=name, parameters=1,
    )  # fmt: skip
    assert CheckpointFacts.model_validate_json(facts.model_dump_json()) == facts
    assert TrainingConfig(steps=1, parameterisation=name).parameterisation == name
    assert PRECONDITIONINGS[name].symbol


def test_an_unknown_one_is_named() -> None:
    with pytest.raises(ValueError, match="epsilon"):
        TrainingConfig(steps=1, parameterisation="epsilo")
    with pytest.raises(InputError, match="there is no preconditioning 'flow'"):
        Denoiser(PerfectNetwork("v", 1, 1), SIGMAS, "flow")
