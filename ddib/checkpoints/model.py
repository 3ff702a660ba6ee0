"""A loaded checkpoint is a model that denoises, or a classifier of noisy images."""

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

from ddib.checkpoints.fitted_grid import read_grid
from ddib.checkpoints.header import CheckpointFacts
from ddib.denoising.evaluation import FLOAT32, Evaluation
from ddib.schedules.grids import Curve, Grid, make_grid

if TYPE_CHECKING:
    from ddib.denoising.denoiser import Denoiser
    from ddib.networks.classifier import NoisyClassifier


class GridSetting(Protocol):
    """The part of a solver's setting that decides which σ values it visits."""

    @property
    def grid(self) -> str:
        """The grid's name."""

    @property
    def steps(self) -> int | Literal["auto"]:
        """How many steps it has."""

    @property
    def start_noise(self) -> float:
        """σ of the noise that is added before encoding."""


@dataclass(frozen=True)
class Model:
    """A loaded checkpoint of a denoiser: `denoise(z, σ, label) -> D` and its facts."""

    name: str
    path: Path
    facts: CheckpointFacts
    sha256: str
    denoiser: "Denoiser"
    evaluation: Evaluation = FLOAT32

    @cached_property
    def sigmas(self) -> Any:
        """σ of each timestep of its schedule, ascending, float64 [steps]."""
        return self.facts.schedule.sigmas

    @cached_property
    def curve(self) -> Curve:
        """The curve of the adapted grid; raises InputError where none was fitted."""
        return read_grid(self.path, self.sha256).curve

    def grid(self, solver: GridSetting) -> Grid:
        """The σ values that a solver setting visits; raises InputError where it cannot be had.

        `steps: auto` has to be resolved before: `ddib.tuning.auto_steps.fewest_steps`.
        """
        if solver.steps == "auto":
            raise ValueError("steps: auto is not resolved")
        curve = self.curve if solver.grid == "adapted" else None
        return make_grid(solver.grid, self.sigmas, solver.steps, solver.start_noise, curve)


@dataclass(frozen=True)
class Classifier:
    """A loaded classifier of noisy images; two are equal when their files are."""

    facts: CheckpointFacts
    sha256: str
    network: "NoisyClassifier" = field(compare=False, repr=False)
