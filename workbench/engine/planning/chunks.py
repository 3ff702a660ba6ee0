"""A plan as chunks of work: which images are taken along the ODE together, and in what order.

Rows come one after another. A row of many images is cut by position in the session; rows of few
images that are decoded alike fill a chunk together. The same plan and the same chunk
size give the same chunks, and so the same bytes.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from ddib.bridge.bridge import Watch
from ddib.bridge.cache import Cache
from ddib.bridge.chunk import Chunk, Solved, batches
from ddib.checkpoints.loading import load_classifier
from ddib.checkpoints.model import Model
from ddib.data.pixels import to_tensor
from ddib.denoising.label import Label
from ddib.errors import RunError
from ddib.guides.guidance import Guidance
from ddib.operations.operation import Context, Everything, Stage
from ddib.operations.recipe import apply_operations
from ddib.solvers.scheme import SOLVERS
from ddib.solvers.solver import Solver
from ddib.tuning.auto_steps import IMAGES as TRIED
from ddib.tuning.auto_steps import fewest_steps
from workbench.engine.planning.plan import End, Plan, encoding_key

Part = tuple[int, range]
"""A variant's index, and the places of some of its images."""

Batch = list[Part]
"""What a chunk is made of."""


class Task(NamedTuple):
    """A chunk to solve, what it is made of, and by which model."""

    batch: Batch
    chunk: Chunk
    model: Model


Encoded = tuple[Tensor, Tensor | None]
"""Latents z, and what an exactly invertible solver needs to go back."""


