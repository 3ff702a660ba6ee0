"""The bridge: encode with the source's model, decode with the target's (Su et al. 2023, alg. 1).

Work is cut into chunks by position, since a float32 convolution's rounding depends on the batch:
the same chunks give the same bytes. What a chunk's result depends on is its key in the cache.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from ddib.bridge.cache import Cache, content_key
from ddib.checkpoints.model import Classifier, Model
from ddib.denoising.label import Label
from ddib.errors import RunError
from ddib.guides.guidance import PLAIN, Guidance, check_guidance, guided
from ddib.operations.tensors import standard_noise
from ddib.schedules.levels import signal
from ddib.solvers.scheme import Step
from ddib.solvers.solver import Solver

CHUNK = 16  # images; on two CPU cores in float32 nothing is gained above

Watch = Callable[[Step], None]
"""Called after every solver step; raises `Cancelled` to stop there."""


@dataclass(frozen=True)
class Chunk:
    """A batch to take along the ODE.

    start: images [N, C, H, W] in [-1, 1] to encode, or latents z to decode.
    label: the class of all, or of each.
    places: of the images in the session, to encode; they key the start noise.
    carried: to decode: what the same solver's encode left beside just these latents with this
        model, label and guidance. With it an exactly invertible solver goes back the way it came.
    """

    direction: Literal["encode", "decode"]
    start: Tensor
    solver: Solver
    label: Label = None
    places: tuple[int, ...] = ()
    carried: Tensor | None = None
    guidance: Guidance = PLAIN

    def split(self, size: int) -> list["Chunk"]:
        """The same work in batches of at most `size`."""
        return [
            replace(
                self,
                start=self.start[at.start : at.stop],
                label=self.label[at.start : at.stop]
                if isinstance(self.label, tuple)
                else self.label,
                places=self.places[at.start : at.stop],
                carried=None if self.carried is None else self.carried[at.start : at.stop],
            )
            for at in batches(len(self.start), size)
        ]


class Solved(NamedTuple):
    """A chunk's end: latents z or images, what an exactly invertible solver needs to go back
    (None for the others), and the network evaluations spent (0: it came from the cache).
    """

    z: Tensor
    carried: Tensor | None
    evaluations: int


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
    """Images [N, C, H, W] in [-1, 1] to their latents z [N, C, H, W], ~N(0, 1) where all is well.

    guidance, classifier_scale: see `ddib.guides.guidance.Guidance`. Raises InputError for a label
    that the model lacks or guidance that it cannot have, RunError when values are not finite.
    """
    start = Chunk("encode", images, solver or Solver(), label, tuple(range(len(images))))
    whole = _led(start, model, Guidance(guidance, classifier, classifier_scale))
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
    chunk: int = CHUNK,
) -> Tensor:
    """Latents z [N, C, H, W] to images [N, C, H, W], near [-1, 1], unclipped; else as encode."""
    start = Chunk("decode", latent, solver or Solver(), label)
    whole = _led(start, model, Guidance(guidance, classifier, classifier_scale))
    return torch.cat([solve(part, model).z for part in whole.split(chunk)])


def _led(chunk: Chunk, model: Model, guidance: Guidance) -> Chunk:
    by = None if guidance.classifier is None else guidance.classifier.facts
    label = check_guidance(model.facts, chunk.label, guidance.scale, by)
    return replace(chunk, label=label, guidance=guidance)


def batches(count: int, size: int) -> list[range]:
    """The places 0 … count-1 in pieces of `size`, the last one maybe smaller."""
    return [range(start, min(start + size, count)) for start in range(0, count, size)]


def solve(
    chunk: Chunk, model: Model, *, cache: Cache | None = None, watch: Watch | None = None
) -> Solved:
    """Take a chunk to the other end; decoded images are unclipped.

    Raises RunError when values are not finite, InputError for a grid that the model cannot have.
    """
    if cache is None:
        return _computed(chunk, model, watch)
    key = chunk_key(chunk, model)
    if (found := _cached(key, chunk, cache)) is not None:
        return found
    solved = _computed(chunk, model, watch)
    carried = {} if solved.carried is None else {"carried": solved.carried}
    cache.put(key, {"z": solved.z, **carried}, _facts(chunk, model))
    return solved


def known(chunk: Chunk, model: Model, cache: Cache) -> Solved | None:
    """A chunk's end as the cache holds it, or None."""
    return _cached(chunk_key(chunk, model), chunk, cache)


