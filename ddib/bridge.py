"""The bridge: encode with the source's model, decode with the target's (Su et al. 2023, alg. 1).

Work is cut into chunks by position, since a float32 convolution's rounding depends on the batch:
the same chunks give the same bytes. What a chunk's result depends on is its key in the cache.
"""

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from ddib.cache import Cache, content_key
from ddib.checkpoints import Model
from ddib.errors import RunError
from ddib.operations import standard_noise
from ddib.schedules import make_grid
from ddib.solvers import SOLVERS, Denoise, Solver, Step, signal

CHUNK = 16  # images; on two CPU cores in float32 nothing is gained above

Watch = Callable[[Step], None]
"""Called after every solver step; raises `Cancelled` to stop there."""


def encode(
    images: Tensor,
    model: Model,
    solver: Solver | None = None,
    label: int | None = None,
    *,
    chunk: int = CHUNK,
) -> Tensor:
    """Images [N, C, H, W] in [-1, 1] to their latents z [N, C, H, W], ~N(0, 1) where all is well.

    Raises InputError for a label that the model lacks, RunError when values are not finite.
    """
    solver = solver or Solver()
    label = model.facts.check_label(label)
    parts = torch.split(images, chunk)
    return torch.cat(
        [encode_chunk(part, model, solver, label, i * chunk)[0] for i, part in enumerate(parts)]
    )


def decode(
    latent: Tensor,
    model: Model,
    solver: Solver | None = None,
    label: int | None = None,
    *,
    chunk: int = CHUNK,
) -> Tensor:
    """Latents z [N, C, H, W] to images [N, C, H, W], near [-1, 1], unclipped; raises as encode."""
    solver = solver or Solver()
    label = model.facts.check_label(label)
    return torch.cat(
        [decode_chunk(part, model, solver, label)[0] for part in torch.split(latent, chunk)]
    )


def encode_chunk(
    images: Tensor,
    model: Model,
    solver: Solver,
    label: int | None,
    first_index: int,
    *,
    cache: Cache | None = None,
    watch: Watch | None = None,
) -> tuple[Tensor, int]:
    """One chunk's latents z and the evaluations spent on them (0: they came from the cache).

    `first_index` is the first image's place in the session: the start noise is keyed by it.
    """
    settings = solver.model_dump(exclude={"clip"}) | {"label": label}
    if solver.start_noise:
        settings["first_index"] = first_index
    else:
        del settings["start_noise_seed"]

    def steps() -> Iterator[Step]:
        grid = make_grid(solver.grid, model.sigmas, solver.steps, solver.start_noise)
        z = images
        if solver.start_noise:
            places = range(first_index, first_index + len(images))
            drawn = [standard_noise(solver.start_noise_seed, i, images.shape[1:]) for i in places]
            z = z + solver.start_noise * torch.stack(drawn).to(z)
        if not grid.image_is_state:
            z = z * signal(grid.encode[0])
        return SOLVERS[solver.name].solve(_conditioned(model, label), z, grid.encode)

    return _solve("encode", settings, images, model, steps, cache, watch)


def decode_chunk(
    latent: Tensor,
    model: Model,
    solver: Solver,
    label: int | None,
    *,
    cache: Cache | None = None,
    watch: Watch | None = None,
) -> tuple[Tensor, int]:
    """One chunk's images, unclipped, and the evaluations spent on them (0: from the cache)."""
    settings = solver.model_dump(include={"name", "grid", "steps", "clip"}) | {"label": label}
    grid = make_grid(solver.grid, model.sigmas, solver.steps)

    def steps() -> Iterator[Step]:
        denoise = _conditioned(model, label, clip=solver.clip == "decode")
        return SOLVERS[solver.name].solve(denoise, latent, grid.decode)

    z, spent = _solve("decode", settings, latent, model, steps, cache, watch)
    return (z if grid.image_is_state else z / signal(grid.decode[-1])), spent


def _conditioned(model: Model, label: int | None, clip: bool = False) -> Denoise:
    def denoise(z: Tensor, sigma: float) -> Tensor:
        denoised = model.denoiser(z, sigma, label)
        return denoised.clamp(-1, 1) if clip else denoised

    return denoise


def _solve(
    direction: str,
    settings: dict[str, object],
    start: Tensor,
    model: Model,
    steps: Callable[[], Iterator[Step]],
    cache: Cache | None,
    watch: Watch | None,
) -> tuple[Tensor, int]:
    key = content_key({"direction": direction, "model": model.sha256, **settings}, start)
    if cache is not None and (known := cache.get(key)) is not None:
        return known.to(start.device), 0
    z, before = start, model.denoiser.evaluations
    for step in steps():
        z = step.z
        if not z.isfinite().all():
            raise RunError(
                f"NaN or infinite values in step {step.step} of the {direction} with "
                f"{model.name}, at σ = {step.sigma:.4g}; is the checkpoint sound, the recipe tame?"
            )
        if watch is not None:
            watch(step)
    if cache is not None:
        cache.put(key, z)
    return z, model.denoiser.evaluations - before
