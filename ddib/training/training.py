"""Train a domain's model, a noisy-image classifier or the probe, from the first line to the last.

Every batch is a pure function of (seed, step), so a resumed training sees what an undisturbed one
would have seen.
"""

import io
import platform
import time
from collections.abc import Callable, Generator
from contextlib import suppress
from copy import deepcopy
from dataclasses import dataclass, field
from functools import partial
from math import cos, pi
from pathlib import Path
from pickle import UnpicklingError
from typing import Any, Literal, TypeVar, cast

import numpy as np
import torch
from PIL import Image
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn
from torch.nn import functional as F

import ddib
from ddib.checkpoints.files import SUFFIX
from ddib.checkpoints.header import CheckpointFacts
from ddib.checkpoints.schedule import Schedule
from ddib.checkpoints.writing import write_checkpoint
from ddib.data.pixels import Pixels, to_pixels
from ddib.data.training import TrainingData
from ddib.denoising.denoiser import Denoiser
from ddib.denoising.preconditionings import PRECONDITIONINGS, PreconditioningName
from ddib.errors import InputError, RunError
from ddib.networks.building import build_network
from ddib.networks.classifier import NoisyClassifier
from ddib.networks.configurations import ClassifierConfig, MlpConfig, ProbeConfig, UNetConfig
from ddib.networks.mlp import Mlp
from ddib.networks.probe import Probe
from ddib.networks.unet import UNet
from ddib.operations.tensors import standard_noise
from ddib.schedules.grids import make_grid
from ddib.schedules.levels import noise, signal
from ddib.solvers.multistep import dpmpp_2m

HELD_OUT = 2000  # images that a classifier is judged on at each noise level
MAX_BATCH = 65_536
SAVE_EVERY = 30.0  # seconds between saved states: what a kill can cost

Net = TypeVar("Net", bound=nn.Module)


