"""`steps: auto` is resolved: to the fewest steps that keep the latent's error in the tolerance."""

from functools import cache as cached
from typing import TYPE_CHECKING

from ddib.bridge.bridge import Watch, solve
from ddib.bridge.chunk import Chunk
from ddib.errors import InputError
from ddib.guides.guidance import PLAIN, Guidance
from ddib.measures.images import rmse
from ddib.solvers.solver import Solver

if TYPE_CHECKING:
    from torch import Tensor

    from ddib.bridge.cache import Cache
    from ddib.checkpoints.model import Model
    from ddib.denoising.label import Label

IMAGES = 4
MOST_STEPS = 256
COARSEST = 128  # steps of the solution that counts as exact; four times those tried, when many


def fewest_steps(
    images: "Tensor",
    model: "Model",
    solver: Solver,
    label: "Label",
    cache: "Cache | None" = None,
    watch: Watch | None = None,
    guidance: Guidance = PLAIN,
) -> tuple[int, float]:
    """Return the steps for a solver with `steps: auto`, and the RMS error of the latent with them.

    The error of the first four images [N, C, H, W] is measured against a much finer solution.
    Steps are doubled until it is under `solver.tolerance`, then bisected, so the answer depends
    on nothing else. Raises InputError when 256 steps are not enough.
    """
    images = images[:IMAGES]

    @cached
    def latent(name: str, grid: str, steps: int) -> "Tensor":
        settings = {"name": name, "grid": grid, "steps": steps, "cycle": "free"}
        chosen = solver.model_copy(update=settings)
        places = tuple(range(len(images)))
        chunk = Chunk("encode", images, chosen, label, places, guidance=guidance)
        return solve(chunk, model, cache=cache, watch=watch).z

    def error(steps: int) -> float:
        power_of_two = 1 << (steps - 1).bit_length()
        fine = latent("dpmpp_3m", "log", max(COARSEST, 4 * power_of_two))
        return rmse(latent(solver.name, solver.grid, steps), fine)

    failed, enough = 0, 1
    found = error(enough)
    while not found <= solver.tolerance:
        failed, enough = enough, 2 * enough
        if enough > MOST_STEPS:
            raise InputError(
                f"{solver.name} needs more than {MOST_STEPS} steps to keep the tolerance "
                f"{solver.tolerance:g}: with {failed} steps its error is {found:.2g}; choose "
                "another solver or a larger tolerance",
                key="solver.tolerance",
            )
        found = error(enough)
    while enough - failed > 1:
        middle = (failed + enough) // 2
        tried = error(middle)
        if tried <= solver.tolerance:
            enough, found = middle, tried
        else:
            failed = middle
    return enough, found