@dataclass(frozen=True)
class Work:
    """What there is to do for a plan whose steps are decided.

    encoded: finds the encoding of a part, for operations that ask for the latents of others.
    """

    plan: Plan
    models: Mapping[Path, Model]
    device: torch.device
    size: int  # images a chunk has at most
    encoded: Callable[[Part], Encoded]

    @cached_property
    def encodings(self) -> list[int]:
        """For each variant, the first one with the same encoding, which the two share."""
        first: dict[str, int] = {}
        return [first.setdefault(encoding_key(v), i) for i, v in enumerate(self.plan.variants)]

    def groups(self) -> list[list[int]]:
        """Variants that are decoded together, in their order."""
        together = max(1, self.size // len(self.plan.images.names))
        found = []
        for _, same in groupby(range(len(self.plan.variants)), self._decoding_key):
            rows = list(same)
            found += [rows[at.start : at.stop] for at in batches(len(rows), together)]
        return found

    def batches(self, rows: list[int]) -> list[Batch]:
        """The chunks of the rows of a group, or of their encodings."""
        count = len(self.plan.images.names)
        if len(rows) > 1:
            return [[(row, range(count)) for row in rows]]
        return [[(row, at)] for row in rows for at in batches(count, self.size)]

    def encoding_batches(self, link: int, rows: list[int]) -> list[Batch]:
        """The chunks that encode what the rows of a group need and no group before them does."""
        if link:
            return self.batches(rows)
        return self.batches([row for row in rows if self.encodings[row] == row])

    def encoded_in(self, part: Part) -> tuple[Batch, int]:
        """The batch that encodes a part, and which of the batch's parts it is."""
        row, places = self.encodings[part[0]], part[1]
        batch = self._encoded_in[row, places.start]
        return batch, batch.index((row, places))

    def encoding(self, batch: Batch, link: int = 0, decoded: Tensor | None = None) -> Task:
        """What encodes a batch: the variants' edited images or, in a later link, what the one
        before it `decoded`.
        """
        pictures = torch.cat(list(map(self._edited_images, batch))) if decoded is None else decoded
        model, label, guidance, places = self._end(batch, link)
        solver = self.plan.variants[batch[0][0]].solver
        chunk = Chunk("encode", pictures, solver, label, places, guidance=guidance)
        return Task(batch, chunk, model)

    def decoding(self, batch: Batch, encoded: Sequence[Encoded], link: int = 0) -> Task:
        """What decodes a batch; `encoded` is z, and what was carried, of each part.

        Raises RunError when a recipe makes values that are not finite.
        """
        edit = self._edited_latents if link == 0 else lambda _, z: z
        z = torch.cat([edit(part, z) for part, (z, _) in zip(batch, encoded, strict=True)])
        model, label, guidance, _ = self._end(batch, link + 1)
        carried = [part for _, part in encoded if part is not None]
        retraced = carried and all(self.is_exact_inverse(row, link) for row, _ in batch)
        kept = torch.cat(carried) if retraced else None
        solver = self.plan.variants[batch[0][0]].solver
        chunk = Chunk("decode", z, solver, label, carried=kept, guidance=guidance)
        if link == 0 and (guides := self.plan.variants[batch[0][0]].guide):
            source = torch.cat([self.images(places) for _, places in batch])
            chunk = replace(chunk, guides=guides, source=source)
        return Task(batch, chunk, model)

    def _edited_images(self, part: Part) -> Tensor:
        row, places = part
        images = self.images(places)
        stage: Stage = "latent" if self.plan.points else "image"  # points have no brightness
        context = Context(images, places.start, stage, Unedited(self, None))
        return apply_operations(self.plan.variants[row].image, images, context)

    def _edited_latents(self, part: Part, z: Tensor) -> Tensor:
        row, places = part
        variant = self.plan.variants[row]
        z = apply_operations(variant.latent, z, self.latent_context(row, places))
        if not z.isfinite().all():
            raise RunError(
                f"{variant.label}: the recipe made NaN or infinite values of the latent; "
                "tame its factors"
            )
        return z

    def _end(self, batch: Batch, index: int) -> tuple[Model, Label, Guidance, tuple[int, ...]]:
        """The model of a batch's end, its label, its guidance, and the images' places."""
        end = self.plan.ends(self.plan.variants[batch[0][0]])[index]
        places = tuple(place for _, at in batch for place in at)
        label, guidance = self.plan.condition(end, places), guidance_of(end, self.device)
        return self.models[end.path], label, guidance, places

    def latent_context(self, row: int, places: range) -> Context:
        """What a variant's operations on the latents of some images know besides them."""
        return Context(self.images(places), places.start, "latent", Unedited(self, row))

    def part_at(self, row: int, place: int) -> Part:
        """The part of a variant that an image belongs to."""
        start = place - place % self.size
        return row, range(start, min(start + self.size, len(self.plan.images.names)))

    def is_exact_inverse(self, row: int, link: int = 0) -> bool:
        """Whether decoding a variant can exactly invert the encoding before it."""
        variant = self.plan.variants[row]
        changed = link == 0 and (variant.latent or variant.guide)
        if changed or not SOLVERS[variant.solver.name].invertible:
            return False
        return self.plan.same(*self.plan.ends(variant)[link : link + 2])

    @cached_property
    def _encoded_in(self) -> dict[tuple[int, int], Batch]:
        """The batch of each encoding, by its variant and first place."""
        return {
            (row, places.start): batch
            for rows in self.groups()
            for batch in self.encoding_batches(0, rows)
            for row, places in batch
        }

    def _decoding_key(self, row: int) -> tuple[object, ...]:
        variant = self.plan.variants[row]
        return (
            variant.solver.model_dump_json(),
            variant.target,
            variant.guide,
            self.is_exact_inverse(row),
        )

    def images(self, places: range) -> Tensor:
        """The source images at some places, as they are before any edit."""
        pixels = self.plan.images.pixels[places.start : places.stop]
        return to_tensor(pixels).to(self.device)


@dataclass(frozen=True)
class Unedited(Everything):
    """The session's images, or a variant's latents before its recipe, by place.

    They are fetched when they are asked for, and no more of them than the parts they lie in.
    """

    work: Work
    row: int | None  # a variant; None: the images

    def __len__(self) -> int:
        return len(self.work.plan.images.names)

    def __getitem__(self, places: list[int], /) -> Tensor:
        if self.row is None:
            return torch.cat([self.work.images(range(place, place + 1)) for place in places])
        parts = [self.work.part_at(self.row, place) for place in places]
        found = {part: self.work.encoded(part)[0] for part in dict.fromkeys(parts)}
        return torch.stack(
            [found[part][place - part[1].start] for part, place in zip(parts, places, strict=True)]
        )


def decide_steps(
    plan: Plan,
    models: Mapping[Path, Model],
    device: torch.device,
    cache: Cache,
    watch: Watch | None = None,
) -> tuple[Plan, list[str]]:
    """The plan with a number in place of every `steps: auto`, and a note on each.

    Raises InputError when no number is enough.
    """
    found: dict[Solver, Solver] = {}
    notes = []
    for solver in {v.solver: None for v in plan.variants if v.solver.steps == "auto"}:
        images = to_tensor(plan.images.pixels[:TRIED]).to(device)
        source = plan.ends(plan.variants[0])[0]
        label = plan.condition(source, range(len(images)))
        model, guidance = models[source.path], guidance_of(source, device)
        steps, error = fewest_steps(images, model, solver, label, cache, watch, guidance)
        notes.append(f"steps: auto chose {steps}, which leave a latent RMSE of {error:.2g}")
        found[solver] = solver.model_copy(update={"steps": steps})
    variants = [replace(v, solver=found.get(v.solver, v.solver)) for v in plan.variants]
    return replace(plan, variants=variants), notes


def guidance_of(end: End, device: torch.device) -> Guidance:
    """The guidance of an end, its classifier loaded."""
    by = load_classifier(end.classifier.path, str(device)) if end.classifier else None
    return Guidance(end.guidance, by, end.classifier_scale)


def split_solved(batch: Batch, solved: Solved) -> list[Encoded]:
    """An encoded batch as latents, and what was carried, of each of its parts."""
    parts = split(batch, solved.z)
    if solved.carried is None:
        return [(z, None) for z in parts]
    return list(zip(parts, split(batch, solved.carried), strict=True))


def split(batch: Batch, tensor: Tensor) -> list[Tensor]:
    """A tensor over a batch as one for each of its parts."""
    return list(torch.split(tensor, [len(places) for _, places in batch]))
