"""What a run would take, without running it: what the cache holds and how fast a step is."""

import time
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal

from ddib.bridge.bridge import solve
from ddib.bridge.chunk import Chunk, Solved
from ddib.checkpoints.model import Model
from ddib.solvers.scheme import Step
from workbench.engine.execution.engine import Engine
from workbench.engine.planning.chunks import (
    Batch,
    Encoded,
    Part,
    Task,
    Work,
    decide_steps,
    split_solved,
)
from workbench.engine.planning.plan import Plan, expected_evaluations

TIMED_STEPS = 3


@dataclass(frozen=True)
class Forecast:
    """Evaluations per image with nothing cached, and those that are left to make; seconds."""

    encode: int
    encode_left: int
    decode: int
    decode_left: int
    seconds: float


@dataclass
class _Left:
    """What is left to do: evaluations of images, and seconds."""

    encode: int = 0
    decode: int = 0
    seconds: float = 0.0
    paces: dict[tuple[str, int, bool], float] = field(default_factory=dict)  # of an evaluation

    def add(
        self, direction: Literal["encode", "decode"], images: int, evaluations: int, pace: float
    ) -> None:
        """A chunk more."""
        setattr(self, direction, getattr(self, direction) + images * evaluations)
        self.seconds += evaluations * pace


class _TimingDone(Exception):
    """Raised to stop the solver once enough steps are timed."""


class _Missing(Exception):
    """A latent that is not in the cache."""


def forecast(engine: Engine, plan: Plan) -> Forecast:
    """Look every chunk up in the cache; of each model's first that is missing, steps are timed.

    `steps: auto` is decided, which takes evaluations of up to four images.
    """
    models = engine.models(plan)
    plan, _ = decide_steps(plan, models, engine.device, engine.cache)
    encoded: dict[tuple[int, int], Encoded | None] = {}  # by encoding and first place

    def latents(part: Part) -> Encoded:
        found = encoded[work.encodings[part[0]], part[1].start]
        if found is None:
            raise _Missing
        return found

    work = Work(plan, models, engine.device, engine.chunk, latents)
    left = _Left()

    def known(task: Task) -> Solved | None:
        _, chunk, model = task
        found = engine.read_cached(chunk, model, engine.cache)
        if found is not None:
            return found
        evaluations = expected_evaluations(chunk.solver, chunk.guidance.scale)
        kind = (model.sha256, len(chunk.start), chunk.guidance.classifier is not None)
        if kind not in left.paces:
            left.paces[kind] = _pace(chunk, model)
        left.add(chunk.direction, len(chunk.start), evaluations, left.paces[kind])
        return None

    def unknown(batch: Batch, direction: Literal["encode", "decode"], end: int) -> None:
        """Count a chunk whose start would have to be computed first."""
        variant = plan.variants[batch[0][0]]
        images = sum(len(places) for _, places in batch)
        there = plan.ends(variant)[end]
        kind = models[there.path].sha256, images, there.classifier is not None
        pace = left.paces.get(kind, max(left.paces.values()))
        left.add(direction, images, there.evaluations(variant.solver), pace)

    def encode(batch: Batch) -> None:
        solved = known(work.encoding(batch))
        parts = [None] * len(batch) if solved is None else split_solved(batch, solved)
        for (row, places), part in zip(batch, parts, strict=True):
            encoded[row, places.start] = part

    def parts(batch: Batch, link: int, decoded: Solved | None) -> list[Encoded]:
        """A batch's encodings in a link; raises _Missing where they are not known."""
        if link == 0:
            return [latents(part) for part in batch]
        if decoded is None:
            unknown(batch, "encode", link)
            raise _Missing
        solved = known(work.encoding(batch, link, decoded.z))
        if solved is None:
            raise _Missing
        return split_solved(batch, solved)

    for rows in work.groups():
        for batch in work.encoding_batches(0, rows):
            encode(batch)
        for batch in work.batches(rows):
            decoded: Solved | None = None
            for link in range(plan.links):
                try:
                    decoded = known(work.decoding(batch, parts(batch, link, decoded), link))
                except _Missing:
                    unknown(batch, "decode", link + 1)
                    decoded = None
    count = len(plan.images.names)
    evaluations = plan.evaluations_by_direction
    return Forecast(
        evaluations["encode"],
        -(-left.encode // count),
        evaluations["decode"],
        -(-left.decode // count),
        left.seconds,
    )


def _pace(chunk: Chunk, model: Model) -> float:
    """Seconds that an evaluation takes, the first one left out."""
    seen: list[tuple[float, int]] = []

    def watch(_: Step) -> None:
        seen.append((time.monotonic(), model.denoiser.evaluations))
        if len(seen) == TIMED_STEPS:
            raise _TimingDone

    begun = time.monotonic(), model.denoiser.evaluations
    with suppress(_TimingDone):
        solve(chunk, model, watch=watch)
    spans = list(pairwise(seen)) or [(begun, seen[0])]
    return min((b[0] - a[0]) / (b[1] - a[1]) for a, b in spans)
