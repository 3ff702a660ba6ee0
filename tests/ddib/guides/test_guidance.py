"""Guidance, on a mixture of two Gaussians whose every score is known."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import ddib
from ddib.bridge.bridge import decode, encode, solve
from ddib.bridge.cache import Cache
from ddib.bridge.chunk import Chunk, Problem
from ddib.checkpoints.header import CheckpointFacts
from ddib.checkpoints.model import Classifier, Model
from ddib.denoising.denoiser import Denoiser
from ddib.errors import InputError
from ddib.guides.classifier import by_classifier
from ddib.guides.guidance import Guidance, guided
from ddib.networks.classifier import NoisyClassifier
from ddib.networks.configurations import ClassifierConfig, UNetConfig
from ddib.schedules.levels import signal
from ddib.schedules.noise_schedules import linear
from ddib.solvers.solver import Solver

SHAPE = (1, 2, 2)
MEANS = torch.tensor([[0.8, 0.1, -0.3, 0.5], [-0.6, 0.4, 0.2, -0.7]]).reshape(2, *SHAPE)
VARIANCES = torch.tensor([0.1, 0.3])
PRIORS = torch.tensor([0.3, 0.7])
LOG_SIGMAS = np.log(linear(1000))
LEVELS = [0.02, 0.3, 1.0, 7.0]


def log_joint(x: Tensor, sigma: float) -> Tensor:
    """log p(x̄, y) at level σ [N, 2], x̄ = x + σε: Gaussians of variance v + σ²."""
    variance = VARIANCES + sigma**2
    distance = (x[:, None] - MEANS).square().flatten(2).sum(2)
    return PRIORS.log() - distance / (2 * variance) - 2 * variance.log()


def exact(x: Tensor, sigma: float, label: int | None) -> Tensor:
    """E[x | x̄, y], or E[x | x̄] without a label."""
    v = VARIANCES[:, None, None, None]
    each = (v * x[:, None] + sigma**2 * MEANS) / (v + sigma**2)  # [N, 2, C, H, W]
    if label is not None:
        return each[:, label]
    share = log_joint(x, sigma).softmax(1)
    return (share[:, :, None, None, None] * each).sum(1)


class Mixture(nn.Module):
    """The network of the exact denoiser."""

    def condition(self, times: Tensor, labels: Tensor | None = None) -> tuple[float, int | None]:
        sigma = float(np.exp(np.interp(float(times), np.arange(1000), LOG_SIGMAS)))
        return sigma, None if labels is None else int(labels)

    def forward(self, z: Tensor, condition: tuple[float, int | None]) -> Tensor:
        sigma, label = condition
        return exact(z / signal(sigma), sigma, label)


class Posterior(nn.Module):
    """The exact classifier p(y | z, σ)."""

    def forward(self, z: Tensor, sigma: Tensor) -> Tensor:
        return log_joint(z / signal(float(sigma)), float(sigma))


def facts(**changed: Any) -> CheckpointFacts:
    settings: dict[str, Any] = {
        "kind": "denoiser",
        "domain": "mixture",
        "labels": (0, 1),
        "class_conditional": True,
        "image_size": 2,
        "channels": 1,
        "architecture": UNetConfig(num_classes=2),
        "parameters": 0,
        "training": {"label_dropout": 0.1},
    }
    return CheckpointFacts.model_validate(settings | changed)


@pytest.fixture
def model() -> Model:
    denoiser = Denoiser(Mixture(), linear(1000), "x0")
    return Model("mixture", Path("mixture"), facts(), "sha", denoiser)


@pytest.fixture
def classifier() -> Classifier:
    described = facts(kind="classifier", architecture=ClassifierConfig(), class_conditional=False)
    network: Any = Posterior()
    return Classifier(described, "posterior", network)


@pytest.fixture
def x() -> Tensor:
    return torch.randn((5, *SHAPE), generator=torch.Generator().manual_seed(3))


@pytest.mark.parametrize("sigma", LEVELS)
@pytest.mark.parametrize("w", [0.0, 0.5, 1.0, 3.0])
def test_classifier_free_guidance_leads_away_from_the_unconditional_estimate(
    model: Model, x: Tensor, sigma: float, w: float
) -> None:
    found = guided(model, 1, Guidance(w))(x * signal(sigma), sigma)
    wanted = (1 - w) * exact(x, sigma, None) + w * exact(x, sigma, 1)
    assert torch.allclose(found, wanted, atol=2e-4)


@pytest.mark.parametrize("sigma", LEVELS)
@pytest.mark.parametrize("scale", [0.0, 1.0, 4.0])
def test_a_classifier_leads_by_bayes(
    model: Model, classifier: Classifier, x: Tensor, sigma: float, scale: float
) -> None:
    """∇ log p(y | x̄) is the difference of the two scores, so scale 1 on the unconditional
    network is the conditional one, and any other the classifier-free guidance by so much.
    """
    unconditional = replace(model, facts=facts(class_conditional=False))
    found = guided(unconditional, 1, Guidance(1.0, classifier, scale))(x * signal(sigma), sigma)
    wanted = (1 - scale) * exact(x, sigma, None) + scale * exact(x, sigma, 1)
    assert torch.allclose(found, wanted, atol=5e-4)
    steered = guided(model, 1, Guidance(0.0, classifier, scale))(x * signal(sigma), sigma)
    assert torch.equal(found, steered)


def test_two_labels_in_a_batch_are_led_each_to_its_own(classifier: Classifier, x: Tensor) -> None:
    both = by_classifier(classifier, x[:2], 0.5, (1, 0), 2.0)
    for place, label in enumerate((1, 0)):
        alone = by_classifier(classifier, x[place : place + 1], 0.5, label, 2.0)
        assert torch.allclose(both[place], alone[0], atol=1e-6)


def test_the_networks_gradient_is_that_of_its_logarithm() -> None:
    """Against central differences in float64, through the shipped architecture."""
    torch.manual_seed(0)
    config = ClassifierConfig(in_channels=1, widths=(8,), classes=3)
    network = NoisyClassifier(config).double().requires_grad_(False)
    described = facts(labels=(0, 1, 2), kind="classifier", architecture=config, image_size=4)
    loaded = Classifier(described, "sha", network)
    z = torch.randn((2, 1, 4, 4), dtype=torch.float64)
    sigma, step = 2.0, 1e-5
    found = by_classifier(loaded, z, sigma, 2, 1.0)

    def log_p(state: Tensor) -> Tensor:
        return network(state, torch.tensor([sigma])).log_softmax(1)[:, 2]

    for place in np.ndindex(1, 4, 4):
        nudge = torch.zeros_like(z)
        nudge[(slice(None), *place)] = step
        slope = (log_p(z + nudge) - log_p(z - nudge)) / (2 * step)
        shift = sigma**2 / (1 + sigma**2) ** 0.5 * slope
        assert torch.allclose(found[(slice(None), *place)], shift, rtol=1e-4, atol=1e-7)


def test_the_original_clips_before_a_classifier_moves_the_estimate(
    model: Model, classifier: Classifier, x: Tensor
) -> None:
    z, sigma = 3 * x * signal(7.0), 7.0
    led = Guidance(1.0, classifier, 2.0)
    free = guided(model, 1, led)(z, sigma)
    clipped = guided(model, 1, led, clip=True)(z, sigma)
    shift = by_classifier(classifier, z, sigma, 1, 2.0)
    assert torch.allclose(clipped, (free - shift).clamp(-1, 1) + shift, atol=1e-6)


def test_the_plain_scales_are_the_plain_networks(model: Model, x: Tensor) -> None:
    solver = Solver(steps=4)
    assert torch.equal(decode(x, model, solver, 1, guidance=1), decode(x, model, solver, 1))
    assert torch.equal(decode(x, model, solver, 1, guidance=0), decode(x, model, solver))
    assert not torch.equal(decode(x, model, solver, 1, guidance=2), decode(x, model, solver, 1))
    assert torch.equal(encode(x, model, solver, 1, guidance=0), encode(x, model, solver))


@pytest.mark.parametrize(("w", "each"), [(0.0, 1), (1.0, 1), (2.0, 2)])
def test_evaluations_are_counted(model: Model, x: Tensor, w: float, each: int) -> None:
    chunk = Chunk("decode", x, Solver(steps=4), 1, guidance=Guidance(w))
    assert solve(chunk, model).evaluations == 4 * each
    assert chunk.guidance.evaluations == each


def test_the_exact_cycle_stands_under_one_guidance(
    model: Model, classifier: Classifier, x: Tensor
) -> None:
    solver = Solver(name="obelm", steps=5, cycle="exact")
    led = Guidance(1.5, classifier, 0.5)
    there = Chunk("encode", x, solver, 1, tuple(range(5)), guidance=led)
    solved = solve(there, model)
    back = Chunk("decode", solved.z, solver, 1, carried=solved.carried, guidance=led)
    assert (solve(back, model).z - x).abs().max() < 1e-6
    other = replace(back, guidance=Guidance(1.0))
    assert (solve(other, model).z - x).abs().max() > 1e-2


def test_what_guides_is_part_of_the_key(
    model: Model, classifier: Classifier, x: Tensor, tmp_path: Path
) -> None:
    chunk = Chunk("decode", x, Solver(steps=2), 1)
    led = [
        Guidance(),
        Guidance(2.0),
        Guidance(1.0, classifier),
        Guidance(1.0, classifier, 2.0),
        Guidance(1.0, replace(classifier, sha256="other")),
    ]
    keys = {Problem(replace(chunk, guidance=one), model).key for one in led}
    assert len(keys) == len(led)
    nothing = replace(chunk, guidance=Guidance(1.0, classifier, 0.0))
    assert Problem(nothing, model).key == Problem(chunk, model).key
    cache = Cache(tmp_path)
    first = solve(replace(chunk, guidance=led[3]), model, cache=cache)
    again = solve(replace(chunk, guidance=led[3]), model, cache=Cache(tmp_path))
    assert torch.equal(first.z, again.z)
    assert again.evaluations == 0


@pytest.mark.parametrize(
    ("changed", "label", "scale", "words"),
    [
        ({"class_conditional": False}, 1, 2.0, "takes a class-conditional model"),
        ({"training": {}}, 1, 2.0, "trained without label dropout"),
        ({"training": {}}, 1, 0.0, "trained without label dropout"),
        ({}, None, 2.0, "needs a label"),
        ({}, 5, 2.0, "no label 5"),
    ],
)
def test_guidance_that_cannot_be_is_refused(
    model: Model, x: Tensor, changed: dict[str, Any], label: int | None, scale: float, words: str
) -> None:
    with pytest.raises(InputError, match=words):
        decode(x, replace(model, facts=facts(**changed)), label=label, guidance=scale)


def test_a_classifier_that_cannot_lead_is_refused(
    model: Model, classifier: Classifier, x: Tensor
) -> None:
    other = replace(classifier, facts=classifier.facts.model_copy(update={"image_size": 4}))
    with pytest.raises(InputError, match="reads 4×4×1 and the model makes 2×2×1"):
        decode(x, model, label=1, classifier=other)
    with pytest.raises(InputError, match="needs a label"):
        decode(x, model, classifier=classifier)
    few = replace(classifier, facts=classifier.facts.model_copy(update={"labels": (0,)}))
    with pytest.raises(InputError, match="no label 1 in a classifier"):
        decode(x, model, label=1, classifier=few)


def test_a_model_of_one_class_is_led_to_it(model: Model, classifier: Classifier, x: Tensor) -> None:
    ones = replace(model, facts=facts(class_conditional=False, labels=(1,)))
    led = decode(x, ones, Solver(steps=3), classifier=classifier)
    assert torch.equal(led, decode(x, ones, Solver(steps=3), 1, classifier=classifier))
    nameless = replace(model, facts=facts(class_conditional=False, labels=()))
    assert torch.equal(led, decode(x, nameless, Solver(steps=3), 1, classifier=classifier))


def test_the_wrong_file_is_no_classifier() -> None:
    with pytest.raises(InputError, match="a probe, not a classifier of noisy images"):
        ddib.load_classifier("cmnist-probe")
