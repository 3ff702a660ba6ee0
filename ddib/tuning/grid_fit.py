"""The adapted grid: where along σ a checkpoint's steps lie best, fitted once, kept beside it.

A curve is fitted, not a grid, so that it serves any number of steps. Reading it loads no torch.
"""

import math
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from ddib.errors import InputError
from ddib.schedules.grids import Curve, Grid, make_grid
from ddib.schedules.levels import signal
from ddib.solvers.solver import Solver

if TYPE_CHECKING:
    from torch import Tensor

    from ddib.checkpoints.checkpoint import Model

SUFFIX = ".grid.json"
SOLVER = "unipc"
STEPS = (10, 14)  # the errors of both are weighed; the curve then serves 8 to 20 and more
FINE = Solver(name="dpmpp_3m", steps=200)  # what counts as exact while fitting
KNOTS = 9
MOVES = (1.6, 0.8, 0.4, 0.2)  # of a knot's log-density, tried one after the other

Watch = Callable[[float, float], None]
"""Told the share of the work done, 0-1, and the error against the log grid's (below 1: less)."""


class Figures(BaseModel):
    """RMS errors of one number of steps on the images of the fit: log grid, adapted grid."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    steps: int
    latent: tuple[float, float]
    decoded: tuple[float, float]
    cycle: tuple[float, float]


class FittedGrid(BaseModel):
    """A curve and what it was fitted to."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    version: Literal[1] = 1
    checkpoint: str = Field(pattern="[0-9a-f]{64}", description="sha256 of the checkpoint's file")
    sigmas: tuple[float, ...] = Field(min_length=2, description="the curve's knots, ascending")
    log_density: tuple[float, ...] = Field(
        description="log of the steps a unit of log σ, at the knots, but for a constant"
    )
    solver: str
    images: int
    label: int | None
    figures: tuple[Figures, ...]
    versions: dict[str, str] = {}

    @model_validator(mode="after")
    def _is_a_curve(self) -> Self:
        if not all(0 < a < b for a, b in zip(self.sigmas, self.sigmas[1:], strict=False)):
            raise ValueError("sigmas do not ascend from above 0")
        if len(self.sigmas) != len(self.log_density):
            raise ValueError("not as many log_density as sigmas")
        if max(map(abs, self.log_density)) > 20:
            raise ValueError("log_density beyond 20")
        return self

    @property
    def curve(self) -> Curve:
        """What `make_grid` takes."""
        return Curve(self.sigmas, self.log_density)


def grid_file(checkpoint: Path) -> Path:
    """Where a checkpoint's fitted grid is."""
    return checkpoint.with_name(checkpoint.stem + SUFFIX)


def read_grid(checkpoint: Path, sha256: str | None = None) -> FittedGrid:
    """The grid fitted to a checkpoint; its file's sha256 is compared when it is given.

    Raises InputError, with what to do, when there is none, it is damaged, or it is another's.
    """
    path = grid_file(checkpoint)
    remedy = f"`ddib-workbench checkpoints adapt {checkpoint.stem}` fits it"
    try:
        fitted = FittedGrid.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        raise InputError(
            f"{checkpoint.stem} has no adapted grid; {remedy}", key="solver.grid"
        ) from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})", key="solver.grid") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        said = ": ".join(filter(None, (place, first["msg"])))
        raise InputError(f"{path}: damaged: {said}; {remedy} anew", key="solver.grid") from None
    if sha256 is not None and sha256 != fitted.checkpoint:
        raise InputError(
            f"{path}: fitted to another checkpoint of that name; {remedy} anew", key="solver.grid"
        )
    return fitted


def fit_grid(
    model: "Model", images: "Tensor", label: int | None = None, watch: Watch | None = None
) -> FittedGrid:
    """The curve along which few steps make the least error on some images [N, C, H, W].

    A coordinate search over the curve's knots. What is made small is the mean logarithm of three
    RMS errors: of the latent, against a fine solution; of the image decoded from the fine latent;
    of the round trip. Four images and two minutes on a CPU do.
    """
    from ddib.measures.images import rmse

    label = model.facts.check_label(label)
    low, high = float(model.sigmas[0]), float(model.sigmas[-1])
    knots = tuple(map(float, np.geomspace(low, high, KNOTS)))

    def solve(solver: Solver, z: "Tensor", levels: tuple[float, ...]) -> "Tensor":
        for step in solver.solve(lambda z, s: model.denoiser(z, s, label), z, levels):
            z = step.z
        return z

    def grid(density: tuple[float, ...], steps: int) -> Grid:
        return make_grid("adapted", model.sigmas, steps, curve=Curve(knots, density))

    start = images * signal(low)
    latent = solve(FINE, start, make_grid("log", model.sigmas, 200).encode)

    def errors(density: tuple[float, ...], steps: int) -> tuple[float, float, float]:
        solver, levels = Solver(name=SOLVER), grid(density, steps)
        encoded = solve(solver, start, levels.encode)
        decoded = solve(solver, latent, levels.decode) / signal(low)
        back = solve(solver, encoded, levels.decode) / signal(low)
        return rmse(encoded, latent), rmse(decoded, images), rmse(back, images)

    def cost(density: tuple[float, ...]) -> float:
        every = [error for steps in STEPS for error in errors(density, steps)]
        return sum(map(math.log, every)) / len(every)

    def figures(steps: int) -> Figures:
        pairs = zip(errors(flat, steps), errors(best, steps), strict=True)
        on_latent, decoded, cycle = ((float(f"{a:.4g}"), float(f"{b:.4g}")) for a, b in pairs)
        return Figures(steps=steps, latent=on_latent, decoded=decoded, cycle=cycle)

    best = flat = (0.0,) * KNOTS
    least = plain = cost(flat)
    for done, (move, knot) in enumerate((m, k) for m in MOVES for k in range(KNOTS)):
        for way in (move, -move):
            density = tuple(d + way * (i == knot) for i, d in enumerate(best))
            if (found := cost(density)) < least:
                best, least = density, found
                break
        if watch is not None:
            watch((done + 1) / (len(MOVES) * KNOTS), math.exp(least - plain))
    return FittedGrid(
        checkpoint=model.sha256,
        sigmas=knots,
        log_density=tuple(round(d, 6) for d in best),
        solver=SOLVER,
        images=len(images),
        label=label,
        figures=tuple(figures(steps) for steps in STEPS),
        versions=_versions(),
    )


def _versions() -> dict[str, str]:
    import torch

    import ddib

    return {"ddib-workbench": ddib.__version__, "torch": torch.__version__}
