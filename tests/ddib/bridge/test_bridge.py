"""The round trip: against the original loops written out in NumPy, and its promises."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ddib.bridge.bridge import decode, encode, solve
from ddib.bridge.cache import Cache
from ddib.bridge.chunk import Chunk, Problem
from ddib.checkpoints.header import CheckpointFacts
from ddib.checkpoints.model import Model
from ddib.denoising.denoiser import Denoiser
from ddib.errors import Cancelled, InputError, RunError
from ddib.networks.configurations import UNetConfig
from ddib.operations.tensors import standard_noise
from ddib.schedules.noise_schedules import linear, schedule_sigmas
from ddib.solvers.scheme import Step
from ddib.solvers.solver import Solver

SIZE, CHANNELS = 4, 3
Array = NDArray[np.float64]


ALPHA_BAR = np.cumprod(1 - np.linspace(1e-4, 0.02, 1000))
VARIANCE = 0.25  # of the Gaussian whose exact ε the network perturbs, so that the ODE is tame
GAIN = np.sqrt(1 - ALPHA_BAR) / (ALPHA_BAR * VARIANCE + 1 - ALPHA_BAR)


class Perceptron(nn.Module):
    """A small smooth ε-network whose NumPy twin is `numpy_eps`."""

    def __init__(self) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(0)
        width = SIZE * SIZE * CHANNELS
        self.inward = torch.randn((width, 32), generator=generator) * width**-0.5
        self.outward = torch.randn((32, width), generator=generator) * 32**-0.5

    def condition(
        self, times: Tensor, labels: Tensor | None = None
    ) -> tuple[Tensor, Tensor | None]:
        return times, labels

    def forward(self, x: Tensor, condition: tuple[Tensor, Tensor | None]) -> Tensor:
        times, labels = condition
        at = times.double().numpy()
        gain, size = (
            torch.from_numpy(np.interp(at, np.arange(1000), table)).float()[:, None]
            for table in (GAIN, np.sqrt(ALPHA_BAR) / 2)
        )
        shift = 0 if labels is None else labels[:, None]
        hidden = torch.tanh(x.flatten(1) @ self.inward + shift)
        return (gain * x.flatten(1) + size * (hidden @ self.outward)).reshape(x.shape)


def numpy_eps(network: Perceptron, x: Array, time: int) -> Array:
    inward, outward = network.inward.double().numpy(), network.outward.double().numpy()
    flat = x.reshape(len(x), -1)
    eps = GAIN[time] * flat + np.sqrt(ALPHA_BAR[time]) / 2 * (np.tanh(flat @ inward) @ outward)
    return eps.reshape(x.shape)


@pytest.fixture
def model() -> Model:
    facts = CheckpointFacts(
        kind="denoiser",
        domain="test",
        labels=(0, 1, 2),
        class_conditional=True,
        image_size=SIZE,
        channels=CHANNELS,
        architecture=UNetConfig(num_classes=3),
        parameters=0,
        training={"label_dropout": 0.1},
    )
    return Model(
        "test", Path("test"), facts, "sha", Denoiser(Perceptron(), linear(1000), "epsilon")
    )


@pytest.fixture
def images() -> Tensor:
    return torch.rand((5, CHANNELS, SIZE, SIZE), generator=torch.Generator().manual_seed(1)) * 2 - 1


@pytest.mark.parametrize("steps", [1000, 50])
@pytest.mark.parametrize("clip", [False, "decode"])
def test_reference_grid_is_the_original(
    model: Model, images: Tensor, steps: int, clip: str | bool
) -> None:
    """DDIM of Song et al. 2021, equation 12 with η = 0, as guided-diffusion loops over it.

    ᾱ_prev and ᾱ_next are padded with 1 below and 0 above, and the clean image counts as level 0.
    """
    network = model.denoiser.network
    assert isinstance(network, Perceptron)
    times = list(range(0, 1000, 1000 // steps))
    levels = ALPHA_BAR[times]
    x = images.double().numpy()
    for i, time in enumerate(times):
        following = levels[i + 1] if i + 1 < len(times) else 0.0
        eps = numpy_eps(network, x, time)
        clean = np.sqrt(1 / levels[i]) * x - np.sqrt(1 / levels[i] - 1) * eps
        x = clean * np.sqrt(following) + np.sqrt(1 - following) * eps
    wanted_latent = x.copy()
    for i, time in reversed(list(enumerate(times))):
        before = levels[i - 1] if i else 1.0
        eps = numpy_eps(network, x, time)
        clean = np.sqrt(1 / levels[i]) * x - np.sqrt(1 / levels[i] - 1) * eps
        if clip:
            clean = clean.clip(-1, 1)
            eps = (np.sqrt(1 / levels[i]) * x - clean) / np.sqrt(1 / levels[i] - 1)
        x = clean * np.sqrt(before) + np.sqrt(1 - before) * eps

    solver = Solver.model_validate(
        {"name": "ddim", "grid": "reference", "steps": steps, "clip": clip}
    )
    latent = encode(images, model, solver)
    result = decode(torch.from_numpy(wanted_latent).float(), model, solver)
    assert np.abs(latent.numpy() - wanted_latent).max() < 1e-4
    assert np.abs(result.numpy() - x).max() < 1e-4


def test_round_trip_returns_the_images(model: Model, images: Tensor) -> None:
    solver = Solver(steps=100)
    back = decode(encode(images, model, solver, 1), model, solver, 1)
    assert (back - images).abs().max() < 1e-2
    other = decode(encode(images, model, solver, 1), model, solver, 2)
    assert (other - images).abs().max() > 1e-1


def to_encode(images: Tensor, solver: Solver, label: int | None = None) -> Chunk:
    return Chunk("encode", images, solver, label, tuple(range(len(images))))


def test_start_noise_is_keyed_by_the_place_in_the_session(model: Model, images: Tensor) -> None:
    solver = Solver(start_noise=0.1, steps=5)
    whole = encode(images, model, solver)
    work = to_encode(images, solver)
    parts = [solve(part, model).z for part in work.split(2)]
    assert torch.allclose(whole, torch.cat(parts), atol=1e-5)
    reseeded = encode(images, model, solver.model_copy(update={"start_noise_seed": 1}))
    assert not torch.allclose(whole, reseeded, atol=1e-2)


def test_start_noise_is_the_forward_process_up_to_its_level(model: Model, images: Tensor) -> None:
    """arXiv 2410.23530 replaces the steps of the inversion before t' by q(x_t' | x₀)."""
    schedule = model.facts.schedule
    sigma = float(schedule_sigmas(schedule.name, schedule.steps)[40])
    alpha_bar = 1 / (1 + sigma**2)
    chunk = to_encode(images, Solver(start_noise=sigma, steps=5))
    drawn = torch.stack([standard_noise(0, place, images.shape[1:]) for place in chunk.places])
    forward = alpha_bar**0.5 * images + (1 - alpha_bar) ** 0.5 * drawn
    torch.testing.assert_close(Problem(chunk, model).start_state, forward)
    assert Problem(chunk, model).levels[0] == pytest.approx(sigma)
    back = replace(chunk, direction="decode", start=drawn)
    assert Problem(back, model).levels[-1] < sigma, "the way back goes down to the image"


def test_labels_that_do_not_exist(model: Model, images: Tensor) -> None:
    with pytest.raises(InputError, match=r"no label 9 .* it has 0, 1, 2"):
        encode(images, model, label=9)
    single = replace(model, facts=model.facts.model_copy(update={"class_conditional": False}))
    with pytest.raises(InputError, match="no label 9"):
        decode(images, single, label=9)


def test_not_a_number_is_a_failed_run(model: Model, images: Tensor) -> None:
    images = images.clone()
    images[0, 0, 0, 0] = torch.nan
    with pytest.raises(RunError, match=r"NaN or infinite values in step 1 of the encode"):
        encode(images, model)


class Counter:
    """Counts steps, and stops after `limit` of them."""

    def __init__(self, limit: int = 10**9):
        self.count, self.limit = 0, limit

    def __call__(self, step: Step) -> None:
        self.count += 1
        if self.count == self.limit:
            raise Cancelled


def test_cancel_stops_within_a_step_and_caches_nothing(model: Model, images: Tensor) -> None:
    cache, counter = Cache(), Counter(limit=3)
    with pytest.raises(Cancelled):
        solve(to_encode(images, Solver()), model, cache=cache, watch=counter)
    assert counter.count == 3
    assert model.denoiser.evaluations == 3
    assert solve(to_encode(images, Solver()), model, cache=cache).evaluations == 20


def changed(images: Tensor) -> Iterator[tuple[str, Tensor, dict[str, object], int | None]]:
    yield "pixels", images + 1e-3, {}, None
    yield "label", images, {}, 1
    yield "steps", images, {"steps": 6}, None
    yield "solver", images, {"name": "ddim"}, None
    yield "grid", images, {"grid": "karras"}, None


def test_cache_returns_the_same_bytes_only_for_the_same_question(
    model: Model, images: Tensor, tmp_path: Path
) -> None:
    solver = Solver(steps=5)
    latent, _, spent = solve(to_encode(images, solver), model, cache=Cache(tmp_path))
    assert spent == 5
    again, _, spent = solve(to_encode(images, solver), model, cache=Cache(tmp_path))
    assert spent == 0
    assert torch.equal(latent, again)
    clipped = solver.model_copy(update={"clip": "decode"})
    assert solve(to_encode(images, clipped), model, cache=Cache(tmp_path)).evaluations == 0
    assert solve(Chunk("decode", images, solver), model, cache=Cache(tmp_path)).evaluations == 5
    assert solve(Chunk("decode", images, clipped), model, cache=Cache(tmp_path)).evaluations == 5
    for what, pixels, update, label in changed(images):
        other = solver.model_copy(update=update)
        spent = solve(to_encode(pixels, other, label), model, cache=Cache(tmp_path)).evaluations
        assert spent > 0, what
    retrained = replace(model, sha256="another")
    assert solve(to_encode(images, solver), retrained, cache=Cache(tmp_path)).evaluations == 5


def test_a_damaged_or_unwritable_cache_is_an_empty_one(
    model: Model, images: Tensor, tmp_path: Path
) -> None:
    solver = Solver(steps=3)
    latent = solve(to_encode(images, solver), model, cache=Cache(tmp_path)).z
    (entry,) = tmp_path.iterdir()
    entry.write_bytes(entry.read_bytes()[:50])
    again, _, spent = solve(to_encode(images, solver), model, cache=Cache(tmp_path))
    assert spent == 3
    assert torch.equal(latent, again)
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    assert solve(to_encode(images, solver), model, cache=Cache(blocked)).evaluations == 3


def test_cache_drops_the_least_recently_used(tmp_path: Path) -> None:
    tensor = torch.zeros(1000)
    cache = Cache(tmp_path, memory_limit=0, disk_limit=3 * 4300)
    for key in "abcdefg":
        cache.put(key, {"z": tensor})
    kept = {path.stem for path in tmp_path.glob("*.safetensors")}
    assert "g" in kept
    assert 1 <= len(kept) <= 3


def test_labels_of_each_image_go_with_their_images(model: Model) -> None:
    images = torch.randn((5, CHANNELS, SIZE, SIZE), generator=torch.Generator().manual_seed(0))
    labels, solver = (0, 2, 1, 1, 0), Solver(steps=3)
    cut = encode(images, model, solver, labels, chunk=2)
    alone = [encode(images[[i]], model, solver, label) for i, label in enumerate(labels)]
    assert torch.allclose(cut, torch.cat(alone), atol=1e-6)
    back = decode(cut, model, solver, labels)
    assert torch.allclose(back, decode(cut, model, solver, labels, chunk=2), atol=1e-5)
    with pytest.raises(InputError, match="no label 3"):
        encode(images, model, solver, (0, 1, 2, 3, 0))


def test_the_cache_tells_labels_of_each_image_apart(model: Model) -> None:
    images = torch.randn((2, CHANNELS, SIZE, SIZE), generator=torch.Generator().manual_seed(0))
    chunk = Chunk("encode", images, Solver(steps=3), (0, 1), (0, 1))
    keys = {Problem(replace(chunk, label=label), model).key for label in ((0, 1), (1, 0), 0, None)}
    assert len(keys) == 4
