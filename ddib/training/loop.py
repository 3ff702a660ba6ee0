"""A network is trained by AdamW over a budget, with averaged weights, and resumed after a kill."""

import time
from collections.abc import Callable, Generator
from copy import deepcopy
from dataclasses import dataclass, field
from math import cos, pi
from pathlib import Path
from pickle import UnpicklingError
from typing import TypeVar

import torch
from torch import Tensor, nn

from ddib.checkpoints.files import SUFFIX
from ddib.errors import InputError, RunError
from ddib.training.configuration import TrainingConfig

SAVE_EVERY = 30.0  # seconds between saved states: what a kill can cost

Net = TypeVar("Net", bound=nn.Module)


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


def optimise(
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
    _resume(training, state_file(out))
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
                _save(training, state_file(out))
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
        _save(training, state_file(out))
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


def state_file(out: Path) -> Path:
    """Where the state of a training is kept whose checkpoint will be `out`."""
    return out.with_name(out.name.removesuffix(SUFFIX) + ".training.pt")


def _save(training: Training, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.partial")
    state = {
        "network": training.network.state_dict(),
        "average": training.average.state_dict(),
        "optimizer": training.optimizer.state_dict(),
        "step": training.step,
        "seconds": training.seconds,
        "losses": training.losses,
    }
    torch.save(state, temporary)
    temporary.replace(path)


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
