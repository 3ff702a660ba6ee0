"""A network is trained by AdamW over a budget, with averaged weights, and resumed after a kill."""

import time
from collections.abc import Callable, Generator
from copy import deepcopy
from dataclasses import dataclass
from math import cos, pi
from pathlib import Path
from typing import TypeVar

import torch
from torch import Tensor, nn

from ddib.errors import InputError, RunError
from ddib.training.configuration import TrainingConfig
from ddib.training.state import Settings, Training, begin, save, state_file

SAVE_EVERY = 30.0  # seconds between saved states: what a kill can cost

Net = TypeVar("Net", bound=nn.Module)


@dataclass(frozen=True)
class TrainingProgress:
    """Where a training is: `fraction` of its budget, mean loss of late, seconds left."""

    step: int
    fraction: float
    loss: float
    seconds: float
    seconds_left: float


def optimise(
    network: Net,
    loss: Callable[[Net, torch.Generator], Tensor],
    config: TrainingConfig,
    settings: Settings,
    out: Path,
) -> Generator[TrainingProgress, None, Training]:
    """AdamW with warm-up and cosine decay over the budget, and an average of the weights.

    settings: what the training is besides its budget; one that was stopped goes on only with the
    same. Raises InputError before the first step where it cannot, or where nothing can be written.
    """
    if config.steps is None and config.minutes is None:
        raise InputError("a training needs a budget: steps or minutes")
    optimizer = torch.optim.AdamW(
        network.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay
    )
    training = Training(network, deepcopy(network).requires_grad_(False), optimizer, settings)
    begin(training, state_file(out))
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
                raise RunError(
                    f"the loss is no longer finite at step {training.step}; "
                    "lower --learning-rate, or train with --precision float32"
                )
            optimizer.step()
            _average(training, config.ema)
            training.step += 1
            training.seconds = time.monotonic() - begun
            recent.append(float(value.detach()))
            if training.step % 100 == 0:
                training.losses.append(sum(recent[-100:]) / len(recent[-100:]))
            if time.monotonic() - saved > SAVE_EVERY:
                save(training, state_file(out))
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
        save(training, state_file(out))
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
