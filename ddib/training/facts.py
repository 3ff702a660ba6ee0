"""The facts of a training are gathered for a checkpoint's header."""

import io
from typing import Any

import torch
from PIL import Image
from torch import nn

from ddib.data.pixels import Pixels
from ddib.data.training import TrainingData
from ddib.training.configuration import TrainingConfig
from ddib.training.state import Training


def training_facts(training: Training, config: TrainingConfig, command: str) -> dict[str, Any]:
    """What a header says of a finished training: settings, command, losses."""
    return config.model_dump() | {
        "command": command,
        "steps_done": training.step,
        "wall_seconds": round(training.seconds),
        "loss": training.losses[-1] if training.losses else None,
        "losses_per_100_steps": [round(value, 5) for value in training.losses],
        "threads": torch.get_num_threads(),
    }


def count_parameters(network: nn.Module) -> int:
    """How many parameters a network has."""
    return sum(parameter.numel() for parameter in network.parameters())


def corner_of(samples: Pixels, data: TrainingData) -> Pixels:
    """At most four by four samples of a sheet."""
    height, width = (edge * min(4, data.samples) // data.samples for edge in samples.shape[:2])
    return samples[:height, :width]


def base64_png(pixels: Pixels) -> bytes:
    """Pixels uint8 [H, W, C] as a PNG in base64, as a header holds it."""
    from base64 import b64encode

    buffer = io.BytesIO()
    Image.fromarray(pixels.squeeze()).save(buffer, "PNG")
    return b64encode(buffer.getvalue())
