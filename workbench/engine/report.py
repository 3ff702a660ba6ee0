"""A run's results as they come in, and the run directory that they become.

Pictures and latents are written as they come and only what is shown is kept, so that a run of any
length takes the same memory.
"""

import hashlib
import platform
import re
from collections import Counter
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from threading import Thread
from typing import Literal

import numpy as np
import torch
from PIL import Image
from safetensors.torch import save_file
from torch import Tensor

import ddib
from ddib.bridge import batches
from ddib.checkpoints import Model, file_sha256
from ddib.datasets import Pixels, to_pixels, to_tensor
from ddib.probe import Probe
from workbench.curves import Swept, parameters
from workbench.engine.device import device_name
from workbench.engine.measure import PerImage, summary
from workbench.engine.messages import Metrics, RowKind, Status
from workbench.engine.plan import Plan
from workbench.figures import SheetRow, contact_sheet, save_sheet
from workbench.runs import (
    IMAGES,
    LATENT_SHARDS,
    LATENTS,
    POINTS,
    SESSION,
    SHEET,
    CheckpointUsed,
    InputUsed,
    Manifest,
    VariantResult,
)
from workbench.session import dump_session

SHOWN = 64  # images a row of pictures has at most
WHOLE = 16 * 2**20  # bytes of latents that go into one file
SHARD = 4 * 2**20  # bytes of each file's latents when there are more


@dataclass(frozen=True)
class Ending:
    """How a run ended and what it took."""

    status: Status
    error: str | None
    device: torch.device
    nfe: dict[str, int]
    seconds: dict[str, float]
    cache: dict[str, Literal["hit", "miss"]]
    chunk: int
    notes: list[str]


@dataclass
class Strip:
    """A row of images as it grows: the pixels that are shown and the metrics of all of them."""

    count: int = 0
    shown: list[Pixels] = field(default_factory=list)
    metrics: PerImage = field(default_factory=dict)

    def add(self, count: int, pixels: Pixels, metrics: PerImage | None = None) -> None:
        """`count` more images; `pixels` are those of the first ones, as many as are shown."""
        self.count += count
        self.shown.append(pixels)
        for name, values in (metrics or {}).items():
            self.metrics.setdefault(name, []).extend(values)

    @property
    def pixels(self) -> Pixels:
        """The first 64 images."""
        return np.concatenate(self.shown)[:SHOWN]


