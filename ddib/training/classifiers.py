"""Classifiers are trained: the probe that judges results, and the classifier that guides."""

from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any, Literal, cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ddib.checkpoints.header import CheckpointFacts
from ddib.checkpoints.schedule import Schedule
from ddib.checkpoints.writing import write_checkpoint
from ddib.data.training import TrainingData
from ddib.networks.classifier import NoisyClassifier
from ddib.networks.configurations import ClassifierConfig, ProbeConfig
from ddib.networks.probe import Probe
from ddib.schedules.levels import noise, signal
from ddib.training.configuration import TrainingConfig
from ddib.training.facts import count_parameters, training_facts
from ddib.training.loop import TrainingProgress, optimise
from ddib.training.noising import signal_and_noise
from ddib.training.state import Training, settings_of, state_file
from ddib.versions import versions

HELD_OUT = 2000  # images that a classifier is judged on at each noise level


def train_probe(
    out: Path,
    *,
    data: TrainingData,
    held_out: TrainingData,
    config: TrainingConfig,
    command: str = "",
) -> Generator[TrainingProgress, None, None]:
    """Train the digit classifier and write it with its accuracy on held-out digits.

    Digits are shifted by up to 2 pixels, so that the probe reads generated ones too. Resumes,
    closes and raises as `train_denoiser` does.
    """

    def loss(network: nn.Module, generator: torch.Generator) -> Tensor:
        images, labels = data.batch(config.batch, generator)
        down, right = torch.randint(-2, 3, (2,), generator=generator).tolist()
        images = images.roll((down, right), (2, 3))
        return F.cross_entropy(network(images).float(), labels)

    torch.manual_seed(config.seed)
    architecture = ProbeConfig()
    settings = settings_of(config, data, architecture)
    training = yield from optimise(Probe(architecture), loss, config, settings, out)
    reads = {"held_out_accuracy": accuracy(training.average.eval(), held_out)}
    figures = training_facts(training, config, command) | reads
    _write_classifier(out, "probe", data, architecture, training, figures)


def train_classifier(
    out: Path,
    *,
    data: TrainingData,
    held_out: TrainingData,
    config: TrainingConfig,
    command: str = "",
) -> Generator[TrainingProgress, None, None]:
    """Train the classifier of noisy digits, log σ uniform over the linear schedule, and write it
    with its accuracy on held-out digits at several σ.

    Resumes, closes and raises as `train_denoiser` does.
    """
    low, high = np.log(Schedule().sigmas[[0, -1]])

    def loss(network: NoisyClassifier, generator: torch.Generator) -> Tensor:
        images, labels = data.batch(config.batch, generator)
        share = torch.rand(config.batch, generator=generator)
        sigma = (low + (high - low) * share).exp()
        a, b = signal_and_noise(sigma)
        z = a * images + b * torch.randn(images.shape, generator=generator)
        return F.cross_entropy(network(z, sigma).float(), labels)

    torch.manual_seed(config.seed)
    architecture = ClassifierConfig(in_channels=data.channels)
    settings = settings_of(config, data, architecture)
    training = yield from optimise(NoisyClassifier(architecture), loss, config, settings, out)
    classifier = training.average.eval()

    def noisy_accuracy(sigma: float) -> float:
        generator = torch.Generator().manual_seed(2)

        def logits(images: Tensor) -> Tensor:
            eps = torch.randn(images.shape, generator=generator)
            z = signal(sigma) * images + noise(sigma) * eps
            return cast(Tensor, classifier(z, torch.tensor([sigma])))

        return accuracy(logits, held_out, HELD_OUT)

    figures = training_facts(training, config, command) | {
        "held_out_accuracy": noisy_accuracy(0.01),
        "held_out_accuracy_at": {str(s): noisy_accuracy(s) for s in (0.1, 0.3, 1.0, 3.0, 10.0)},
    }
    _write_classifier(out, "classifier", data, architecture, training, figures)


def _write_classifier(
    out: Path,
    kind: Literal["probe", "classifier"],
    data: TrainingData,
    architecture: ProbeConfig | ClassifierConfig,
    training: Training,
    figures: dict[str, Any],
) -> None:
    """The checkpoint of a network that reads digits; its training's state is no longer needed."""
    facts = CheckpointFacts(
        kind=kind,
        domain="colored-mnist digits",
        labels=data.labels,
        image_size=data.size,
        channels=data.channels,
        architecture=architecture,
        parameters=count_parameters(training.network),
        data=data.facts,
        training=figures,
        versions=versions(),
    )
    write_checkpoint(out, training.average.state_dict(), facts)
    state_file(out).unlink(missing_ok=True)


def accuracy(logits: Callable[[Tensor], Tensor], data: TrainingData, count: int = 10_000) -> float:
    """The share of `count` drawn images that a classifier takes for what they are."""
    generator = torch.Generator().manual_seed(1)
    right = 0
    with torch.inference_mode():
        for start in range(0, count, 500):
            images, labels = data.batch(min(500, count - start), generator)
            right += int((logits(images).argmax(1) == labels).sum())
    return right / count
