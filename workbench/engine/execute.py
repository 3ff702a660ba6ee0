"""Running a session: encode, edit, decode, measure, write; the same for `replay` and the screen."""

import logging
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from ddib.bridge import CHUNK, decode_chunk, encode_chunk
from ddib.cache import Cache
from ddib.checkpoints import Model, load, load_probe
from ddib.datasets import to_pixels, to_tensor
from ddib.errors import Cancelled, InputError, RunError
from ddib.operations import Context
from ddib.probe import Probe
from ddib.recipe import apply_operations
from ddib.solvers import Step
from workbench.engine import measure
from workbench.engine.messages import (
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
from workbench.engine.plan import Plan, encoding_key
from workbench.engine.report import SHOWN, Decoding, Encoding, Ending, Report, latent_pixels
from workbench.figures import strip_png
from workbench.library import list_checkpoints
from workbench.runs import SHEET, new_run
from workbench.session import Variant

PROGRESS_INTERVAL = 0.05  # seconds between messages about progress

log = logging.getLogger(__name__)

Listen = Callable[[Message], None]


@dataclass(frozen=True)
class Order:
    """How a plan is to be run."""

    id: str = ""
    store: Path | None = None  # where the run directory goes; None: nothing is written
    run_name: str = "untitled"
    previews_per_second: float = 0.0


class Engine:
    """What outlives a run: the device, the loaded models, the probe and the cache."""

    def __init__(
        self,
        device: str = "auto",
        *,
        cache_folder: Path | None = None,
        checkpoints: Sequence[Path] = (),
        chunk: int = CHUNK,
    ):
        self.device = pick_device(device)
        self.cache = Cache(cache_folder)
        self.chunk = chunk
        self.checkpoints = tuple(checkpoints)
        self._models: dict[tuple[Path, int], Model] = {}
        self._probes: dict[Path, Probe] = {}
        torch.backends.cudnn.deterministic = True
        torch.backends.cudnn.allow_tf32 = False

    def model(self, path: Path) -> Model:
        """The checkpoint in a file, loaded once for as long as the file stays the same.

        Raises InputError when it is damaged.
        """
        try:
            key = (path, path.stat().st_mtime_ns)
        except OSError as error:
            raise InputError(f"{path}: cannot be read ({error.strerror})") from error
        if key not in self._models:
            self._models[key] = load(path, str(self.device))
        return self._models[key]

    def probe_for(self, plan: Plan) -> tuple[Path, Probe] | None:
        """A classifier of the library for the target's kind of pictures, if there is one."""
        facts = plan.target.facts
        family = facts.domain.split(" ")[0]
        for listed in list_checkpoints(self.checkpoints):
            probe = listed.facts
            if (
                probe is not None
                and probe.kind == "probe"
                and probe.domain.split(" ")[0] == family
                and (probe.image_size, probe.channels) == (facts.image_size, facts.channels)
                and set(facts.labels) <= set(probe.labels)
            ):
                if listed.path not in self._probes:
                    self._probes[listed.path] = load_probe(listed.path, str(self.device))
                return listed.path, self._probes[listed.path]
        return None

    def check(self, plan: Plan) -> None:
        """Load what a plan needs; raises InputError for damaged checkpoints."""
        self.model(plan.source.path)
        self.model(plan.target.path)

    def run(
        self,
        plan: Plan,
        order: Order,
        listen: Listen = lambda _: None,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> Finished:
        """Run a plan; what happens is told to `listen`, the end is returned.

        `cancelled` is asked after every solver step. Whole rows that were finished before a
        cancel or a failure are kept in the run directory, which is marked so. Raises nothing
        that the user can cause.
        """
        return _Run(self, plan, order, listen, cancelled).run()


def pick_device(name: str) -> torch.device:
    """`auto` is the first GPU there is, else the CPU; raises InputError for one that is not."""
    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError) as error:
        raise InputError(f"--device {name}: {str(error).splitlines()[0]}") from error
    return device


@dataclass
class _Run:
    engine: Engine
    plan: Plan
    order: Order
    listen: Listen
    cancelled: Callable[[], bool]
    seconds: dict[str, float] = field(
        default_factory=lambda: {"load": 0.0, "encode": 0.0, "decode": 0.0}
    )
    nfe: dict[str, int] = field(default_factory=lambda: {"encode": 0, "decode": 0})
    done: int = 0  # chunk evaluations, those that the cache spared included
    spent: int = 0  # chunk evaluations really made
    last_progress: float = 0.0
    last_preview: float = 0.0

    def run(self) -> Finished:
        self.begun = time.monotonic()
        self.report = Report(self.plan)
        log.info("%s: %d images", self.plan.name, len(self.plan.images.names))
        error: str | None = None
        status: Status = "done"
        try:
            self._run()
        except Cancelled:
            status, error = "cancelled", "cancelled; finished rows are kept"
        except (RunError, InputError) as failure:
            status, error = "failed", str(failure)
        except torch.cuda.OutOfMemoryError:
            status, error = "failed", "the GPU is out of memory; use fewer images at a time"
        except MemoryError:
            status, error = "failed", "out of memory; use fewer images"
        self.seconds["total"] = time.monotonic() - self.begun
        return self._finish(status, error)

    def _run(self) -> None:
        engine, plan = self.engine, self.plan
        variants = [VariantInfo(values=v.values, label=v.label) for v in plan.variants]
        self.listen(
            Started(
                id=self.order.id,
                images=len(plan.images.names),
                names=list(plan.images.names[:SHOWN]),
                variants=variants,
                evaluations=plan.evaluations,
            )
        )
        self._progress("load", None, 0, 0, force=True)
        self.source = engine.model(plan.source.path)
        self.target = engine.model(plan.target.path)
        self.probe = engine.probe_for(plan)
        self.report.used(self.source, self.target, self.probe)
        self.seconds["load"] = time.monotonic() - self.begun
        images = to_tensor(plan.images.pixels).to(engine.device)
        self.images = torch.split(images, engine.chunk)
        self._row("source", None, self.images)

        first: dict[str, int] = {}  # the variant whose encoding the others share
        for index, variant in enumerate(plan.variants):
            shared = first.setdefault(encoding_key(variant), index)
            if shared == index:
                self._encode(variant, index)
            self._decode(variant, index, shared)

    # ---- the two directions

    def _encode(self, variant: Variant, index: int) -> None:
        begun, started = time.monotonic(), self.seconds["encode"]
        shared = index if self.plan.encodings > 1 else None
        edited = [
            apply_operations(variant.image, chunk, Context(chunk, start, "image"))
            for start, chunk in self._chunks(self.images)
        ]
        if variant.image:
            self._row("edited_image", shared, edited)
        latents: list[Tensor] = []
        most = 0
        for start, chunk in self._chunks(edited):
            watch = self._watcher("encode", "latent", shared, index, variant, latents)
            label = self.plan.session.source.label
            latent, spent = encode_chunk(
                chunk,
                self.source,
                variant.solver,
                self.source.facts.check_label(label),
                start,
                cache=self.engine.cache,
                watch=watch,
            )
            latents.append(latent)
            most = max(most, spent)
            self._count(variant, spent)
        self.nfe["encode"] += most
        whole = torch.cat(latents)
        metrics = measure.latents(whole, "latent")
        self._row("latent", shared, latents, metrics)
        self.report.encodings[index] = Encoding(
            whole.cpu(), metrics, torch.cat(edited).cpu() if variant.image else None
        )
        self.seconds["encode"] = started + time.monotonic() - begun

    def _decode(self, variant: Variant, index: int, shared: int) -> None:
        begun, started = time.monotonic(), self.seconds["decode"]
        encoded = torch.split(
            self.report.encodings[shared].latents.to(self.engine.device), self.engine.chunk
        )
        latents = [
            apply_operations(variant.latent, latent, Context(self.images[place], start, "latent"))
            for place, (start, latent) in enumerate(self._chunks(encoded))
        ]
        if not all(bool(latent.isfinite().all()) for latent in latents):
            raise RunError(
                f"{variant.label}: the recipe made NaN or infinite values of the latent; "
                "tame its factors"
            )
        metrics: measure.PerImage = {}
        if variant.latent:
            metrics = measure.latents(torch.cat(latents), "edited_latent")
            self._row("edited_latent", index, latents, metrics)
        results: list[Tensor] = []
        most = 0
        for latent in latents:
            watch = self._watcher("decode", "result", index, index, variant, results)
            result, spent = decode_chunk(
                latent,
                self.target,
                variant.solver,
                self.target.facts.check_label(variant.target_label),
                cache=self.engine.cache,
                watch=watch,
            )
            results.append(result)
            most = max(most, spent)
            self._count(variant, spent)
        self.nfe["decode"] += most
        self._progress("measure", index, 0, 0, force=True)
        metrics = metrics | measure.results(
            torch.cat(results),
            torch.cat(list(self.images)),
            wanted=self.target.facts.wanted_label(variant.target_label),
            probe=self.probe[1] if self.probe else None,
            cycle=self.plan.is_cycle(variant),
        )
        self._row("result", index, results, metrics)
        self.report.decodings[index] = Decoding(
            shared,
            to_pixels(torch.cat(results)),
            metrics,
            torch.cat(latents).cpu() if variant.latent else None,
        )
        self.seconds["decode"] = started + time.monotonic() - begun

    # ---- telling what happens

    def _watcher(
        self,
        stage: Stage,
        kind: RowKind,
        row: int | None,
        index: int,
        variant: Variant,
        finished: Sequence[Tensor],
    ) -> Callable[[Step], None]:
        evaluations = variant.solver.evaluations // variant.solver.steps

        def watch(step: Step) -> None:
            if self.cancelled():
                raise Cancelled
            self._progress(stage, index, step.step, variant.solver.steps, step.step * evaluations)
            rate = self.order.previews_per_second
            if rate and time.monotonic() - self.last_preview >= 1 / rate:
                now = step.z if kind == "latent" else step.denoised
                self._row(kind, row, [*finished, now], partial=True)
                self.last_preview = time.monotonic()

        if self.cancelled():
            raise Cancelled
        return watch

    def _count(self, variant: Variant, spent: int) -> None:
        self.done += variant.solver.evaluations
        self.spent += spent

    def _progress(
        self,
        stage: Stage,
        variant: int | None,
        step: int,
        steps: int,
        evaluations: int = 0,
        force: bool = False,
    ) -> None:
        now = time.monotonic()
        if not force and step != steps and now - self.last_progress < PROGRESS_INTERVAL:
            return
        self.last_progress = now
        chunks = -(-len(self.plan.images.names) // self.engine.chunk)
        done, total = self.done + evaluations, self.plan.evaluations * chunks
        spent = self.spent + evaluations
        busy = now - self.begun - self.seconds["load"]
        self.listen(
            Progress(
                id=self.order.id,
                stage=stage,
                variant=variant,
                step=step,
                steps=steps,
                evaluations=done // chunks,
                total=self.plan.evaluations,
                seconds_left=busy / spent * (total - done) if spent else None,
            )
        )

    def _row(
        self,
        kind: RowKind,
        variant: int | None,
        chunks: Iterable[Tensor],
        metrics: measure.PerImage | None = None,
        partial: bool = False,
    ) -> None:
        tensor = torch.cat(list(chunks))
        pixels = latent_pixels(tensor) if "latent" in kind else to_pixels(tensor)
        missing = len(self.plan.images.names) - len(pixels)
        if missing:  # chunks that are still to come are black
            pixels = np.pad(pixels, ((0, missing), (0, 0), (0, 0), (0, 0)))
        metrics = metrics or {}
        self.listen(
            Row.model_construct(
                id=self.order.id,
                kind=kind,
                variant=variant,
                columns=len(pixels[:SHOWN]),
                png=strip_png(pixels[:SHOWN]),
                partial=partial,
                metrics=measure.summary(metrics),
                per_image={name: values[:SHOWN] for name, values in metrics.items()},
            )
        )

    def _chunks(self, parts: Sequence[Tensor]) -> list[tuple[int, Tensor]]:
        return [(place * self.engine.chunk, part) for place, part in enumerate(parts)]

    # ---- the end

    def _finish(self, status: Status, error: str | None) -> Finished:
        run = None
        reached = {"encode": self.report.encodings, "decode": self.report.decodings}
        cache: dict[str, Literal["hit", "miss"]] = {
            name: "miss" if count else "hit" for name, count in self.nfe.items() if reached[name]
        }
        seconds = {name: round(value, 3) for name, value in self.seconds.items()}
        ending = Ending(
            status, error, self.engine.device, self.nfe, seconds, cache, self.engine.chunk
        )
        if self.order.store is not None and self.report.decodings:
            self._progress("write", None, 0, 0, force=True)
            try:
                with new_run(self.order.store, self.order.run_name) as new:
                    self.report.write(new, ending)
                run = new.path
            except (RunError, InputError) as failure:
                status, error = "failed", str(failure)
        log.info("%s: %s in %.1f s: %s", self.plan.name, status, seconds["total"], error or run)
        return Finished(
            id=self.order.id,
            status=status,
            error=error,
            run=str(run) if run else None,
            sheet=str(run / SHEET) if run else None,
            metrics=self.report.variant_metrics(),
            nfe=self.nfe,
            seconds=seconds,
            cache=cache,
        )