def _cached(key: str, chunk: Chunk, cache: Cache) -> Solved | None:
    found = cache.get(key)
    if found is None:
        return None
    parts = {name: tensor.to(chunk.start.device) for name, tensor in found.items()}
    return Solved(parts["z"], parts.get("carried"), 0)


def _computed(chunk: Chunk, model: Model, watch: Watch | None) -> Solved:
    before = model.denoiser.evaluations
    for step in _steps(chunk, model):
        if not step.z.isfinite().all():
            raise RunError(
                f"NaN or infinite values in step {step.step} of the {chunk.direction} with "
                f"{model.name}, at σ = {step.sigma:.4g}; is the checkpoint sound, the recipe tame?"
            )
        if watch is not None:
            watch(step)
    z = step.z.float()
    grid = model.grid(chunk.solver)
    if chunk.direction == "decode" and not grid.image_is_state:
        z = z / signal(grid.decode[-1])
    return Solved(z, step.carried, model.denoiser.evaluations - before)


def _facts(chunk: Chunk, model: Model) -> dict[str, str]:
    solver = chunk.solver
    return {
        "model": model.name,
        "direction": chunk.direction,
        "solver": f"{solver.name}, {solver.grid}, {solver.steps}",
        "images": str(len(chunk.start)),
    }


def levels(chunk: Chunk, model: Model) -> tuple[float, ...]:
    """The σ values that a chunk visits."""
    grid = model.grid(chunk.solver)
    return grid.encode if chunk.direction == "encode" else grid.decode


def start_state(chunk: Chunk, model: Model) -> Tensor:
    """The state z that a chunk sets out from, at the first of its levels."""
    solver, grid, z = chunk.solver, model.grid(chunk.solver), chunk.start
    if chunk.direction == "decode":
        return z
    if solver.start_noise:
        drawn = [standard_noise(solver.start_noise_seed, i, z.shape[1:]) for i in chunk.places]
        z = z + solver.start_noise * torch.stack(drawn).to(z)
    return z if grid.image_is_state else z * signal(grid.encode[0])


def chunk_key(chunk: Chunk, model: Model) -> str:
    """The digest of everything that a chunk's end depends on."""
    solver, grid = chunk.solver, model.grid(chunk.solver)
    settings: dict[str, object] = {
        "direction": chunk.direction,
        "model": model.sha256,
        "evaluation": str(model.evaluation),
        "label": chunk.label,
        "solver": solver.name,
        "sigmas": levels(chunk, model),
        "image_is_state": grid.image_is_state,
        "clip": chunk.direction == "decode" and solver.clip,
        "retraced": chunk.carried is not None,
        **chunk.guidance.settings,
    }
    if solver.evaluations is None:
        settings["tolerance"] = solver.tolerance
    if chunk.direction == "encode" and solver.start_noise:
        settings |= solver.model_dump(include={"start_noise", "start_noise_seed"})
        settings["places"] = chunk.places
    return content_key(settings, chunk.start if chunk.carried is None else chunk.carried)


def _steps(chunk: Chunk, model: Model) -> Iterator[Step]:
    solver, grid, z = chunk.solver, model.grid(chunk.solver), start_state(chunk, model)
    decoding = chunk.direction == "decode"
    denoise = guided(model, chunk.label, chunk.guidance, decoding and solver.clip == "decode")
    if decoding:
        return solver.solve(denoise, z, grid.decode, chunk.carried)
    return solver.solve(denoise, z, grid.encode)
