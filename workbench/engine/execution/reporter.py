"""What a run reports while it works: rows of pictures, progress, previews."""

import time
from collections.abc import Callable, Sequence
from math import log

import numpy as np
import torch
from torch import Tensor

from ddib.bridge.bridge import Watch
from ddib.data.pixels import Pixels, to_pixels
from ddib.errors import Cancelled
from ddib.solvers.scheme import Step
from ddib.solvers.solver import Solver
from workbench.engine.devices.device import memory_in_use
from workbench.engine.execution.order import Listener, Order
from workbench.engine.planning.chunks import Task, split
from workbench.engine.planning.plan import Plan, expected_evaluations
from workbench.engine.protocol.messages import Progress, Row, RowKind, Stage, Started, VariantInfo
from workbench.engine.results.measure import PerImage, summary
from workbench.engine.results.rows import SHOWN, RunResults
from workbench.runs.strips import latent_pixels, strip_png

PROGRESS_INTERVAL = 0.05  # seconds between messages about progress


class Reporter:
    """Sends the messages of one run, and keeps the rows that they show.

    cancelled: whether the run is to stop; a watched chunk then raises Cancelled after a step.
    """

    def __init__(
        self,
        plan: Plan,
        order: Order,
        device: torch.device,
        listener: Listener,
        cancelled: Callable[[], bool],
    ):
        self.plan = plan
        self.results = RunResults(plan, [])
        self._order = order
        self._device = device
        self._send = listener
        self._cancelled = cancelled
        self._count = len(plan.images.names)
        self._begun = time.monotonic()
        self._loaded = 0.0  # seconds that loading took, which progress does not count
        self._done = 0.0  # evaluations of images, those that the cache spared included
        self._spent = 0.0  # evaluations of images really made
        self._last_progress = 0.0
        self._last_preview = 0.0

    def start(self) -> None:
        """Announce the run."""
        self._send(
            Started(
                id=self._order.id,
                images=self._count,
                names=list(self.plan.images.names[:SHOWN]),
                variants=[VariantInfo(values=v.values, label=v.label) for v in self.plan.variants],
                evaluations=self.plan.evaluations,
            )
        )
        self.progress("load", force=True)

    def loaded(self, plan: Plan, encodings: list[int]) -> None:
        """Take up the plan whose steps are decided, and show the sources."""
        self.plan = self.results.plan = plan
        self.results.encodings = encodings
        self._loaded = time.monotonic() - self._begun
        sources = plan.images.pictures[:SHOWN]
        self.results.row("source", 0).add(self._count, sources)
        self._emit_row("source", 0, sources, {}, partial=False)

    def solved(self, task: Task, evaluations: int) -> None:
        """Count a chunk that is solved; `evaluations` is 0 when the cache had it."""
        chunk = task.chunk
        work = len(chunk.start) * expected_evaluations(chunk.solver, chunk.guidance.scale)
        self._done += work
        self._spent += work if evaluations else 0

    def chunk_done(self, task: Task, end: int) -> None:
        """Say how far the run is after a chunk; the last one of a row in any case."""
        batch = task.batch
        last = batch[-1][1].stop == self._count
        self.progress(task.chunk.direction, batch[0][0], end, force=last)

    def watcher(self, task: Task, end: int, levels: Sequence[float]) -> Watch:
        """Return the callback that reports the steps of a chunk through the σ `levels`."""
        batch, chunk, _ = task
        evaluations = expected_evaluations(chunk.solver, chunk.guidance.scale)
        earlier = now = 0.0  # evaluations of images in batches of this chunk

        def watch(step: Step) -> None:
            nonlocal earlier, now
            if self._cancelled():
                self._preview(task, end, step, last=True)
                raise Cancelled
            if step.step == 1:
                earlier += now
            now = len(step.z) * evaluations * fraction_done(step, levels, chunk.solver)
            at = step.step, len(levels) - 1
            self.progress(chunk.direction, batch[0][0], end, *at, earlier + now)
            self._preview(task, end, step)

        return watch

    def progress(
        self,
        stage: Stage,
        variant: int | None = None,
        end: int = 0,
        step: int = 0,
        steps: int = 0,
        under_way: float = 0.0,
        force: bool = False,
    ) -> None:
        """Send how far the run is, unless that was said a moment ago.

        `under_way`: evaluations of images in the chunk that is being solved.
        """
        now = time.monotonic()
        if not force and now - self._last_progress < PROGRESS_INTERVAL:
            return
        self._last_progress = now
        done, total = self._done + under_way, self.plan.evaluations * self._count
        spent = self._spent + under_way
        busy = now - self._begun - self._loaded
        self._send(
            Progress(
                id=self._order.id,
                stage=stage,
                variant=variant,
                end=end,
                step=step,
                steps=steps,
                evaluations=round(done / self._count),
                total=self.plan.evaluations,
                seconds_left=busy / spent * (total - done) if spent else None,
                images_per_second=done / self.plan.evaluations / busy if done else None,
                memory=memory_in_use(self._device),
            )
        )

    def add(
        self,
        kind: RowKind,
        row: int,
        places: range,
        images: Tensor,
        metrics: PerImage | None = None,
        end: int = 0,
    ) -> None:
        """Take more images of a row, which is sent when it is whole."""
        finished = self.results.row(kind, row, end)
        finished.add(len(images), _pixels(kind, images[: max(0, SHOWN - places.start)]), metrics)
        if places.stop == self._count:
            self._emit_row(kind, row, finished.pixels, finished.metrics, end, partial=False)

    def _preview(self, task: Task, end: int, step: Step, *, last: bool = False) -> None:
        """Show the emerging picture when it is time to, and the `last` one in any case."""
        rate, now = self._order.previews_per_second(), time.monotonic()
        if not rate or (now - self._last_preview < 1 / rate and not last):
            return
        self._last_preview = now
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
                pixels = [*self.results.row(kind, row, end).shown, _pixels(kind, part)]
                self._emit_row(kind, row, np.concatenate(pixels)[:SHOWN], {}, end, partial=True)

    def _emit_row(
        self,
        kind: RowKind,
        row: int,
        pixels: Pixels,
        metrics: PerImage,
        end: int = 0,
        *,
        partial: bool,
    ) -> None:
        missing = min(self._count, SHOWN) - len(pixels)
        if missing:  # chunks that are still to come are black
            pixels = np.pad(pixels, ((0, missing), (0, 0), (0, 0), (0, 0)))
        of_all = kind == "source" or (
            kind in ("edited_image", "latent") and self.plan.encodings == 1
        )
        self._send(
            Row.model_construct(
                id=self._order.id,
                kind=kind,
                variant=None if of_all else row,
                end=end if "intermediate" in kind else 0,
                columns=len(pixels),
                png=strip_png(pixels),
                partial=partial,
                metrics=summary(metrics),
                per_image={name: values[:SHOWN] for name, values in metrics.items()},
            )
        )


def fraction_done(step: Step, levels: Sequence[float], solver: Solver) -> float:
    """How much of the path through the σ `levels` is behind a step, 0 to 1."""
    if solver.evaluations is not None:
        return step.step / (len(levels) - 1)
    return log(step.sigma / levels[0]) / log(levels[-1] / levels[0])


def _pixels(kind: RowKind, images: Tensor) -> Pixels:
    if "latent" in kind:
        return latent_pixels(images.float().cpu().numpy())
    return to_pixels(images)
