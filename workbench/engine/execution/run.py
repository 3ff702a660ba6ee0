"""One execution of a plan: encode, edit, decode, measure, write."""

import logging
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from math import inf, log
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
import torch
from torch import Tensor

from ddib.bridge.bridge import Solved, Watch, levels
from ddib.bridge.cache import Cache
from ddib.checkpoints.checkpoint import Model
from ddib.data.sources import Pixels, read_png, to_pixels, to_tensor
from ddib.errors import Cancelled, InputError, RunError
from ddib.measures import transport
from ddib.solvers.solver import SOLVERS, Solver, Step
from workbench.engine.devices.device import memory_in_use
from workbench.engine.planning.chunks import (
    Batch,
    Encoded,
    Part,
    Task,
    Work,
    decide_steps,
    split,
    split_solved,
)
from workbench.engine.planning.plan import End, Plan, expected_evaluations
from workbench.engine.protocol.messages import (
    Finished,
    Message,
    Progress,
    Row,
    RowKind,
    Stage,
    Started,
    Status,
    VariantInfo,
)
from workbench.engine.results import measure
from workbench.engine.results.report import SHOWN, Ending, Report, RunFiles
from workbench.runs.contact_sheet import latent_pixels, strip_png
from workbench.runs.store import SHEET, new_run

if TYPE_CHECKING:
    from workbench.engine.execution.engine import Engine

PROGRESS_INTERVAL = 0.05  # seconds between messages about progress

logger = logging.getLogger(__name__)

Listen = Callable[[Message], None]


@dataclass(frozen=True)
class Order:
    """How a plan is to be run.

    store: where the run directory goes; None: nothing is written.
    unfinished: where solved chunks are kept until the run is done when the cache cannot hold
        them, so that the same order takes up a run that was killed; None: nowhere.
    """

    id: str = ""
    store: Path | None = None
    run_name: str = "untitled"
    unfinished: Path | None = None
    previews_per_second: Callable[[], float] = lambda: 0.0


