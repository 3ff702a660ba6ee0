"""What a run would take, without running it: what the cache holds and how fast a step is."""

import time
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from ddib.bridge import Chunk, Solved, solve
from ddib.checkpoints import Model
from ddib.solvers import Step
from workbench.engine.execute import Engine
from workbench.engine.plan import Plan, expected_evaluations
from workbench.engine.work import Batch, Encoded, Task, Work, decide_steps, split_solved

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


def forecast(engine: Engine, plan: Plan) -> Forecast:
    """Look every chunk up in the cache; of each model's first that is missing, steps are timed.

    `steps: auto` is decided, which takes evaluations of up to four images.
    """
    models = engine.models(plan)
    plan, _ = decide_steps(plan, models, engine.device, engine.cache)
    work = Work(plan, models, engine.device, engine.chunk)
    left = {"encode": 0, "decode": 0}  # evaluations of images
    paces: dict[tuple[str, int], float] = {}  # seconds an evaluation takes
    seconds = 0.0

    def known(task: Task) -> Solved | None:
        nonlocal seconds
        _, chunk, model = task
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

    def unknown(batch: Batch, direction: Literal["encode", "decode"], end: int) -> None:
        """Count a chunk whose start would have to be computed first."""
        nonlocal seconds
        variant = plan.variants[batch[0][0]]
        images = sum(len(places) for _, places in batch)
        left[direction] += images * expected_evaluations(variant.solver)
        kind = models[plan.ends(variant)[end].path].sha256, images
        seconds += paces.get(kind, max(paces.values())) * expected_evaluations(variant.solver)

    encoded: dict[tuple[int, int], Encoded | None] = {}  # by encoding and first place

    def encode(batch: Batch) -> None:
        solved = known(work.encoding(batch))
        parts = [None] * len(batch) if solved is None else split_solved(batch, solved)
        for (row, places), part in zip(batch, parts, strict=True):
            encoded[row, places.start] = part

    def follow(batch: Batch, parts: list[Encoded] | None) -> None:
        """From the edited latents, where they are known, to the last end."""
        decoded: Solved | None = None
        for link in range(plan.links):
            if link and decoded is not None:
                solved = known(work.encoding(batch, link, decoded.z))
                parts = None if solved is None else split_solved(batch, solved)
            elif link:
                unknown(batch, "encode", link)
                parts = None
            decoded = None if parts is None else known(work.decoding(batch, parts, link))
            if parts is None:
                unknown(batch, "decode", link + 1)

    for rows in work.groups():
        for batch in work.encoding_batches(0, rows):
            encode(batch)
        for batch in work.batches(rows):
            there = [encoded[work.encodings[row], places.start] for row, places in batch]
            ready = [part for part in there if part is not None]
            follow(batch, ready if len(ready) == len(batch) else None)
    count = len(plan.images.names)
    evaluations = [expected_evaluations(v.solver) for v in plan.variants]
    later = (plan.links - 1) * sum(evaluations)
    return Forecast(
        sum(evaluations[i] for i in set(work.encodings)) + later,
        -(-left["encode"] // count),
        sum(evaluations) + later,
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