@dataclass
class Report:
    """What a run has finished so far, by kind of row and index of the variant.

    finished: the variants all of whose images are decoded.
    """

    plan: Plan
    encodings: list[int]  # for each variant, the one whose encoding it shares
    checkpoints: dict[Literal["source", "target", "probe"], CheckpointUsed] = field(
        default_factory=dict
    )
    rows: dict[tuple[RowKind, int], Strip] = field(default_factory=dict)
    finished: list[int] = field(default_factory=list)
    exact: set[int] = field(default_factory=set)  # variants that go back exactly the way they came

    def used(self, source: Model, target: Model, probe: tuple[Path, Probe] | None) -> None:
        """Note the checkpoints that the run uses."""
        self.checkpoints = {
            "source": _used(source.name, source.path, source.sha256, str(source.evaluation)),
            "target": _used(target.name, target.path, target.sha256, str(target.evaluation)),
        }
        if probe is not None:
            path = probe[0]
            self.checkpoints["probe"] = _used(path.stem, path, file_sha256(path), "float32")

    def row(self, kind: RowKind, index: int) -> Strip:
        """A row, empty when there is nothing of it yet."""
        return self.rows.setdefault((kind, index), Strip())

    def variant_metrics(self) -> list[Metrics]:
        """The figures of the variants that are finished, in their order."""
        return [self._figures(index) for index in self.finished]

    def _figures(self, index: int) -> Metrics:
        return summary(self._per_image(index))

    def _per_image(self, index: int) -> PerImage:
        return (
            self.row("latent", self.encodings[index]).metrics
            | self.row("edited_latent", index).metrics
            | self.row("result", index).metrics
        )

    def manifest(self, ending: Ending) -> Manifest:
        """What the run directory says about itself."""
        plan = self.plan
        count = len(plan.images.names)
        return Manifest(
            session=plan.name,
            title=plan.session.title,
            status=ending.status,
            error=ending.error,
            device=ending.device.type,
            device_name=device_name(ending.device),
            dtype=self.checkpoints["source"].evaluation.split()[0],
            threads=torch.get_num_threads(),
            chunk_size=ending.chunk,
            versions={
                "ddib-workbench": ddib.__version__,
                "torch": torch.__version__,
                "numpy": np.__version__,
                "python": platform.python_version(),
            },
            checkpoints=self.checkpoints,
            inputs=[
                InputUsed(name=name, sha256=hashlib.sha256(pixels.tobytes()).hexdigest())
                for name, pixels in zip(plan.images.names, plan.images.pixels, strict=True)
            ],
            nfe=ending.nfe,
            seconds=ending.seconds,
            cache=ending.cache,
            variants=[
                VariantResult(
                    values=plan.variants[index].values,
                    label=plan.variants[index].label,
                    cycle="exact" if index in self.exact else "free",
                    metrics=self._figures(index),
                    per_image=self._per_image(index),
                    images=[image_name(plan, index, place) for place in range(count)],
                )
                for index in self.finished
            ],
            notes=ending.notes,
        )

    def sweep(self) -> list[Swept]:
        """The variants that are finished, as points of curves."""
        variants = self.plan.variants
        return [
            Swept(variants[index].values, variants[index].label, self._figures(index))
            for index in self.finished
        ]

    # ---- the contact sheet

    def sheet_rows(self) -> list[SheetRow]:
        """Source, then edited image and latent of each encoding, then the variants' rows."""
        rows = [SheetRow("source", self.plan.images.pictures[:SHOWN])]
        shown: set[int] = set()
        for index in self.finished:
            *outer, label = self.plan.variants[index].label.split(", ")
            block, encoding = ", ".join(outer), self.encodings[index]
            if encoding not in shown:
                shown.add(encoding)
                rows += self._encoding_rows(encoding, block)
            edited = self.rows.get(("edited_latent", index))
            if edited is not None:
                name = f"{label} latent" if label != "result" else "edited latent"
                note = _moments(summary(edited.metrics), "edited_latent")
                rows.append(SheetRow(name, edited.pixels, note, block))
            results = self.row("result", index).pixels
            joined = edited is not None
            rows.append(SheetRow(label, results, self._note(index), block, joined=joined))
        return rows

    def _encoding_rows(self, index: int, block: str) -> list[SheetRow]:
        latent = self.row("latent", index)
        note = _moments(summary(latent.metrics), "latent")
        rows = [SheetRow("latent", latent.pixels, note, block)]
        edited = self.rows.get(("edited_image", index))
        if edited is not None:
            rows.insert(0, SheetRow("edited image", edited.pixels, "", block))
        return rows

    def _note(self, index: int) -> str:
        figures = self._figures(index)
        wanted = self.plan.target.facts.wanted_label(self.plan.variants[index].target_label)
        count = len(self.plan.images.names)
        parts = []
        if "target_accuracy" in figures:
            domain = self.plan.target.facts
            what = domain.domain.split()[-1] if len(domain.labels) == 1 else f"are {wanted}"
            parts.append(f"{round(figures['target_accuracy'] * count)}/{count} {what}")
        if "hue_error_median" in figures:
            parts.append(f"hue {figures['hue_error_median']:.0f}°")
        if "cycle_psnr" in figures:
            parts.append(f"{figures['cycle_psnr']:.1f} dB")
        if "cycle_l2_mean" in figures:
            parts.append(f"cycle L2 {figures['cycle_l2_mean']:.2g}")
        if "ot_mse" in figures:
            parts.append(f"OT MSE {figures['ot_mse']:.2g}")
        return "  ".join(parts)

    def subtitle(self) -> str:
        """Ends and solver in a line."""
        session = self.plan.session
        solver = self.plan.variants[0].solver
        ends = (self.plan.source.path.stem, self.plan.target.path.stem)
        labels = (session.source.label, session.target.label)
        shown = [
            name if label is None else f"{name} ({_words(label)})"
            for name, label in zip(ends, labels, strict=True)
        ]
        facts = [f"{shown[0]} → {shown[1]}", f"{solver.name} on {solver.grid} grid"]
        if not isinstance(session.solver.steps, tuple):
            facts.append(f"{solver.steps} steps each way")
        if solver.start_noise and not isinstance(session.solver.start_noise, tuple):
            facts.append(f"start noise {solver.start_noise:g}")
        if solver.clip:
            facts.append("clipped while decoding")
        return "; ".join(facts)


