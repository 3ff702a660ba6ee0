"""One execution of a plan: encode, edit, decode, measure, write."""

import logging
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from math import inf
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor

from ddib.bridge.bridge import Watch
from ddib.bridge.cache import Cache
from ddib.bridge.chunk import Problem, Solved
from ddib.checkpoints.model import Model
from ddib.data.file_names import escape_name
from ddib.data.pixels import read_png, to_tensor
from ddib.errors import Cancelled, InputError, RunError
from ddib.measures import transport
from ddib.solvers.scheme import SOLVERS
from workbench.engine.execution.engine import Engine
from workbench.engine.execution.order import Listener, Order
from workbench.engine.execution.reporter import Reporter
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
from workbench.engine.planning.plan import End, Plan
from workbench.engine.protocol.messages import Finished, RowKind, Status
from workbench.engine.results.files import RunFiles
from workbench.engine.results.manifest import Ending, Probes, checkpoints_used, make_manifest
from workbench.engine.results.measure import PerImage, measure
from workbench.metrics.evidence import Latents, Results
from workbench.metrics.metric import Subject
from workbench.runs.files import SHEET
from workbench.runs.manifest import CheckpointUsed
from workbench.runs.writing import new_run
from workbench.support.text import clean

logger = logging.getLogger(__name__)


