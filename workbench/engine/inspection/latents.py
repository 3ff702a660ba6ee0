"""The latents of a run, looked at after every operation."""

from collections.abc import Callable, Iterator
from math import isfinite
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from ddib.data.pixels import POINT_CHANNELS
from ddib.errors import Cancelled, InputError, RunError
from ddib.measures.latents import (
    autocorrelation,
    histogram,
    latent_moments,
    pool,
    radial_spectrum,
    white_noise,
    white_spectrum_errors,
)
from ddib.operations.recipe import states
from ddib.solvers.scheme import Step
from workbench.engine.planning.chunks import Encoded, Part, Work, decide_steps, split_solved
from workbench.engine.planning.plan import Plan
from workbench.engine.protocol.messages import Finished, Inspect, Inspection, LatentStep
from workbench.runs.strips import latent_pixels, strip_png

if TYPE_CHECKING:
    from workbench.engine.execution.engine import Engine


def inspect(
    engine: "Engine", plan: Plan, request: Inspect, cancelled: Callable[[], bool] = lambda: False
) -> Inspection | Finished:
    """The statistics of a variant's latents, those that the source's model makes: from the cache
    when a run has made them."""

    def watch(_: Step) -> None:
        if cancelled():
            raise Cancelled

    try:
        return _inspect(engine, plan, request, watch)
    except Cancelled:
        return Finished(id=request.id, status="cancelled")
    except (InputError, RunError) as error:
        return Finished(id=request.id, status="failed", error=str(error))


def _inspect(
    engine: "Engine", plan: Plan, request: Inspect, watch: Callable[[Step], None]
) -> Inspection:
    count = len(plan.images.names)
    if request.variant >= len(plan.variants):
        raise InputError(f"there is no variant {request.variant} of {len(plan.variants)}")
    if request.image is not None and request.image >= count:
        raise InputError(f"there is no image {request.image} of {count}")
    models = engine.models(plan)
    plan, _ = decide_steps(plan, models, engine.device, engine.cache, watch)

    def encoded(part: Part) -> Encoded:
        batch, index = work.encoded_in(part)
        task = work.encoding(batch)
        solved = engine.solve(task.chunk, task.model, engine.cache, watch)
        return split_solved(batch, solved)[index]

    work = Work(plan, models, engine.device, engine.chunk, encoded)
    parts = [
        part
        for (part,) in work.batches([request.variant])
        if request.image is None or request.image in part[1]
    ]
    ways = [
        [z if request.image is None else z[[request.image - part[1].start]] for z in states]
        for part in parts
        for states in [list(_states(work, part, encoded(part)[0]))]
    ]
    steps = [torch.cat(latents) for latents in zip(*ways, strict=True)]
    edits = plan.variants[request.variant].latent
    labels = ["latent", *(operation.op.replace("_", " ") for operation in edits)]
    images, channels, *size = steps[0].shape
    height, width = size
    return Inspection(
        id=request.id,
        images=images,
        values=steps[0].numel(),
        steps=[_step(label, z) for label, z in zip(labels, steps, strict=True)],
        bands={k: tuple(band) for k, band in white_noise(images * channels, height, width).items()},
        spectrum_errors=white_spectrum_errors(images * channels, height, width).tolist(),
    )


def _states(work: Work, part: Part, z: Tensor) -> Iterator[Tensor]:
    """The latents of a part, then what each operation makes of them."""
    operations = work.plan.variants[part[0]].latent
    made_by = ["the encoding", *(operation.op for operation in operations)]
    every = states(operations, z, work.latent_context(*part))
    for name, state in zip(made_by, every, strict=True):
        if not state.isfinite().all():
            raise RunError(f"{name} made NaN or infinite values of the latent")
        yield state.cpu()


def _step(label: str, z: Tensor) -> LatentStep:
    """What is to be known of latents [N, C, H, W], taken as one."""
    whole = pool(z)
    moments = {name: value.item() for name, value in latent_moments(whole).items()}
    shown = z[:1] if z.shape[1] == POINT_CHANNELS else z.mean(0).unsqueeze(1)
    return LatentStep.model_construct(
        label=label,
        mean=moments["mean"],
        std=moments["std"],
        kurtosis=_finite(moments["kurtosis"]),
        autocorrelation=_finite(autocorrelation(whole).item()),
        spectrum=radial_spectrum(whole)[0].tolist(),
        histogram=histogram(whole)[0].tolist(),
        png=strip_png(latent_pixels(shown.float().numpy())),
    )


def _finite(value: float) -> float | None:
    return value if isfinite(value) else None