class TrainingConfig(BaseModel):
    """How a model is trained; recorded in its checkpoint.

    noise_levels: "time" draws the schedule's timesteps uniformly; "mixed" draws half of a batch
    uniformly in log σ, as the solvers' steps lie, which teaches low noise much faster; "log"
    draws all of it so.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    steps: int | None = Field(None, ge=1, le=10**9)
    minutes: float | None = Field(None, gt=0, le=10**6)
    batch: int = Field(64, ge=1, le=MAX_BATCH)
    learning_rate: float = Field(1.5e-3, gt=0, le=1)
    warmup: int = Field(100, ge=0)
    weight_decay: float = Field(0.01, ge=0)
    ema: float = Field(0.999, ge=0, lt=1)
    label_dropout: float = Field(0.1, ge=0, le=1)
    parameterisation: PreconditioningName = "v"
    noise_levels: Literal["time", "mixed", "log"] = "time"
    precision: Literal["float32", "bf16"] = "bf16"
    seed: int = Field(0, ge=0, lt=2**31)


@dataclass
class Training:
    """A training under way, and all that must survive a kill."""

    network: nn.Module
    average: nn.Module
    optimizer: torch.optim.Optimizer
    step: int = 0
    seconds: float = 0.0
    losses: list[float] = field(default_factory=list)  # one mean per hundred steps


@dataclass(frozen=True)
class TrainingProgress:
    """Where a training is: `fraction` of its budget, mean loss of late, seconds left."""

    step: int
    fraction: float
    loss: float
    seconds: float
    seconds_left: float


def train_denoiser(
    out: Path,
    *,
    domain: str,
    data: TrainingData,
    architecture: UNetConfig | MlpConfig,
    config: TrainingConfig,
    command: str = "",
) -> Generator[TrainingProgress, None, None]:
    """Train a diffusion model and write `out` (NAME.safetensors) and a sheet of samples.

    Loss: mean squared error of the ε- or v-prediction on a linear schedule of 1000 steps
    (Ho et al. 2020; Salimans & Ho 2022). Resumes from NAME.training.pt beside `out`. Closing
    the generator saves its state. Raises RunError when the loss is no longer finite.
    """
    schedule = Schedule()
    log_sigmas = np.log(schedule.sigmas)
    target = PRECONDITIONINGS.named(config.parameterisation).target
    all_times = np.arange(schedule.steps, dtype=np.float64)

    def loss(network: UNet | Mlp, generator: torch.Generator) -> Tensor:
        images, labels = data.batch(config.batch, generator)
        times = torch.randint(schedule.steps, (config.batch,), generator=generator).numpy()
        log_sigma = log_sigmas[times]
        if stride := {"mixed": 2, "log": 1}.get(config.noise_levels):
            count = config.batch // stride
            even = torch.rand(count, generator=generator, dtype=torch.float64).numpy()
            if config.noise_levels == "log":  # one in each equal part, for less noise in the loss
                even = (even + np.arange(count)) / count
            log_sigma[::stride][:count] = np.quantile(log_sigmas[[0, -1]], even)
        eps = torch.randn(images.shape, generator=generator)
        dropped = torch.rand(config.batch, generator=generator) < config.label_dropout
        labels = labels.masked_fill(dropped, -1)
        clock = torch.from_numpy(np.interp(log_sigma, log_sigmas, all_times)).float()
        a, b = _signal_and_noise(torch.from_numpy(np.exp(log_sigma)).float())
        wanted = target(images, eps, a, b)
        output = network(a * images + b * eps, network.condition(clock, labels))
        return F.mse_loss(output.float(), wanted)

    torch.manual_seed(config.seed)
    training = yield from _optimise(
        cast(UNet | Mlp, build_network(architecture)), loss, config, out
    )
    denoiser = Denoiser(
        cast(UNet | Mlp, training.average.eval()), schedule.sigmas, config.parameterisation
    )
    conditional = isinstance(architecture, UNetConfig) and architecture.num_classes is not None
    samples = sample_sheet(denoiser, data, data.labels if conditional else ())
    facts = CheckpointFacts(
        kind="denoiser",
        domain=domain,
        labels=data.labels,
        class_conditional=conditional,
        image_size=data.size,
        channels=data.channels,
        architecture=architecture,
        schedule=schedule,
        parameterisation=config.parameterisation,
        parameters=_count(training.network),
        data=data.facts,
        training=_training_facts(training, config, command),
        versions=_versions(),
        thumbnail=_base64_png(_corner(samples, data)),
        picture=None if data.picture is None else _base64_png(data.picture),
    )
    write_checkpoint(out, training.average.state_dict(), facts)
    Image.fromarray(samples.squeeze()).save(out.with_suffix(".samples.png"))
    _state_path(out).unlink(missing_ok=True)


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
    training = yield from _optimise(Probe(architecture), loss, config, out)
    reads = {"held_out_accuracy": accuracy(training.average.eval(), held_out)}
    figures = _training_facts(training, config, command) | reads
    _write_judge(out, "probe", data, architecture, training, figures)


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
        a, b = _signal_and_noise(sigma)
        z = a * images + b * torch.randn(images.shape, generator=generator)
        return F.cross_entropy(network(z, sigma).float(), labels)

    torch.manual_seed(config.seed)
    architecture = ClassifierConfig(in_channels=data.channels)
    training = yield from _optimise(NoisyClassifier(architecture), loss, config, out)
    classifier = training.average.eval()

    def noisy_accuracy(sigma: float) -> float:
        generator = torch.Generator().manual_seed(2)

        def logits(images: Tensor) -> Tensor:
            eps = torch.randn(images.shape, generator=generator)
            z = signal(sigma) * images + noise(sigma) * eps
            return cast(Tensor, classifier(z, torch.tensor([sigma])))

        return accuracy(logits, held_out, HELD_OUT)

    figures = _training_facts(training, config, command) | {
        "held_out_accuracy": noisy_accuracy(0.01),
        "held_out_accuracy_at": {str(s): noisy_accuracy(s) for s in (0.1, 0.3, 1.0, 3.0, 10.0)},
    }
    _write_judge(out, "classifier", data, architecture, training, figures)


def _write_judge(
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
        parameters=_count(training.network),
        data=data.facts,
        training=figures,
        versions=_versions(),
    )
    write_checkpoint(out, training.average.state_dict(), facts)
    _state_path(out).unlink(missing_ok=True)


def _signal_and_noise(sigma: Tensor) -> tuple[Tensor, Tensor]:
    """√ᾱ and √(1-ᾱ) of levels σ [N], as [N, 1, 1, 1]."""
    sigma = sigma[:, None, None, None]
    return 1 / (1 + sigma**2).sqrt(), sigma / (1 + sigma**2).sqrt()


def accuracy(logits: Callable[[Tensor], Tensor], data: TrainingData, count: int = 10_000) -> float:
    """The share of `count` drawn images that a classifier takes for what they are."""
    generator = torch.Generator().manual_seed(1)
    right = 0
    with torch.inference_mode():
        for start in range(0, count, 500):
            images, labels = data.batch(min(500, count - start), generator)
            right += int((logits(images).argmax(1) == labels).sum())
    return right / count


def sample_sheet(denoiser: Denoiser, data: TrainingData, labels: tuple[int, ...] = ()) -> Pixels:
    """Samples from fixed noise, as many in a row and in rows as the data say, or a row per label:
    uint8 [H, W, C]."""
    grid = make_grid("log", denoiser.sigmas, 20)
    shape, across = (data.channels, *data.sample), data.samples
    rows = []
    for row, label in enumerate(labels or (None,) * across):
        z = torch.stack([standard_noise(0, across * row + n, shape) for n in range(across)])
        for step in dpmpp_2m(partial(denoiser, label=label), z, grid.decode):
            z = step.z
        rows.append(np.concatenate(list(to_pixels(z)), axis=1))
    return np.concatenate(rows)


def _optimise(
    network: Net,
    loss: Callable[[Net, torch.Generator], Tensor],
    config: TrainingConfig,
    out: Path,
) -> Generator[TrainingProgress, None, Training]:
    """AdamW with warm-up and cosine decay over the budget, and an average of the weights."""
    if config.steps is None and config.minutes is None:
        raise InputError("a training needs a budget: steps or minutes")
    optimizer = torch.optim.AdamW(
        network.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay
    )
    training = Training(network, deepcopy(network).requires_grad_(False), optimizer)
    _resume(training, _state_path(out))
    begun = time.monotonic() - training.seconds
    saved, recent = time.monotonic(), []
    try:
        while (fraction := _spent(training, config)) < 1:
            rate = config.learning_rate * min(1, (training.step + 1) / (config.warmup + 1))
            for group in optimizer.param_groups:
                group["lr"] = rate * (0.01 + 0.99 * (1 + cos(pi * fraction)) / 2)
            generator = torch.Generator().manual_seed((config.seed << 32) + training.step)
            with torch.autocast("cpu", torch.bfloat16, enabled=config.precision == "bf16"):
                value = loss(network, generator)
            optimizer.zero_grad(set_to_none=True)
            value.backward()  # type: ignore[no-untyped-call]
            norm = nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            if not norm.isfinite():
                raise RunError(f"the loss is no longer finite at step {training.step}")
            optimizer.step()
            _average(training, config.ema)
            training.step += 1
            training.seconds = time.monotonic() - begun
            recent.append(float(value.detach()))
            if training.step % 100 == 0:
                training.losses.append(sum(recent[-100:]) / len(recent[-100:]))
            if time.monotonic() - saved > SAVE_EVERY:
                _save(training, _state_path(out))
                saved = time.monotonic()
            spent = _spent(training, config)
            yield TrainingProgress(
                step=training.step,
                fraction=spent,
                loss=sum(recent[-100:]) / len(recent[-100:]),
                seconds=training.seconds,
                seconds_left=training.seconds * (1 - spent) / max(spent, 1e-9),
            )
    except GeneratorExit:
        _save(training, _state_path(out))
        raise
    return training


def _spent(training: Training, config: TrainingConfig) -> float:
    by_steps = training.step / config.steps if config.steps else 0.0
    by_time = training.seconds / (60 * config.minutes) if config.minutes else 0.0
    return min(1.0, max(by_steps, by_time))


@torch.no_grad()
def _average(training: Training, decay: float) -> None:
    decay = min(decay, (1 + training.step) / (10 + training.step))
    torch._foreach_lerp_(
        list(training.average.parameters()), list(training.network.parameters()), 1 - decay
    )


def _state_path(out: Path) -> Path:
    return out.with_name(out.name.removesuffix(SUFFIX) + ".training.pt")


def _save(training: Training, path: Path) -> None:
    temporary = path.with_name(f".{path.name}.partial")
    state = {
        "network": training.network.state_dict(),
        "average": training.average.state_dict(),
        "optimizer": training.optimizer.state_dict(),
        "step": training.step,
        "seconds": training.seconds,
        "losses": training.losses,
    }
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        torch.save(state, temporary)
        temporary.replace(path)
    except (OSError, RuntimeError) as error:  # torch says of a full disk what it knows: not much
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        reason = str(error).partition("\n")[0]
        raise RunError(f"{path}: the training's state cannot be written: {reason}") from error


def _resume(training: Training, path: Path) -> None:
    if not path.exists():
        return
    try:
        state = torch.load(path, weights_only=True)
        training.network.load_state_dict(state["network"])
        training.average.load_state_dict(state["average"])
        training.optimizer.load_state_dict(state["optimizer"])
    except (RuntimeError, KeyError, ValueError, EOFError, OSError, UnpicklingError) as error:
        reason = str(error).split("\n", 1)[0]
        raise InputError(
            f"{path}: cannot be resumed ({reason}); delete it to train from the start"
        ) from error
    training.step, training.seconds = state["step"], state["seconds"]
    training.losses = state["losses"]


def _training_facts(training: Training, config: TrainingConfig, command: str) -> dict[str, Any]:
    return config.model_dump() | {
        "command": command,
        "steps_done": training.step,
        "wall_seconds": round(training.seconds),
        "loss": training.losses[-1] if training.losses else None,
        "losses_per_100_steps": [round(value, 5) for value in training.losses],
        "threads": torch.get_num_threads(),
    }


def _versions() -> dict[str, str]:
    return {
        "ddib-workbench": ddib.__version__,
        "torch": torch.__version__,
        "numpy": np.__version__,
        "python": platform.python_version(),
    }


def _count(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def _corner(samples: Pixels, data: TrainingData) -> Pixels:
    """At most four by four samples of a sheet."""
    height, width = (edge * min(4, data.samples) // data.samples for edge in samples.shape[:2])
    return samples[:height, :width]


def _base64_png(pixels: Pixels) -> bytes:
    from base64 import b64encode

    buffer = io.BytesIO()
    Image.fromarray(pixels.squeeze()).save(buffer, "PNG")
    return b64encode(buffer.getvalue())
