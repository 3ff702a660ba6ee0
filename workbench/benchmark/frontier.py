"""Solver × grid × evaluations: how exact, and at which cost."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from statistics import median
from typing import NamedTuple

from pydantic import ValidationError
from torch import Tensor

import ddib
from ddib.bridge.bridge import CHUNK
from ddib.checkpoints.model import Model
from ddib.measures.images import rmse
from ddib.schedules.grids import GRIDS
from ddib.solvers.scheme import SOLVERS
from ddib.solvers.solver import Solver
from workbench.benchmark.report import Column
from workbench.benchmark.subject import Subject

SHORT, FULL = (10, 12, 20), (8, 10, 12, 15, 20, 30)  # evaluations each way
SHORT_TOLERANCES, FULL_TOLERANCES = (1e-2,), (1e-1, 1e-2, 1e-3)

Direction = Callable[[Tensor, Model, Solver], Tensor]


@dataclass(frozen=True)
class Point:
    """A solver's setting and what it reached."""

    solver: str
    grid: str
    steps: int | None
    tolerance: float | None
    nfe_encode: int
    nfe_decode: int
    cycle_psnr: float
    latent_rmse: float
    translation_rmse: float
    seconds: float

    @property
    def nfe(self) -> int:
        """Evaluations of the dearer way."""
        return max(self.nfe_encode, self.nfe_decode)


class Found(NamedTuple):
    """A solver's setting and its point."""

    solver: Solver
    point: Point


COLUMNS = (
    Column("solver", "solver"),
    Column("grid", "grid"),
    Column("steps", "steps", "d"),
    Column("tolerance", "tolerance", "g"),
    Column("nfe_encode", "NFE encode", "d"),
    Column("nfe_decode", "decode", "d"),
    Column("cycle_psnr", "cycle dB", ".1f"),
    Column("latent_rmse", "latent RMSE", ".4f"),
    Column("translation_rmse", "translation RMSE", ".4f"),
    Column("seconds", "s each way", ".2f"),
)


def grids(full: bool) -> tuple[str, ...]:
    """The grids to measure on."""
    return tuple(GRIDS) if full else ("adapted",)


def settings(
    evaluations: Sequence[int],
    tolerances: Sequence[float],
    grids: Sequence[str],
    timesteps: int,
) -> Iterator[Solver]:
    """Every solver on every grid that it takes, at so many evaluations each way.

    A solver with two evaluations a step makes half the steps; an adaptive one has tolerances and
    no grid but its ends. The reference grid takes only what divides the schedule's timesteps.
    """
    for grid in grids:
        for name, scheme in SOLVERS.items():
            if scheme.evaluations is None:
                continue
            for spent in evaluations:
                steps = spent // scheme.evaluations
                if steps < 1 or (grid == "reference" and timesteps % steps):
                    continue
                try:
                    yield Solver(name=name, grid=grid, steps=steps)
                except ValidationError:  # a grid that is not for this solver
                    continue
    for name, scheme in SOLVERS.items():
        if scheme.evaluations is None:
            yield from (Solver(name=name, tolerance=tolerance) for tolerance in tolerances)


def words(solver: Solver) -> str:
    """A setting in short: `dpmpp_3m log 12`, `dopri5 0.01`."""
    if solver.evaluations is None:
        return f"{solver.name} {solver.tolerance:g}"
    return f"{solver.name} {solver.grid} {solver.steps}"


def measure(subject: Subject, solver: Solver) -> Point:
    """Encode, decode by the same model, decode by the other; seconds are the median of the three.

    The latent is compared with the exact one of the solver's own convention: the reference grid
    ends at ᾱ = 0. The translation is compared with the exact translation.
    """
    images, source, target = subject.images, subject.source, subject.target
    latent, nfe_encode, there = _one_way(subject, ddib.encode, images, source, solver)
    cycled, nfe_decode, back = _one_way(subject, ddib.decode, latent, source, solver)
    translated, _, across = _one_way(subject, ddib.decode, latent, target, solver)
    adaptive = solver.evaluations is None
    exact = subject.original_latent if solver.grid == "reference" else subject.latent
    return Point(
        solver=solver.name,
        grid="ends" if adaptive else solver.grid,
        steps=None if adaptive else int(solver.steps),
        tolerance=solver.tolerance if adaptive else None,
        nfe_encode=nfe_encode,
        nfe_decode=nfe_decode,
        cycle_psnr=float(ddib.psnr(cycled, images).mean()),
        latent_rmse=rmse(latent, exact),
        translation_rmse=rmse(translated, subject.translation),
        seconds=median((there, back, across)),
    )


def _one_way(
    subject: Subject, direction: Direction, z: Tensor, model: Model, solver: Solver
) -> tuple[Tensor, int, float]:
    """What comes out, the evaluations of each image, and the seconds."""
    before, begun = model.denoiser.evaluations, subject.clock()
    out = direction(z, model, solver)
    chunks = -(-len(z) // CHUNK)
    return out, (model.denoiser.evaluations - before) // chunks, subject.clock() - begun
