"""What a run would take, without running it: what the cache holds and how fast a step is."""

import time
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise

from ddib.bridge import Chunk, Solved, solve
from ddib.checkpoints import Model
from ddib.solvers import Step
from workbench.engine.execute import Engine
from workbench.engine.plan import Plan, expected_evaluations
from workbench.engine.work import Batch, Encoded, Part, Work, decide_steps, split_solved

TIMED_STEPS = 3


@dataclass(frozen=True)
class Forecast:
    """Evaluations per image with nothing cached, and those that are left to make; seconds."""

    encode: int
    encode_left: int
    decode: int
    decode_left: int
    seconds: float


class _Enough(Exception):
    """Of the steps that are made to time one."""


class _Missing(Exception):
    """A latent that is not in the cache."""


def forecast(engine: Engine, plan: Plan) -> Forecast:
    """Look every chunk up in the cache; of each model's first that is missing, steps are timed.

    `steps: auto` is decided, which takes evaluations of up to four images.
    """
    source, target = engine.model(plan.source.path), engine.model(plan.target.path)
    plan, _ = decide_steps(plan, source, engine.device, engine.cache)
    encoded: dict[tuple[int, int], Encoded | None] = {}  # by encoding and first place

    def latents(part: Part) -> Encoded:
        found = encoded[work.encodings[part[0]], part[1].start]
        if found is None:
            raise _Missing
        return found

    work = Work(plan, source, target, engine.device, engine.chunk, latents)
    left = {"encode": 0, "decode": 0}  # evaluations of images
    paces: dict[tuple[str, int], float] = {}  # seconds an evaluation takes
    seconds = 0.0

    def known(chunk: Chunk, model: Model) -> Solved | None:
        nonlocal seconds
        found = engine.known(chunk, model, engine.cache)
        if found is not None:
            return found
        evaluations = expected_evaluations(chunk.solver)
        kind = (model.sha256, len(chunk.start))
        if kind not in paces:
            paces[kind] = _pace(chunk, model)
        left[chunk.direction] += len(chunk.start) * evaluations
        seconds += paces[kind] * evaluations
        return None

    def encode(batch: Batch) -> None:
        solved = known(work.encoding(batch), source)
        parts = [None] * len(batch) if solved is None else split_solved(batch, solved)
        for (row, places), part in zip(batch, parts, strict=True):
            encoded[row, places.start] = part

    for rows in work.groups():
        for batch in work.encoding_batches(rows):
            encode(batch)
        for batch in work.batches(rows):
            try:
                known(work.decoding(batch, [latents(part) for part in batch]), target)
            except _Missing:
                evaluations = expected_evaluations(plan.variants[rows[0]].solver)
                images = sum(len(places) for _, places in batch)
                left["decode"] += images * evaluations
                seconds += evaluations * paces.get((target.sha256, images), max(paces.values()))
    count = len(plan.images.names)
    solvers = [v.solver for v in plan.variants]
    return Forecast(
        sum(expected_evaluations(solvers[i]) for i in set(work.encodings)),
        -(-left["encode"] // count),
        sum(expected_evaluations(solver) for solver in solvers),
        -(-left["decode"] // count),
        seconds,
    )


def _pace(chunk: Chunk, model: Model) -> float:
    """Seconds that an evaluation takes, the first one left out."""
    seen: list[tuple[float, int]] = []

    def watch(_: Step) -> None:
        seen.append((time.monotonic(), model.denoiser.evaluations))
        if len(seen) == TIMED_STEPS:
            raise _Enough

    begun = time.monotonic(), model.denoiser.evaluations
    with suppress(_Enough):
        solve(chunk, model, watch=watch)
    spans = list(pairwise(seen)) or [(begun, seen[0])]
    return min((b[0] - a[0]) / (b[1] - a[1]) for a, b in spans)
