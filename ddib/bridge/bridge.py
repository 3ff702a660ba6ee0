"""The bridge encodes with the source's model and decodes with the target's (Su et al. 2023)."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import torch
from torch import Tensor

from ddib.bridge.cache import Cache
from ddib.bridge.chunk import Chunk, Problem, Solved
from ddib.checkpoints.model import Classifier, Model
from ddib.denoising.label import Label
from ddib.errors import RunError
from ddib.guides.guidance import Guidance, check_guidance
from ddib.guides.guide import Guide, check_guides
from ddib.schedules.levels import signal
from ddib.solvers.scheme import Step
from ddib.solvers.solver import Solver

CHUNK = 16  # images; on two CPU cores in float32 nothing is gained above

Watch = Callable[[Step], None]
"""Called after every solver step; raises `Cancelled` to stop there."""


def encode(
    images: Tensor,
    model: Model,
    solver: Solver | None = None,
    label: Label = None,
    *,
    guidance: float = 1.0,
    classifier: Classifier | None = None,
    classifier_scale: float = 1.0,
    chunk: int = CHUNK,
) -> Tensor:
    """Encode images [N, C, H, W] in [-1, 1] to latents z [N, C, H, W], ~N(0, 1) at best.

    guidance, classifier_scale: see `ddib.guides.guidance.Guidance`. Raises InputError for a label
    that the model lacks or guidance that it cannot have, RunError when values are not finite.
    """
    start = Chunk("encode", images, solver or Solver(), label, tuple(range(len(images))))
    whole = _with_condition(start, model, Guidance(guidance, classifier, classifier_scale))
    return torch.cat([solve(part, model).z for part in whole.split(chunk)])


def decode(
    latent: Tensor,
    model: Model,
    solver: Solver | None = None,
    label: Label = None,
    *,
    guidance: float = 1.0,
    classifier: Classifier | None = None,
    classifier_scale: float = 1.0,
    guides: Sequence[Guide] = (),
    source: Tensor | None = None,
    chunk: int = CHUNK,
) -> Tensor:
    """Decode latents z [N, C, H, W] to images [N, C, H, W], near [-1, 1], unclipped.

    guides move D while decoding, one after the other; source: the images [N, C, H, W] in [-1, 1]
    that they refer to. All else as `encode`; InputError also for guides that cannot act here.
    """
    check_guides(guides, latent, source)
    start = Chunk("decode", latent, solver or Solver(), label, guides=tuple(guides), source=source)
    whole = _with_condition(start, model, Guidance(guidance, classifier, classifier_scale))
    return torch.cat([solve(part, model).z for part in whole.split(chunk)])


def _with_condition(chunk: Chunk, model: Model, guidance: Guidance) -> Chunk:
    by = None if guidance.classifier is None else guidance.classifier.facts
    label = check_guidance(model.facts, chunk.label, guidance.scale, by)
    return replace(chunk, label=label, guidance=guidance)


def solve(
    chunk: Chunk, model: Model, *, cache: Cache | None = None, watch: Watch | None = None
) -> Solved:
    """Solve the ODE of a chunk from end to end; decoded images are unclipped.

    Raises RunError when values are not finite, InputError for a grid that the model cannot have.
    """
    problem = Problem(chunk, model)
    if cache is None:
        return _compute(problem, watch)
    if (found := _read_entry(problem, cache)) is not None:
        return found
    solved = _compute(problem, watch)
    carried = {} if solved.carried is None else {"carried": solved.carried}
    cache.put(problem.key, {"z": solved.z, **carried}, _describe(problem))
    return solved


def read_cached(chunk: Chunk, model: Model, cache: Cache) -> Solved | None:
    """Return what the cache holds of a chunk's solution; None where it holds nothing."""
    return _read_entry(Problem(chunk, model), cache)


def _read_entry(problem: Problem, cache: Cache) -> Solved | None:
    found = cache.get(problem.key)
    if found is None:
        return None
    parts = {name: tensor.to(problem.chunk.start.device) for name, tensor in found.items()}
    return Solved(parts["z"], parts.get("carried"), 0)


def _compute(problem: Problem, watch: Watch | None) -> Solved:
    chunk, model = problem.chunk, problem.model
    before = model.denoiser.evaluations
    for step in problem.steps():
        if not step.z.isfinite().all():
            raise RunError(
                f"NaN or infinite values in step {step.step} of the {chunk.direction} with "
                f"{model.name}, at σ = {step.sigma:.4g}: try another checkpoint, or "
                "smaller values in recipe and guidance"
            )
        if watch is not None:
            watch(step)
    z = step.z.float()
    if chunk.direction == "decode" and not problem.grid.image_is_state:
        z = z / signal(problem.levels[-1])
    return Solved(z, step.carried, model.denoiser.evaluations - before)


def _describe(problem: Problem) -> dict[str, str]:
    chunk, solver = problem.chunk, problem.chunk.solver
    return {
        "model": problem.model.name,
        "direction": chunk.direction,
        "solver": f"{solver.name}, {solver.grid}, {solver.steps}",
        "images": str(len(chunk.start)),
    }