class RunFiles:
    """The pictures and latents of a run directory, written as they come."""

    def __init__(self, folder: Path, plan: Plan):
        self._folder = folder
        self._plan = plan
        self._waiting: dict[str, list[Tensor]] = {}  # latents that are not yet in a file
        self._written: Counter[str] = Counter()  # images of a name that are
        self._points: dict[int, list[Tensor]] = {}  # results by their variant
        (folder / IMAGES).mkdir()
        if len(plan.variants) > 1:  # what draws their curves takes a while to load
            Thread(target=import_module, args=["workbench.plots"]).start()

    def results(self, index: int, places: range, images: Tensor) -> None:
        """Results of a variant at some places, as PNG; points are kept for a file as well."""
        if self._plan.points:
            self._points.setdefault(index, []).append(images.cpu())
        for place, image in zip(places, to_pixels(images), strict=True):
            name = image_name(self._plan, index, place)
            Image.fromarray(image.squeeze()).save(self._folder / IMAGES / name)

    def latents(self, kind: RowKind, index: int | None, z: Tensor) -> None:
        """The next latents of a row; `index` is None where the run has one such row only."""
        name = kind if index is None else f"{kind}.{index:03d}"
        self._waiting.setdefault(name, []).append(z.cpu())
        if self._written or sum(map(_size, self._waiting.values())) > WHOLE:
            for each in list(self._waiting):
                self._write_shards(each)

    def close(self, report: Report) -> None:
        """Write what is still waiting, and what tells of the whole; raises OSError."""
        session = dump_session(self._plan.session)
        (self._folder / SESSION).write_text(session, "utf-8")
        if self._written:
            for name in list(self._waiting):
                self._write_shards(name, rest=True)
        else:
            whole = {name: torch.cat(parts) for name, parts in self._waiting.items()}
            _save_latents(whole, self._folder / LATENTS)
        if self._plan.points:
            self._write_points(report.finished)
        for index in set(range(len(self._plan.variants))) - set(report.finished):
            for place in range(report.row("result", index).count):
                (self._folder / IMAGES / image_name(self._plan, index, place)).unlink()
        title = self._plan.session.title or self._plan.name
        sheet = contact_sheet(report.sheet_rows(), title, subtitle=report.subtitle())
        save_sheet(sheet, self._folder / SHEET, session)
        if parameters(sweep := report.sweep()):
            from workbench.plots import save_plots

            save_plots(sweep, self._folder, title, report.subtitle())

    def _write_points(self, finished: list[int]) -> None:
        """The points themselves: `source`, and `result`, or `result.000` and so on of several."""
        several = len(self._plan.variants) > 1
        results = {
            f"result.{index:03d}" if several else "result": torch.cat(self._points[index])
            for index in finished
        }
        source = to_tensor(self._plan.images.pixels)
        _save_latents({"source": source, **results}, self._folder / POINTS)

    def _write_shards(self, name: str, rest: bool = False) -> None:
        if _size(self._waiting[name]) < SHARD and not rest:
            return
        whole = torch.cat(self._waiting.pop(name))
        images = max(1, SHARD // whole[0].nbytes)
        folder = self._folder / LATENT_SHARDS
        folder.mkdir(exist_ok=True)
        for at in batches(len(whole), images):
            part = whole[at.start : at.stop].clone()
            if len(part) < images and not rest:
                self._waiting[name] = [part]
                return
            path = folder / f"{name}.{self._written[name]:07d}.safetensors"
            _save_latents({name: part}, path)
            self._written[name] += len(part)


def image_name(plan: Plan, index: int, place: int) -> str:
    """The file of a variant's result, in order of variants and images, without blanks."""
    label = re.sub(r"[^\w.+-]+", "-", plan.variants[index].label).strip("-")
    return f"{index:03d}-{label}-{place:05d}.png"


def _words(label: object) -> str:
    """A label, or those of a sweep."""
    return " ".join(map(str, label)) if isinstance(label, tuple) else str(label)


def _size(parts: list[Tensor]) -> int:
    return sum(z.nbytes for z in parts)


def _save_latents(tensors: dict[str, Tensor], path: Path) -> None:
    save_file(tensors, path)
    path.chmod(0o644)  # safetensors writes for the owner alone


def _used(name: str, path: Path, sha256: str, evaluation: str) -> CheckpointUsed:
    return CheckpointUsed(name=name, path=str(path), sha256=sha256, evaluation=evaluation)


def _moments(figures: Metrics, prefix: str) -> str:
    parts = [f"std {figures[f'{prefix}_std']:.2f}"] if f"{prefix}_std" in figures else []
    if f"{prefix}_kurtosis" in figures:
        parts.append(f"kurtosis {figures[f'{prefix}_kurtosis']:.1f}")
    return "  ".join(parts)
