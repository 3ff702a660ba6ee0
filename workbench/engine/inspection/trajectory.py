"""The trajectory of one image through encode and decode, state by state."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import hypot, inf
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from torch import Tensor

from ddib.bridge.bridge import solve
from ddib.bridge.chunk import Chunk, Problem, Solved
from ddib.checkpoints.model import Model
from ddib.data.pixels import to_pixels
from ddib.errors import Cancelled, InputError
from ddib.schedules.levels import noise, signal
from ddib.solvers.scheme import Step
from ddib.tuning.auto_steps import IMAGES as TRIED
from workbench.engine.planning.chunks import Encoded, Part, Work, decide_steps
from workbench.engine.planning.plan import Plan, make_plan
from workbench.engine.protocol.messages import Finished, Sample, State, States, Trace
from workbench.runs.strips import LATENT_RANGE, strip_png
from workbench.session.schema import Session

if TYPE_CHECKING:
    from workbench.engine.execution.engine import Engine

MOST_STATES = 64  # states that are kept in each direction


@dataclass(frozen=True)
class Kept:
    """A state, and the denoised estimate of the step that led to it, both [1, C, H, W]."""

    step: int
    sigma: float
    z: Tensor
    denoised: Tensor
    evaluations: int


def trace(
    engine: "Engine", request: Trace, cancelled: Callable[[], bool] = lambda: False
) -> States | Finished:
    """Encode, edit and decode the image once more, alone, and keep the states in between.

    Of a chain it is the first link, from the source to the target. A run solves it in a chunk with
    others, and so differs in the last bits. Noise is that of the image's place in the session.
    Raises InputError, RunError and pydantic.ValidationError.
    """

    def check() -> None:
        if cancelled():
            raise Cancelled

    try:
        return _trace(engine, request, check)
    except Cancelled:
        return Finished(id=request.id, status="cancelled")


def _trace(engine: "Engine", request: Trace, check: Callable[[], None]) -> States:
    plan = _plan(request, engine.checkpoints)
    models = engine.models(plan)
    plan, _ = decide_steps(plan, models, engine.device, engine.cache, lambda _: check())

    def encoded(part: Part) -> Encoded:
        task = work.encoding([part])
        solved = engine.solve(task.chunk, task.model, engine.cache, lambda _: check())
        return solved.z, solved.carried

    work = Work(plan, models, engine.device, 1, encoded)
    batch = [(0, range(request.image, request.image + 1))]
    _, encoding, model = work.encoding(batch)
    there, solved = _follow(encoding, model, check)
    _, decoding, model = work.decoding(batch, [(solved.z, solved.carried)])
    back, _ = _follow(decoding, model, check)
    kept = [*there, *back]
    z = np.concatenate([to_pixels(state.z / _display_range(state.sigma)) for state in kept])
    denoised = np.concatenate([to_pixels(state.denoised) for state in kept])
    return States.model_construct(
        id=request.id,
        states=[*_to_states(encoding, there), *_to_states(decoding, back)],
        png_state=strip_png(z),
        png_denoised=strip_png(denoised),
    )


def _plan(request: Trace, checkpoints: tuple[Path, ...]) -> Plan:
    """The plan of the one variant, with its images up to the one that is followed, or all."""
    session = Session.model_validate(request.session)
    recipe = (*session.recipe.image, *session.recipe.latent)
    last = Sample(images=max(request.image + 1, TRIED), variants=request.variant + 1)
    sample = None if any(operation.reads_everything for operation in recipe) else last
    plan = make_plan(session, Path(request.base), checkpoints=checkpoints, sample=sample)
    if request.image >= (count := len(plan.images.names)):
        raise InputError(f"there is no image {request.image + 1}: the session takes {count}")
    if request.variant >= (count := len(plan.variants)):
        raise InputError(f"there is no variant {request.variant + 1}: the session has {count}")
    return replace(plan, variants=[plan.variants[request.variant]])


def _follow(chunk: Chunk, model: Model, check: Callable[[], None]) -> tuple[list[Kept], Solved]:
    """The states of a chunk from its start to its end, evenly thinned, and its end."""
    before = model.denoiser.evaluations
    kept: list[Kept] = []
    stride, last = 1, None

    def watch(step: Step) -> None:
        nonlocal kept, stride, last
        check()
        if not kept:
            start = Problem(chunk, model).start_state
            kept.append(Kept(0, Problem(chunk, model).levels[0], start, step.denoised, 0))
        evaluations = model.denoiser.evaluations - before
        last = Kept(step.step, step.sigma, step.z, step.denoised, evaluations)
        if step.step % stride == 0:
            if len(kept) == MOST_STATES:
                kept, stride = kept[::2], 2 * stride
            if step.step % stride == 0:
                kept.append(last)

    solved = solve(chunk, model, watch=watch)
    if last is not None and kept[-1] is not last:
        kept = [*(kept[::2] if len(kept) == MOST_STATES else kept), last]
    return kept, solved


def _to_states(chunk: Chunk, kept: list[Kept]) -> list[State]:
    return [
        State(
            direction=chunk.direction,
            step=state.step,
            steps=kept[-1].step,
            sigma=None if state.sigma == inf else state.sigma,
            evaluations=state.evaluations,
            std=float(state.z.float().std(correction=0)),
        )
        for state in kept
    ]


def _display_range(sigma: float) -> float:
    """|z| that is drawn white at σ: 1 for an image, 2.5 for a latent, in quadrature between."""
    return hypot(signal(sigma), LATENT_RANGE * noise(sigma))