def run_plan(
    engine: Engine,
    plan: Plan,
    order: Order,
    listener: Listener = lambda _: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Finished:
    """Run a plan; messages go to `listener`, the last one is returned.

    `cancelled` is asked after every solver step. Whole rows that were finished before a
    cancel or a failure are kept in the run directory, which is marked so. Raises nothing
    that the user can cause.
    """
    return Run(engine, plan, order, listener, cancelled).run()


class Run:
    """One execution of a plan."""

    def __init__(
        self,
        engine: Engine,
        plan: Plan,
        order: Order,
        listener: Listener,
        cancelled: Callable[[], bool],
    ):
        self.engine = engine
        self.plan = plan
        self.order = order
        self.cancelled = cancelled
        self.count = len(plan.images.names)
        self.begun = time.monotonic()
        self.seconds = {"load": 0.0, "encode": 0.0, "decode": 0.0}
        self.nfe = {"encode": 0, "decode": 0}
        self.notes = list(plan.images.notes)
        self.reporter = Reporter(plan, order, engine.device, listener, cancelled)
        self.results = self.reporter.results
        self.files: RunFiles | None = None
        self.models: dict[Path, Model] = {}
        self.checkpoints: dict[str, CheckpointUsed] = {}
        self.latest: tuple[Batch, Solved] | None = None  # the encodings last taken from the cache
        self.cache, self.unfinished = self._cache()

    def run(self) -> Finished:
        """Run the plan and return how it ended; see `run_plan`."""
        logger.info("%s: %d images", self.plan.name, self.count)
        run: Path | None = None
        try:
            if self.order.store is None:
                ending = self._execute()
            else:
                with new_run(self.order.store, self.order.run_name) as new:
                    self.files = RunFiles(new.path, self.plan)
                    ending = self._execute()
                    if self.results.reached:
                        self.reporter.progress("write", force=True)
                        self.files.close(self.results)
                        new.write_manifest(make_manifest(self.results, self.checkpoints, ending))
                run = new.path if self.results.reached else None
        except (RunError, InputError) as failure:
            ending = self._ending("failed", str(failure))
        if ending.status == "done" and self.unfinished is not None:
            shutil.rmtree(self.unfinished, ignore_errors=True)
        status, error = ending.status, ending.error
        logger.info(
            "%s: %s in %.1f s: %s", self.plan.name, status, ending.seconds["total"], error or run
        )
        return Finished(
            id=self.order.id,
            status=status,
            error=error and clean(error),
            run=escape_name(run) if run else None,
            sheet=escape_name(run / SHEET) if run else None,
            metrics=self.results.variant_metrics(),
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

    def _execute(self) -> Ending:
        try:
            self._solve()
        except Cancelled:
            return self._ending("cancelled", "cancelled; finished rows are kept")
        except (RunError, InputError) as failure:
            return self._ending("failed", str(failure))
        except torch.OutOfMemoryError:
            advice = "give --device cpu, or take a smaller model"
            return self._ending("failed", f"the GPU has no memory for a single image; {advice}")
        except MemoryError:
            advice = "lower --memory or --chunk, or close other programs"
            return self._ending("failed", f"out of memory; {advice}")
        return self._ending("done", None)

    def _solve(self) -> None:
        engine = self.engine
        self.reporter.start()
        self.models = models = engine.models(self.plan)
        self.probes: Probes = {p: engine.probe_for(model.facts) for p, model in models.items()}
        self.plan, notes = decide_steps(
            self.plan, models, engine.device, self.cache, lambda _: self._check()
        )
        self.notes += notes
        self.work = Work(self.plan, models, engine.device, engine.chunk, self._first_encoded)
        self.checkpoints = checkpoints_used(self.plan, models, self.probes)
        self.seconds["load"] = time.monotonic() - self.begun
        self.reporter.loaded(self.plan, self.work.encodings)
        groups = self.work.groups()
        for together in [groups] if engine.encodes_all_first else [[rows] for rows in groups]:
            for link in range(self.plan.links):
                self._encode(link, together)
                self._decode(link, together)

    # ---- the two directions

    def _encode(self, link: int, groups: list[list[int]]) -> None:
        """What the variants of some groups need in a link and is not yet encoded."""
        begun = time.monotonic()
        kind: RowKind = "intermediate_latent" if link else "latent"
        batches = [batch for rows in groups for batch in self.work.encoding_batches(link, rows)]
        tasks = (
            self._edit_images(batch) if link == 0 else self._next_link_task(link, batch)
            for batch in batches
        )
        most: Counter[int] = Counter()
        several = (len(self.plan.variants) if link else self.plan.encodings) > 1
        for (batch, _, _), solved in self._solved(tasks, link):
            for (row, places), z in zip(batch, split(batch, solved.z), strict=True):
                most[row] = max(most[row], solved.evaluations)
                self.reporter.add(kind, row, places, z, self._latent_metrics("latent", z), link)
                if self.files is not None:
                    self.files.latents(kind, row if several else None, z, link)
        self.nfe["encode"] += sum(most.values())
        self.seconds["encode"] += time.monotonic() - begun

    def _decode(self, link: int, groups: list[list[int]]) -> None:
        begun = time.monotonic()
        batches = [batch for rows in groups for batch in self.work.batches(rows)]
        tasks = (self._edit_latents(link, batch) for batch in batches)
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
                self.reporter.add("edited_image", row, places, images)
        return task

    def _edit_latents(self, link: int, batch: Batch) -> Task:
        task = self.work.decoding(batch, self._encoded(link, batch), link)
        for (row, places), z in zip(batch, split(batch, task.chunk.start), strict=True):
            if link == 0 and self.plan.variants[row].latent:
                self.reporter.add(
                    "edited_latent", row, places, z, self._latent_metrics("edited_latent", z)
                )
        return task

    def _next_link_task(self, link: int, batch: Batch) -> Task:
        """Return the task that encodes the previous link's images."""
        before = self.work.decoding(batch, self._encoded(link - 1, batch), link - 1)
        return self.work.encoding(batch, link, self._solve_from_cache(before).z)

    def _decoded(self, end: int, row: int, places: range, images: Tensor) -> None:
        """Take the pictures that an end decoded: results, or what a chain encodes next."""
        variant, last = self.plan.variants[row], end == self.plan.links
        passed = self.plan.ends(variant)[end]
        probe = self.probes[passed.path]
        sources = to_tensor(self.plan.images.pixels[places.start : places.stop])
        cycle = last and self.plan.is_cycle(variant)
        compared = self.files is not None and last and not cycle
        evidence = Results(
            images,
            sources,
            wanted=self.plan.wanted(passed, places),
            probe=probe[1] if probe else None,
            cycle=cycle,
            points=self.plan.points,
            target_picture=self._target_picture(passed) if compared else None,
        )
        metrics = measure("result", evidence, len(images))
        if self.files is not None:
            self.files.pictures(row, end, places, images)
        self.reporter.add("result" if last else "intermediate", row, places, images, metrics, end)
        if last and places.stop == self.count and self._is_exact(row):
            self.results.exact.add(row)

    def _latent_metrics(self, subject: Subject, z: Tensor) -> PerImage:
        return measure(subject, Latents(z), len(z))

    def _target_picture(self, end: End) -> Tensor | None:
        """The picture whose colours are an end's domain, where there is optimal transport to
        compare with."""
        if end.facts.picture is None or not self.plan.points:
            return None
        if not transport.available():
            note = "not compared with optimal transport: pip install 'ddib-workbench[ot]'"
            self.notes += [note] if note not in self.notes else []
            return None
        return to_tensor(read_png(end.facts.picture)[None])

    def _encoded(self, link: int, batch: Batch) -> list[Encoded]:
        """The latents of a batch in a link, and what was carried, of each part: from the cache."""
        if link:
            return split_solved(batch, self._solve_from_cache(self._next_link_task(link, batch)))
        return [self._first_encoded(part) for part in batch]

    def _first_encoded(self, part: Part) -> Encoded:
        batch, index = self.work.encoded_in(part)
        if self.latest is None or batch is not self.latest[0]:
            self.latest = batch, self._solve_from_cache(self.work.encoding(batch))
        return split_solved(batch, self.latest[1])[index]

    def _solve_from_cache(self, task: Task) -> Solved:
        return self.engine.solve(task.chunk, task.model, self.cache)

    def _solved(self, tasks: Iterable[Task], end: int) -> Iterator[tuple[Task, Solved]]:
        """Tasks of the models at an end, solved."""

        def watcher(task: Task) -> Watch:
            return self.reporter.watcher(task, end, Problem(task.chunk, task.model).levels)

        for task, solved in self.engine.solve_all(tasks, self.cache, watcher, self._check):
            self.reporter.solved(task, solved.evaluations)
            yield task, solved
            self.reporter.chunk_done(task, end)

    def _check(self) -> None:
        if self.cancelled():
            raise Cancelled

    # ---- the end

    def _ending(self, status: Status, error: str | None) -> Ending:
        reached = {kind for kind, _, _ in self.results.rows}
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
            status,
            error and clean(error),
            engine.device,
            self.nfe,
            seconds,
            hits,
            engine.chunk,
            self._notes(),
        )

    def _notes(self) -> list[str]:
        """What a reader of the run has to know besides the session."""
        notes = [*self.notes, *self.engine.notes()]
        for row in self.results.finished:
            if why := self._why_not_exact(row):
                notes.append(f"{self.plan.variants[row].label}: no exact inverse: {why}")
        for model in self.models.values():
            points = self.plan.images.pixels[0, ..., 0].size // model.facts.image_size**2
            limit = self.engine.batch_limit(model, points)
            if limit < min(self.engine.chunk, self.count):
                notes.append(f"{model.name}: batches of {limit} images, to fit the memory")
        return notes

    def _why_not_exact(self, row: int) -> str:
        """Why a variant of an exactly invertible solver is not inverted exactly."""
        variant = self.plan.variants[row]
        if not SOLVERS[variant.solver.name].invertible or row in self.results.exact:
            return ""
        if variant.latent:
            return "the latent is edited"
        if variant.guide:
            return "guides move the decoding"
        exact = all(self.work.is_exact_inverse(row, link) for link in range(self.plan.links))
        return "the image is edited" if exact else "another model, label or guidance decodes"

    def _is_exact(self, row: int) -> bool:
        """Whether the solver guarantees that a variant's pictures come back exactly."""
        exact = all(self.work.is_exact_inverse(row, link) for link in range(self.plan.links))
        return exact and self.plan.is_cycle(self.plan.variants[row])
