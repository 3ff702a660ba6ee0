"""The network of points: pixel by pixel, and against the analytic denoiser of a Gaussian."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from ddib.bridge.bridge import decode, encode
from ddib.checkpoints.loading import load
from ddib.data.pixels import Pixels
from ddib.data.points import SyntheticPoints
from ddib.data.source import IMAGE_SOURCES
from ddib.data.sources import source_of_dataset
from ddib.data.training import POINTS
from ddib.denoising.evaluation import Evaluation, prepare_network
from ddib.networks.configurations import MlpConfig
from ddib.networks.mlp import Mlp
from ddib.schedules.levels import signal
from ddib.solvers.solver import Solver
from ddib.training.configuration import TrainingConfig
from ddib.training.denoisers import train_denoiser

MEAN, DEVIATION = torch.tensor([0.5, -0.3]), 0.4


class Gaussian:
    """Points around a mean, whose best denoiser is known."""

    domain = "a Gaussian"
    pointwise = True
    size = 1
    channels = 2
    labels: tuple[int, ...] = ()
    sample = (1, 100)
    samples = 1
    picture: Pixels | None = None

    def __init__(self) -> None:
        self.facts: dict[str, Any] = {}

    def batch(self, count: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        drawn = torch.randn((count, 2, 1, POINTS), generator=generator)
        return MEAN[:, None, None] + DEVIATION * drawn, torch.full((count,), -1)


def random_network() -> Mlp:
    torch.manual_seed(0)
    network = Mlp(MlpConfig(width=16, blocks=2)).eval()
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    return network


def test_every_pixel_is_a_point_of_its_own() -> None:
    network, z = random_network(), torch.randn(3, 2, 4, 5)
    with torch.inference_mode():
        condition = network.condition(torch.tensor([17.0]))
        whole = network(z, condition)
        alone = network(z[1:2, :, 2:3, 3:4], condition)
        row = network(z.flatten(2)[:, :, None], condition)
    assert torch.allclose(whole[1, :, 2, 3], alone[0, :, 0, 0], atol=1e-6)
    assert torch.allclose(whole.flatten(2), row[:, :, 0], atol=1e-6)


def test_one_condition_serves_a_batch_as_its_own_ones_do() -> None:
    network, z = random_network(), torch.randn(3, 2, 1, 5)
    with torch.inference_mode():
        one = network(z, network.condition(torch.tensor([17.0])))
        each = network(z, network.condition(torch.full((3,), 17.0)))
        other = network(z, network.condition(torch.tensor([600.0])))
    assert torch.allclose(one, each, atol=1e-6)
    assert not torch.allclose(one, other, atol=1e-2)


def test_no_precision_makes_it_coarser() -> None:
    network = random_network()
    prepare_network(network, Evaluation(precision="bf16"), "cpu")
    assert {parameter.dtype for parameter in network.parameters()} == {torch.float32}


def test_it_learns_the_denoiser_of_a_gaussian(tmp_path: Path) -> None:
    """D(x̄, σ) = (s² x̄ + σ² μ) / (s² + σ²), at noise levels that matter."""
    config = TrainingConfig(
        steps=150, batch=32, learning_rate=5e-3, warmup=10, ema=0.95,
        noise_levels="log", precision="float32", weight_decay=0,
    )  # fmt: skip
    out = tmp_path / "gaussian.safetensors"
    architecture = MlpConfig(width=32, blocks=2, frequencies=2)
    for _ in train_denoiser(
        out, domain="a Gaussian", data=Gaussian(), architecture=architecture, config=config
    ):
        pass
    model = load(out)
    for sigma in (0.1, 0.4, 1.0, 3.0):
        x = MEAN[:, None] + (DEVIATION**2 + sigma**2) ** 0.5 * torch.randn(2, 2000)
        best = (DEVIATION**2 * x + sigma**2 * MEAN[:, None]) / (DEVIATION**2 + sigma**2)
        found = model.denoiser(signal(sigma) * x[None, :, None], sigma)[0, :, 0]
        assert float((found - best).square().mean().sqrt()) < 0.2 * DEVIATION
    assert model.facts.shape == "points of 2 coordinates"
    assert model.facts.thumbnail is not None


@pytest.mark.parametrize(
    "name", [n for s in IMAGE_SOURCES.values() if s.of_points for n in s.datasets()]
)
def test_the_shipped_models_make_their_shapes_and_go_there_and_back(name: str) -> None:
    model, solver = load(f"synthetic-{name}"), Solver(steps=30)
    assert model.facts.data == {"dataset": name}
    keys = {"dataset": name, "count": 6000, "seed": 5}
    entry = source_of_dataset(name).model_validate(keys)
    assert isinstance(entry, SyntheticPoints)
    shape = torch.from_numpy(entry.cloud())
    noise = torch.randn((1, 2, 1, 400), generator=torch.Generator().manual_seed(0))
    made = decode(noise, model, solver)[0, :, 0].T
    near = torch.cdist(made, shape).amin(1) < 0.08
    assert float(near.float().mean()) > 0.95
    points = shape[::30].T[None, :, None]
    latent = encode(points, model, solver)
    assert float(latent.std()) == pytest.approx(1, abs=0.06)
    assert float((decode(latent, model, solver) - points).norm(dim=1).mean()) < 0.0143
