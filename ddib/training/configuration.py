"""How a model is trained: the settings of a training, and what is chosen where none is given."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from ddib.data.training import TrainingData
from ddib.denoising.preconditionings import PRECONDITIONINGS, PreconditioningName
from ddib.errors import InputError
from ddib.networks.configurations import MlpConfig, UNetConfig

DEFAULT_MINUTES = 12.0
MAX_BATCH = 65_536


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


def choose_config(
    pointwise: bool,
    *,
    steps: int | None,
    minutes: float | None,
    noise_levels: str | None,
    precision: str | None,
    **others: Any,
) -> TrainingConfig:
    """The settings of a training, with what suits the data where None is given.

    pointwise: the data are points, which are learned in float32 and best by log σ. Without a
    budget a training takes twelve minutes. Raises InputError for an unknown preconditioning, and
    pydantic.ValidationError for what is out of range.
    """
    if steps is None and minutes is None:
        minutes = DEFAULT_MINUTES
    PRECONDITIONINGS.named(others.get("parameterisation", "v"))
    return TrainingConfig.model_validate(
        {
            **others,
            "steps": steps,
            "minutes": minutes,
            "noise_levels": noise_levels or ("log" if pointwise else "time"),
            "precision": precision or ("float32" if pointwise else "bf16"),
        }
    )


def choose_architecture(
    data: TrainingData, width: int | None, classes: int | None, patch_size: int
) -> UNetConfig | MlpConfig:
    """The network for some data: an MLP for points, else a U-Net.

    width: in channels; None for the usual one; classes: of a class-conditional model. Raises
    InputError for a width that the norms' groups do not divide.
    """
    if data.pointwise:
        return MlpConfig(channels=data.channels, width=width or 96)
    if (width or 64) % 64:
        raise InputError("--width takes a multiple of 64: the norms have 32 groups at width × 1.5")
    return UNetConfig(
        in_channels=data.channels,
        out_channels=data.channels,
        model_channels=width or 64,
        num_classes=classes,
        patch_size=patch_size,
    )
