"""The state of a training under way is kept in a file, so that a kill costs half a minute."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path
from typing import Any

import torch
from pydantic import BaseModel
from torch import nn

from ddib.checkpoints.files import SUFFIX
from ddib.data.training import TrainingData
from ddib.errors import InputError, RunError
from ddib.files import replaced
from ddib.training.configuration import TrainingConfig

Settings = Mapping[str, Any]
"""What a training is besides its budget: settings, data and network, as JSON has them."""


@dataclass
class Training:
    """A training under way, and all that must survive a kill."""

    network: nn.Module
    average: nn.Module
    optimizer: torch.optim.Optimizer
    settings: Settings
    step: int = 0
    seconds: float = 0.0
    losses: list[float] = field(default_factory=list)  # one mean per hundred steps


def settings_of(config: TrainingConfig, data: TrainingData, architecture: BaseModel) -> Settings:
    """The settings that a training must have to go on from where it was stopped."""
    chosen = config.model_dump(mode="json", exclude={"steps", "minutes"})
    labels = {"domain": data.domain, "labels": data.labels}
    found = {**architecture.model_dump(mode="json"), **labels, **data.facts, **chosen}
    settings: Settings = json.loads(json.dumps(found))
    return settings


def state_file(out: Path) -> Path:
    """Where the state of a training is kept whose checkpoint will be `out`."""
    return out.with_name(out.name.removesuffix(SUFFIX) + ".training.pt")


def begin(training: Training, path: Path) -> None:
    """Take up the state in a file, where there is one, and see that it can be written again.

    Raises InputError for a damaged state, one of other settings, and a folder that cannot be used.
    """
    resume(training, path)
    try:
        save(training, path)
    except RunError as error:
        raise InputError(str(error)) from error


def save(training: Training, path: Path) -> None:
    """Write the state, whole or not at all; raises RunError."""
    state = {
        "settings": dict(training.settings),
        "network": training.network.state_dict(),
        "average": training.average.state_dict(),
        "optimizer": training.optimizer.state_dict(),
        "step": training.step,
        "seconds": training.seconds,
        "losses": training.losses,
    }
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replaced(path) as temporary, temporary.open("wb") as file:
            torch.save(state, file)
    except (OSError, RuntimeError) as error:  # RuntimeError: torch's, of a full disk
        reason = getattr(error, "strerror", None) or str(error)
        raise RunError(f"{path}: the training's state cannot be written: {reason}") from error


def resume(training: Training, path: Path) -> None:
    """Take up the state in a file, where there is one.

    Raises InputError for a damaged state, and for one of a training with other settings.
    """
    if not path.exists():
        return
    try:
        state = torch.load(path, weights_only=True)
        settings = dict(state["settings"])
    except Exception as error:  # whatever lies there
        raise _damaged(path, error) from error
    if differing := _differences(settings, training.settings):
        raise InputError(
            f"{path}: the training that was stopped here had other settings: {differing}; give "
            "those, choose another name, or delete the file to train from the start"
        )
    try:
        training.network.load_state_dict(state["network"])
        training.average.load_state_dict(state["average"])
        training.optimizer.load_state_dict(state["optimizer"])
        training.step, training.seconds = _count(state["step"]), _duration(state["seconds"])
        training.losses = [float(loss) for loss in state["losses"]]
    except Exception as error:  # whatever the entries are
        raise _damaged(path, error) from error


def _differences(before: Settings, now: Settings) -> str:
    """`seed was 0 and is 5 now`, for each that differs."""
    return ", ".join(
        f"{name} was {before.get(name)} and is {now.get(name)} now"
        for name in dict.fromkeys([*now, *before])
        if before.get(name) != now.get(name)
    )


def _count(value: object) -> int:
    if not isinstance(value, int) or value < 0:
        raise ValueError(f"{value!r} is no number of steps")
    return value


def _duration(value: object) -> float:
    if not isinstance(value, int | float) or not isfinite(value) or value < 0:
        raise ValueError(f"{value!r} is no number of seconds")
    return value


def _damaged(path: Path, error: Exception) -> InputError:
    reason = str(error).split("\n", 1)[0] or type(error).__name__
    return InputError(f"{path}: cannot be resumed ({reason}); delete it to train from the start")
