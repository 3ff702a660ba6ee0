"""The adapted grid is fitted: where along σ few steps of a checkpoint make the least error.

A curve is fitted, not a grid, so that it serves any number of steps. Reading it loads no torch.
"""

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from ddib.checkpoints.fitted_grid import Figures, FittedGrid
from ddib.schedules.grids import Curve, Grid, make_grid
from ddib.schedules.levels import signal
from ddib.solvers.solver import Solver
from ddib.versions import versions

if TYPE_CHECKING:
    from torch import Tensor

    from ddib.checkpoints.model import Model

SOLVER = "unipc"
STEPS = (10, 14)  # the errors of both count; the fitted curve is good for 8 to 20 and more
FINE = Solver(name="dpmpp_3m", steps=200)  # what counts as exact while fitting
KNOTS = 9
MOVES = (1.6, 0.8, 0.4, 0.2)  # of a knot's log-density, tried one after the other

Watch = Callable[[float, float], None]
"""Called with the fraction of the work done, and the error over the log grid's (below 1: less)."""


def fit_grid(
    model: "Model", images: "Tensor", label: int | None = None, watch: Watch | None = None
) -> FittedGrid:
    """Fit the curve along which few steps make the least error on some images [N, C, H, W].

    A coordinate search over the curve's knots lowers the mean logarithm of three RMS errors: of the
    latent, against a fine solution; of the image decoded from the fine latent; of the round trip.
    Four images and two minutes on a CPU suffice.
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
        for change in (move, -move):
            density = tuple(d + change * (i == knot) for i, d in enumerate(best))
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
        versions=versions(),
    )
