"""What is measured: two shipped checkpoints, held-out digits, and the exact solution for them."""

from dataclasses import dataclass
from functools import cached_property
from math import inf
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn

import ddib
from ddib.checkpoints.model import Model
from ddib.schedules.levels import signal
from ddib.solvers.scheme import SOLVERS
from ddib.solvers.solver import Solver
from workbench.benchmark.timing import Clock, device_clock

SOURCE, TARGET = "cmnist-fives", "cmnist-sevens"
DIGIT = 5
QUICK_GOLD = Solver(name="dpmpp_3m", steps=200)
GOLD = Solver(name="dopri5", tolerance=1e-4)
_HOP = Solver(name="dpmpp_3m", steps=10)  # between levels that are close


def solve(solver: Solver, model: Model, z: Tensor, start: float, end: float) -> Tensor:
    """The state z [N, C, H, W] at σ `start`, carried by a solver to σ `end`."""
    for step in solver.solve(
        model.denoiser, z, np.geomspace(start, end, int(solver.steps) + 1).tolist()
    ):
        z = step.z
    return z


@dataclass(frozen=True)
class Subject:
    """Two models, images [N, C, H, W] in [-1, 1] on their device, and what is exact for them:
    what the `gold` solver finds.
    """

    source: Model
    target: Model
    images: Tensor
    gold: Solver = QUICK_GOLD

    @cached_property
    def latent(self) -> Tensor:
        """The exact latent z at the schedule's last level, of images taken as x̄ at its first."""
        first, last = self._ends
        return solve(self.gold, self.source, self.images * signal(first), first, last)

    def latent_at(self, sigma: float) -> Tensor:
        """The exact latent at a level σ near the last."""
        _, last = self._ends
        return self.latent if sigma == last else solve(_HOP, self.source, self.latent, last, sigma)

    @cached_property
    def original_latent(self) -> Tensor:
        """The exact latent as the original's loops have it: images taken as the state z at the
        first level, and of the state at the last level the ε, which is the move to ᾱ = 0.
        """
        first, last = self._ends
        z = solve(self.gold, self.source, self.images, first, last)
        (step,) = SOLVERS["ddim"].solve(self.source.denoiser, z, (last, inf))
        return cast(Tensor, step.z)

    @cached_property
    def translation(self) -> Tensor:
        """The exact latent decoded exactly by the target's model."""
        first, last = self._ends
        return solve(self.gold, self.target, self.latent, last, first) / signal(first)

    @property
    def network(self) -> nn.Module:
        """The source's network."""
        return cast(nn.Module, self.source.denoiser.network)

    @property
    def clock(self) -> Clock:
        """The clock of the device that the images are on."""
        return device_clock(self.images.device)

    @property
    def _ends(self) -> tuple[float, float]:
        return float(self.source.sigmas[0]), float(self.source.sigmas[-1])


def load_subject(device: torch.device, images: int, gold: Solver = QUICK_GOLD) -> Subject:
    """The shipped models on a device, and so many held-out fives."""
    return Subject(
        ddib.load(SOURCE, str(device)),
        ddib.load(TARGET, str(device)),
        ddib.colored_mnist(digit=DIGIT, count=images).to(device),
        gold,
    )
