"""A plan as chunks of work: which images are taken along the ODE together, and in what order.

Rows come one after another. A row of many images is cut by position in the session; rows of few
images that share their way of decoding fill a chunk together. The same plan and the same chunk
size give the same chunks, and so the same bytes.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import groupby

import torch
from torch import Tensor

from ddib.autosteps import IMAGES as TRIED
from ddib.autosteps import fewest_steps
from ddib.bridge import Chunk, Solved, Watch, batches
from ddib.cache import Cache
from ddib.checkpoints import Model
from ddib.datasets import to_tensor
from ddib.errors import RunError
from ddib.operations import Context, Stage
from ddib.recipe import apply_operations
from ddib.solvers import SOLVERS, Solver
from workbench.engine.plan import Plan, encoding_key

Part = tuple[int, range]
"""A variant's index, and the places of some of its images."""

Batch = list[Part]
"""What a chunk is made of."""

Encoded = tuple[Tensor, Tensor | None]
"""Latents z, and what an exactly invertible solver needs to go back."""


@dataclass(frozen=True)
class Work:
    """What there is to do for a plan whose steps are decided."""

    plan: Plan
    source: Model
    target: Model
    device: torch.device
    size: int  # images a chunk has at most

    @cached_property
    def encodings(self) -> list[int]:
        """For each variant, the first one with the same encoding, which the two share."""
        first: dict[str, int] = {}
        return [first.setdefault(encoding_key(v), i) for i, v in enumerate(self.plan.variants)]

    def groups(self) -> list[list[int]]:
        """Variants that are decoded together, in their order."""
        together = max(1, self.size // len(self.plan.images.names))
        found = []
        for _, same in groupby(range(len(self.plan.variants)), self._way_of_decoding):
            rows = list(same)
            found += [rows[at.start : at.stop] for at in batches(len(rows), together)]
        return found

    def batches(self, rows: list[int]) -> list[Batch]:
        """The chunks of the rows of a group, or of their encodings."""
        count = len(self.plan.images.names)
        if len(rows) > 1:
            return [[(row, range(count)) for row in rows]]
        return [[(row, at)] for row in rows for at in batches(count, self.size)]

    def encoding_batches(self, rows: list[int]) -> list[Batch]:
        """The chunks that encode what the rows of a group need and no group before them does."""
        return self.batches([row for row in rows if self.encodings[row] == row])

    def encoded_in(self, part: Part) -> tuple[Batch, int]:
        """The batch that encodes a part, and which of the batch's parts it is."""
        row, places = self.encodings[part[0]], part[1]
        batch = self._encoded_in[row, places.start]
        return batch, batch.index((row, places))

    def encoding(self, batch: Batch) -> Chunk:
        """The chunk that encodes a batch of the variants' edited images."""
        stage: Stage = "latent" if self.plan.points else "image"  # points have no brightness
        edited = [
            apply_operations(
                self.plan.variants[row].image, images, Context(images, places.start, stage)
            )
            for row, places in batch
            for images in [self._images(places)]
        ]
        label = self.source.facts.check_label(self.plan.session.source.label)
        places = tuple(place for _, at in batch for place in at)
        solver = self.plan.variants[batch[0][0]].solver
        return Chunk("encode", torch.cat(edited), solver, label, places)

    def decoding(self, batch: Batch, encoded: Sequence[Encoded]) -> Chunk:
        """The chunk that decodes a batch; `encoded` is z, and what was carried, of each part.

        Raises RunError when a recipe makes values that are not finite.
        """
        edited = []
        for (row, places), (z, _) in zip(batch, encoded, strict=True):
            variant = self.plan.variants[row]
            edited.append(apply_operations(variant.latent, z, self.latent_context(places)))
            if not edited[-1].isfinite().all():
                raise RunError(
                    f"{variant.label}: the recipe made NaN or infinite values of the latent; "
                    "tame its factors"
                )
        variant = self.plan.variants[batch[0][0]]
        label = self.target.facts.check_label(variant.target_label)
        carried = [part for _, part in encoded if part is not None]
        retraced = carried and all(self.retraces(row) for row, _ in batch)
        return Chunk(
            "decode",
            torch.cat(edited),
            variant.solver,
            label,
            carried=torch.cat(carried) if retraced else None,
        )

    def latent_context(self, places: range) -> Context:
        """What the operations on the latents of some images know besides them."""
        return Context(self._images(places), places.start, "latent")

    def retraces(self, row: int) -> bool:
        """Whether a variant's decode can go back exactly the way of its encode."""
        variant = self.plan.variants[row]
        invertible = SOLVERS[variant.solver.name].invertible
        return invertible and not variant.latent and self.plan.same_ends(variant)

    @cached_property
    def _encoded_in(self) -> dict[tuple[int, int], Batch]:
        """The batch of each encoding, by its variant and first place."""
        return {
            (row, places.start): batch
            for rows in self.groups()
            for batch in self.encoding_batches(rows)
            for row, places in batch
        }

    def _way_of_decoding(self, row: int) -> tuple[str, int | None, bool]:
        variant = self.plan.variants[row]
        return variant.solver.model_dump_json(), variant.target_label, self.retraces(row)

    def _images(self, places: range) -> Tensor:
        pixels = self.plan.images.pixels[places.start : places.stop]
        return to_tensor(pixels).to(self.device)


def decide_steps(
    plan: Plan,
    source: Model,
    device: torch.device,
    cache: Cache,
    watch: Watch | None = None,
) -> tuple[Plan, list[str]]:
    """The plan with a number in the place of every `steps: auto`, and what to say of each.

    Raises InputError when no number is enough.
    """
    found: dict[Solver, Solver] = {}
    notes = []
    for solver in {v.solver: None for v in plan.variants if v.solver.steps == "auto"}:
        images = to_tensor(plan.images.pixels[:TRIED]).to(device)
        label = source.facts.check_label(plan.session.source.label)
        steps, error = fewest_steps(images, source, solver, label, cache, watch)
        notes.append(f"steps: auto chose {steps}, which leave a latent RMSE of {error:.2g}")
        found[solver] = solver.model_copy(update={"steps": steps})
    variants = [replace(v, solver=found.get(v.solver, v.solver)) for v in plan.variants]
    return replace(plan, variants=variants), notes


def split_solved(batch: Batch, solved: Solved) -> list[Encoded]:
    """An encoded batch as latents, and what was carried, of each of its parts."""
    parts = split(batch, solved.z)
    if solved.carried is None:
        return [(z, None) for z in parts]
    return list(zip(parts, split(batch, solved.carried), strict=True))


def split(batch: Batch, tensor: Tensor) -> list[Tensor]:
    """A tensor over a batch as one for each of its parts."""
    return list(torch.split(tensor, [len(places) for _, places in batch]))