@dataclass
class Run:
    """One execution of a plan: `run` does it all."""

    engine: "Engine"
    plan: Plan
    order: Order
    listen: Listen
    cancelled: Callable[[], bool]
    seconds: dict[str, float] = field(
        default_factory=lambda: {"load": 0.0, "encode": 0.0, "decode": 0.0}
    )
    nfe: dict[str, int] = field(default_factory=lambda: {"encode": 0, "decode": 0})
    notes: list[str] = field(default_factory=list)
    done: float = 0.0  # evaluations of images, those that the cache spared included
    spent: float = 0.0  # evaluations of images really made
    last_progress: float = 0.0
    last_preview: float = 0.0
    files: RunFiles | None = None
    models: dict[Path, Model] = field(default_factory=dict)
    latest: tuple[Batch, Solved] | None = None  # the last encodings asked for again

    def run(self) -> Finished:
        """Do it, and say how it ended; see `Engine.run`."""
        self.begun = time.monotonic()
        self.count = len(self.plan.images.names)
        self.report = Report(self.plan, [])
        self.cache, whole = self._cache()
        logger.info("%s: %d images", self.plan.name, self.count)
        run: Path | None = None
        try:
            if self.order.store is None:
                ending = self._until_the_end()
            else:
                with new_run(self.order.store, self.order.run_name) as new:
                    self.files = RunFiles(new.path, self.plan)
                    ending = self._until_the_end()
                    if self.report.reached:
                        self._progress("write", force=True)
                        self.files.close(self.report)
                        new.write_manifest(self.report.manifest(ending))
                run = new.path if self.report.reached else None
        except (RunError, InputError) as failure:
            ending = self._ending("failed", str(failure))
        if ending.status == "done" and whole is not None:
            shutil.rmtree(whole, ignore_errors=True)
        status, error = ending.status, ending.error
        logger.info(
            "%s: %s in %.1f s: %s", self.plan.name, status, ending.seconds["total"], error or run
        )
        return Finished(
            id=self.order.id,
            status=status,
            error=error,
            run=str(run) if run else None,
            sheet=str(run / SHEET) if run else None,
            metrics=self.report.variant_metrics(),
            nfe=ending.nfe,
            seconds=ending.seconds,
            cache=ending.cache,
            notes=ending.notes,
        )

    def _cache(self) -> tuple[Cache, Path | None]:
        """Where chunks are kept: the engine's cache, or for what it cannot hold a folder until
        the run is done."""
        cache, folder = self.engine.cache, self.order.unfinished
        rows = self.plan.encodings + len(self.plan.variants) * (2 * self.plan.links - 1)
        needed = rows * self.plan.images.pixels.size * 4
        if folder is None or (cache.folder is not None and needed < cache.disk_limit / 2):
            return cache, None
        return Cache(folder, disk_limit=inf), folder

    def _until_the_end(self) -> Ending:
        try:
            self._run()
        except Cancelled:
            return self._ending("cancelled", "cancelled; finished rows are kept")
        except (RunError, InputError) as failure:
            return self._ending("failed", str(failure))
        except torch.OutOfMemoryError:
            return self._ending("failed", "the GPU has no memory for a single image")
        except MemoryError:
            return self._ending("failed", "out of memory")
        return self._ending("done", None)

    def _run(self) -> None:
        engine, plan = self.engine, self.plan
        told = [VariantInfo(values=v.values, label=v.label) for v in plan.variants]
        self.listen(
            Started(
                id=self.order.id,
                images=len(plan.images.names),
                names=list(plan.images.names[:SHOWN]),
                variants=told,
                evaluations=plan.evaluations,
            )
        )
        self._progress("load", force=True)
        self.models = models = engine.models(plan)
        self.probes = {path: engine.probe_for(model.facts) for path, model in models.items()}
        plan, notes = decide_steps(plan, models, engine.device, self.cache, lambda _: self._check())
        self.notes += notes
        self.plan = self.report.plan = plan
        self.work = Work(plan, models, engine.device, engine.chunk, self._first_encoded)
        self.report.encodings = self.work.encodings
        self.report.used(models, self.probes)
        self.seconds["load"] = time.monotonic() - self.begun
        sources = plan.images.pictures[:SHOWN]
        self.report.row("source", 0).add(self.count, sources)
        self._say("source", 0, sources, {}, partial=False)
        groups = self.work.groups()
        for together in [groups] if engine.several else [[rows] for rows in groups]:
            for link in range(plan.links):
                self._encode(link, together)
                self._decode(link, together)

    # ---- the two directions

    def _encode(self, link: int, groups: list[list[int]]) -> None:
        """What the variants of some groups need in a link and is not yet encoded."""
        begun = time.monotonic()
        kind: RowKind = "intermediate_latent" if link else "latent"
        way = [batch for rows in groups for batch in self.work.encoding_batches(link, rows)]
        tasks = (
            self._edit_images(batch) if link == 0 else self._go_on(link, batch) for batch in way
        )
        most: Counter[int] = Counter()
        several = (len(self.plan.variants) if link else self.plan.encodings) > 1
        for (batch, _, _), solved in self._solved(tasks, link):
            for (row, places), z in zip(batch, split(batch, solved.z), strict=True):
                most[row] = max(most[row], solved.evaluations)
                self._add(kind, row, places, z, measure.latents(z, "latent"), link)
                if self.files is not None:
                    self.files.latents(kind, row if several else None, z, link)
        self.nfe["encode"] += sum(most.values())
        self.seconds["encode"] += time.monotonic() - begun

    def _decode(self, link: int, groups: list[list[int]]) -> None:
        begun = time.monotonic()
        way = [batch for rows in groups for batch in self.work.batches(rows)]
        tasks = (self._edit_latents(link, batch) for batch in way)
        most: Counter[int] = Counter()
        several = len(self.plan.variants) > 1
        for (batch, chunk, _), solved in self._solved(tasks, link + 1):
            parts = zip(batch, split(batch, chunk.start), split(batch, solved.z), strict=True)
            for (row, places), z, images in parts:
                most[row] = max(most[row], solved.evaluations)
                if link == 0 and self.plan.variants[row].latent and self.files is not None:
                    self.files.latents("edited_latent", row if several else None, z)
                self._decoded(link + 1, row, places, images)
        self.nfe["decode"] += sum(most.values())
        self.seconds["decode"] += time.monotonic() - begun

    def _edit_images(self, batch: Batch) -> Task:
        task = self.work.encoding(batch)
        for (row, places), images in zip(batch, split(batch, task.chunk.start), strict=True):
            if self.plan.variants[row].image:
                self._add("edited_image", row, places, images)
        return task

    def _edit_latents(self, link: int, batch: Batch) -> Task:
        task = self.work.decoding(batch, self._encoded(link, batch), link)
        for (row, places), z in zip(batch, split(batch, task.chunk.start), strict=True):
            if link == 0 and self.plan.variants[row].latent:
                self._add("edited_latent", row, places, z, measure.latents(z, "edited_latent"))
        return task

    def _go_on(self, link: int, batch: Batch) -> Task:
        """What encodes the pictures of the link before."""
        before = self.work.decoding(batch, self._encoded(link - 1, batch), link - 1)
        return self.work.encoding(batch, link, self._again(before).z)

    def _decoded(self, end: int, row: int, places: range, images: Tensor) -> None:
        """Pictures that an end has made: results, or what a chain goes on with."""
        variant, last = self.plan.variants[row], end == self.plan.links
        passed = self.plan.ends(variant)[end]
        probe = self.probes[passed.path]
        sources = to_tensor(self.plan.images.pixels[places.start : places.stop])
        metrics = measure.results(
            images,
            sources,
            wanted=self.plan.wanted(passed, places),
            probe=probe[1] if probe else None,
            cycle=last and self.plan.is_cycle(variant),
            points=self.plan.points,
        )
        if self.files is not None:
            if last and not self.plan.is_cycle(variant):
                metrics |= self._transport(passed, images, sources)
            self.files.pictures(row, end, places, images)
        self._add("result" if last else "intermediate", row, places, images, metrics, end)
        if last and places.stop == self.count and self._leads_back(row):
            self.report.exact.add(row)

    def _transport(self, end: End, images: Tensor, sources: Tensor) -> measure.PerImage:
        """How far an end's pictures are from optimal transport, where its domain is the colours
        of one picture."""
        if end.facts.picture is None or not self.plan.points:
            return {}
        if not transport.available():
            note = "not compared with optimal transport: pip install 'ddib-workbench[ot]'"
            self.notes += [note] if note not in self.notes else []
            return {}
        return measure.transport(images, sources, to_tensor(read_png(end.facts.picture)[None]))

    def _encoded(self, link: int, batch: Batch) -> list[Encoded]:
        """The latents of a batch in a link, and what was carried, of each part: from the cache."""
        if link:
            return split_solved(batch, self._again(self._go_on(link, batch)))
        return [self._first_encoded(part) for part in batch]

    def _first_encoded(self, part: Part) -> Encoded:
        batch, index = self.work.encoded_in(part)
        if self.latest is None or batch is not self.latest[0]:
            self.latest = batch, self._again(self.work.encoding(batch))
        return split_solved(batch, self.latest[1])[index]

    def _again(self, task: Task) -> Solved:
        return self.engine.solve(task.chunk, task.model, self.cache)

    def _solved(self, tasks: Iterable[Task], end: int) -> Iterator[tuple[Task, Solved]]:
        """Tasks of the models at an end, solved."""

        def watcher(task: Task) -> Watch:
            return self._watcher(task, end, levels(task.chunk, task.model))

        for task, solved in self.engine.solve_all(tasks, self.cache, watcher, self._check):
            batch, chunk, _ = task
            work = len(chunk.start) * expected_evaluations(chunk.solver, chunk.guidance.scale)
            self.done += work
            self.spent += work if solved.evaluations else 0
            yield task, solved
            last = batch[-1][1].stop == self.count
            self._progress(chunk.direction, batch[0][0], end, force=last)

    def _check(self) -> None:
        if self.cancelled():
            raise Cancelled

    # ---- telling what happens

    def _watcher(self, task: Task, end: int, way: Sequence[float]) -> Watch:
        batch, chunk, _ = task
        evaluations = expected_evaluations(chunk.solver, chunk.guidance.scale)
        earlier = now = 0.0  # evaluations of images in batches of this chunk

        def watch(step: Step) -> None:
            nonlocal earlier, now
            if self.cancelled():
                self._preview(task, end, step, last=True)
                raise Cancelled
            if step.step == 1:
                earlier += now
            now = len(step.z) * evaluations * _share(step, way, chunk.solver)
            at = step.step, len(way) - 1
            self._progress(chunk.direction, batch[0][0], end, *at, earlier + now)
            self._preview(task, end, step)

        return watch

    def _progress(
        self,
        stage: Stage,
        variant: int | None = None,
        end: int = 0,
        step: int = 0,
        steps: int = 0,
        under_way: float = 0.0,
        force: bool = False,
    ) -> None:
        now = time.monotonic()
        if not force and now - self.last_progress < PROGRESS_INTERVAL:
            return
        self.last_progress = now
        done, total = self.done + under_way, self.plan.evaluations * self.count
        spent = self.spent + under_way
        busy = now - self.begun - self.seconds["load"]
        self.listen(
            Progress(
                id=self.order.id,
                stage=stage,
                variant=variant,
                end=end,
                step=step,
                steps=steps,
                evaluations=round(done / self.count),
                total=self.plan.evaluations,
                seconds_left=busy / spent * (total - done) if spent else None,
                images_per_second=done / self.plan.evaluations / busy if done else None,
                memory=memory_in_use(self.engine.device),
            )
        )

    def _add(
        self,
        kind: RowKind,
        row: int,
        places: range,
        images: Tensor,
        metrics: measure.PerImage | None = None,
        end: int = 0,
    ) -> None:
        """More images of a row, which is told when it is whole."""
        strip = self.report.row(kind, row, end)
        strip.add(len(images), _pixels(kind, images[: max(0, SHOWN - places.start)]), metrics)
        if places.stop == self.count:
            self._say(kind, row, strip.pixels, strip.metrics, end, partial=False)

    def _preview(self, task: Task, end: int, step: Step, *, last: bool = False) -> None:
        """Show the emerging picture when it is time to, and the `last` one in any case."""
        rate, now = self.order.previews_per_second(), time.monotonic()
        if not rate or (now - self.last_preview < 1 / rate and not last):
            return
        self.last_preview = now
        batch, chunk, _ = task
        encoding = chunk.direction == "encode"
        kind: RowKind = "latent" if encoding else "result"
        if 0 < end < self.plan.links:
            kind = "intermediate_latent" if encoding else "intermediate"
        images = step.z if encoding else step.denoised
        if len(images) < len(chunk.start):  # memory asked for several batches
            return
        for (row, places), part in zip(batch, split(batch, images), strict=True):
            if places.start < SHOWN:
                pixels = [*self.report.row(kind, row, end).shown, _pixels(kind, part)]
                self._say(kind, row, np.concatenate(pixels)[:SHOWN], {}, end, partial=True)

    def _say(
        self,
        kind: RowKind,
        row: int,
        pixels: Pixels,
        metrics: measure.PerImage,
        end: int = 0,
        *,
        partial: bool,
    ) -> None:
        missing = min(self.count, SHOWN) - len(pixels)
        if missing:  # chunks that are still to come are black
            pixels = np.pad(pixels, ((0, missing), (0, 0), (0, 0), (0, 0)))
        of_all = kind == "source" or (
            kind in ("edited_image", "latent") and self.plan.encodings == 1
        )
        self.listen(
            Row.model_construct(
                id=self.order.id,
                kind=kind,
                variant=None if of_all else row,
                end=end if "intermediate" in kind else 0,
                columns=len(pixels),
                png=strip_png(pixels),
                partial=partial,
                metrics=measure.summary(metrics),
                per_image={name: values[:SHOWN] for name, values in metrics.items()},
            )
        )

    # ---- the end

    def _ending(self, status: Status, error: str | None) -> Ending:
        reached = {kind for kind, _, _ in self.report.rows}
        kinds: dict[str, RowKind] = {"encode": "latent", "decode": "result"}
        hits: dict[str, Literal["hit", "miss"]] = {
            name: "miss" if self.nfe[name] else "hit"
            for name, kind in kinds.items()
            if kind in reached
        }
        total = time.monotonic() - self.begun
        seconds = {
            name: round(value, 3) for name, value in (self.seconds | {"total": total}).items()
        }
        engine = self.engine
        return Ending(
            status, error, engine.device, self.nfe, seconds, hits, engine.chunk, self._notes()
        )

    def _notes(self) -> list[str]:
        """What a reader of the run has to know besides the session."""
        notes = [*self.notes, *self.engine.notes()]
        for row in self.report.finished:
            if why := self._no_way_back(row):
                notes.append(f"{self.plan.variants[row].label}: no exact way back: {why}")
        for model in self.models.values():
            points = self.plan.images.pixels[0, ..., 0].size // model.facts.image_size**2
            limit = self.engine.batch_limit(model, points)
            if limit < min(self.engine.chunk, self.count):
                notes.append(f"{model.name}: batches of {limit} images, to fit the memory")
        return notes

    def _no_way_back(self, row: int) -> str:
        """Why a variant of an exactly invertible solver does not lead back exactly."""
        variant = self.plan.variants[row]
        if not SOLVERS[variant.solver.name].invertible or row in self.report.exact:
            return ""
        if variant.latent:
            return "the latent is edited"
        retraces = all(self.work.retraces(row, link) for link in range(self.plan.links))
        return "the image is edited" if retraces else "another model, label or guidance decodes"

    def _leads_back(self, row: int) -> bool:
        """Whether the solver promises that a variant's pictures come back."""
        way = range(self.plan.links)
        retraces = all(self.work.retraces(row, link) for link in way)
        return retraces and self.plan.is_cycle(self.plan.variants[row])


def _share(step: Step, way: Sequence[float], solver: Solver) -> float:
    """How much of a way is behind a step, 0 to 1."""
    if solver.evaluations is not None:
        return step.step / (len(way) - 1)
    return log(step.sigma / way[0]) / log(way[-1] / way[0])


def _pixels(kind: RowKind, images: Tensor) -> Pixels:
    if "latent" in kind:
        return latent_pixels(images.float().cpu().numpy())
    return to_pixels(images)
