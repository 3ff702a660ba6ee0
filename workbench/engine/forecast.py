"""What a run would take, without running it: what the cache holds and how fast a step is."""

import time
from dataclasses import dataclass, field

import torch
from torch import Tensor

from ddib.bridge import decode_chunk, encode_chunk
from ddib.datasets import to_tensor
from ddib.operations import Context
from ddib.recipe import apply_operations
from ddib.solvers import Step
from workbench.engine.execute import Engine
from workbench.engine.plan import Plan, encoding_key


@dataclass(frozen=True)
class Forecast:
    """Evaluations per image with nothing cached, and those that are left to make; seconds."""

    encode: int
    encode_left: int
    decode: int
    decode_left: int
    seconds: float


class _Missing(Exception):
    """A chunk that the cache does not hold; two steps were made to time one."""


@dataclass
class _Stopwatch:
    last: float | None = None
    steps: list[float] = field(default_factory=list)

    def __call__(self, step: Step) -> None:
        now = time.monotonic()
        if self.last is not None:
            self.steps.append(now - self.last)
            self.last = None
            raise _Missing
        self.last = now


def forecast(engine: Engine, plan: Plan) -> Forecast:
    """Look every chunk up in the cache; each one that is missing costs two solver steps."""
    source, target = engine.model(plan.source.path), engine.model(plan.target.path)
    images = torch.split(to_tensor(plan.images.pixels).to(engine.device), engine.chunk)
    watch = _Stopwatch()
    totals = {"encode": 0, "decode": 0}
    missing = {"encode": 0, "decode": 0}  # evaluations of chunks
    encodings: dict[str, list[Tensor | None]] = {}
    steps = 0
    for variant in plan.variants:
        solver, key = variant.solver, encoding_key(variant)
        if key not in encodings:
            totals["encode"] += solver.evaluations
            encodings[key] = []
            for place, chunk in enumerate(images):
                start = place * engine.chunk
                edited = apply_operations(variant.image, chunk, Context(chunk, start, "image"))
                label = source.facts.check_label(plan.session.source.label)
                watch.last = None
                try:
                    latent, spent = encode_chunk(
                        edited, source, solver, label, start, cache=engine.cache, watch=watch
                    )
                except _Missing:
                    encodings[key].append(None)
                    missing["encode"] += solver.evaluations
                    steps += solver.steps
                else:
                    encodings[key].append(latent)
                    missing["encode"] += spent
        totals["decode"] += solver.evaluations
        for place, known in enumerate(encodings[key]):
            start = place * engine.chunk
            label = target.facts.check_label(variant.target_label)
            watch.last = None
            try:
                if known is None:
                    raise _Missing
                context = Context(images[place], start, "latent")
                latent = apply_operations(variant.latent, known, context)
                spent = decode_chunk(
                    latent, target, solver, label, cache=engine.cache, watch=watch
                )[1]
            except _Missing:
                missing["decode"] += solver.evaluations
                steps += solver.steps
            else:
                missing["decode"] += spent
    chunks = len(images)
    pace = sum(watch.steps) / len(watch.steps) if watch.steps else 0.0
    return Forecast(
        totals["encode"],
        -(-missing["encode"] // chunks),
        totals["decode"],
        -(-missing["decode"] // chunks),
        pace * steps,
    )
