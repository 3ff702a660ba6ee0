"""A chunk is a batch to solve the ODE for; with its model it becomes a problem to solve.

Work is cut into chunks by position, since a float32 convolution's rounding depends on the batch:
the same chunks give the same bytes. What a chunk's result depends on is its key in the cache.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from ddib.bridge.cache import content_key
from ddib.checkpoints.model import Model
from ddib.denoising.label import Label
from ddib.guides.guidance import PLAIN, Guidance, guided
from ddib.guides.guide import Guide, acting, settings_of, with_guides
from ddib.operations.tensors import standard_noise
from ddib.schedules.grids import Grid
from ddib.schedules.levels import signal
from ddib.solvers.scheme import SOLVERS, Step
from ddib.solvers.solver import Solver


@dataclass(frozen=True)
class Chunk:
    """A batch to take along the ODE.

    start: images [N, C, H, W] in [-1, 1] to encode, or latents z to decode.
    label: the class of all, or of each.
    places: of the images in the session, to encode; they key the start noise.
    carried: to decode: what the same solver's encode left beside just these latents with this
        model, label and guidance. With it an exactly invertible solver undoes the encoding.
    guides: to decode: what moves D; source: the images that they refer to, as `start`.
    Raises ValueError for acting guides while encoding, or together with `carried`.
    """

    direction: Literal["encode", "decode"]
    start: Tensor
    solver: Solver
    label: Label = None
    places: tuple[int, ...] = ()
    carried: Tensor | None = None
    guidance: Guidance = PLAIN
    guides: tuple[Guide, ...] = ()
    source: Tensor | None = None

    def __post_init__(self) -> None:
        if acting(self.guides) and (self.direction == "encode" or self.carried is not None):
            raise ValueError("guides act while decoding, and not on the inverse of an encoding")

    def split(self, size: int) -> list["Chunk"]:
        """Return the same work in batches of at most `size`."""
        return [self._part(slice(at.start, at.stop)) for at in batches(len(self.start), size)]

    def _part(self, at: slice) -> "Chunk":
        return replace(
            self,
            start=self.start[at],
            label=self.label[at] if isinstance(self.label, tuple) else self.label,
            places=self.places[at],
            carried=None if self.carried is None else self.carried[at],
            source=None if self.source is None else self.source[at],
        )


class Solved(NamedTuple):
    """A chunk's end: latents z or images, what an exactly invertible solver needs to undo it
    (None for the others), and the network evaluations spent (0: it came from the cache).
    """

    z: Tensor
    carried: Tensor | None
    evaluations: int


def batches(count: int, size: int) -> list[range]:
    """Return the places 0 … count-1 in pieces of `size`, the last one maybe smaller."""
    return [range(start, min(start + size, count)) for start in range(0, count, size)]


@dataclass(frozen=True)
class Problem:
    """A chunk, the model that takes it along the ODE, and the σ grid that follows from both."""

    chunk: Chunk
    model: Model

    @cached_property
    def grid(self) -> Grid:
        """The σ grid; raises InputError for one that the model cannot have."""
        return self.model.grid(self.chunk.solver)

    @property
    def levels(self) -> tuple[float, ...]:
        """The σ values that the chunk visits, in order."""
        return self.grid.encode if self.chunk.direction == "encode" else self.grid.decode

    @property
    def start_state(self) -> Tensor:
        """The state z at the first of the levels, [N, C, H, W]."""
        chunk, solver, z = self.chunk, self.chunk.solver, self.chunk.start
        if chunk.direction == "decode":
            return z
        if solver.start_noise:
            drawn = [standard_noise(solver.start_noise_seed, i, z.shape[1:]) for i in chunk.places]
            z = z + solver.start_noise * torch.stack(drawn).to(z)
        return z if self.grid.image_is_state else z * signal(self.grid.encode[0])

    @cached_property
    def key(self) -> str:
        """The digest of everything that the chunk's end depends on."""
        chunk, model, solver = self.chunk, self.model, self.chunk.solver
        settings: dict[str, object] = {
            "direction": chunk.direction,
            "model": model.sha256,
            "evaluation": str(model.evaluation),
            "label": chunk.label,
            "solver": solver.name,
            "sigmas": self.levels,
            "image_is_state": self.grid.image_is_state,
            "clip": chunk.direction == "decode" and solver.clip,
            "retraced": chunk.carried is not None,
            **chunk.guidance.settings,
        }
        if solver.name in SOLVERS.origins:
            settings["solver's file"] = SOLVERS.origins[solver.name].sha256
        if solver.evaluations is None:
            settings["tolerance"] = solver.tolerance
        if chunk.direction == "encode" and solver.start_noise:
            settings |= solver.model_dump(include={"start_noise", "start_noise_seed"})
            settings["places"] = chunk.places
        if acting(chunk.guides) and chunk.source is not None:
            settings["guides"] = settings_of(chunk.guides)
            settings["source"] = content_key({}, chunk.source)
        return content_key(settings, chunk.start if chunk.carried is None else chunk.carried)

    def steps(self) -> Iterator[Step]:
        """Solve the ODE from the start state, step by step."""
        chunk, solver = self.chunk, self.chunk.solver
        clip = chunk.direction == "decode" and solver.clip == "decode"
        denoise = guided(self.model, chunk.label, chunk.guidance, clip)
        denoise = with_guides(denoise, chunk.guides, chunk.source)
        return solver.solve(denoise, self.start_state, self.levels, chunk.carried)
