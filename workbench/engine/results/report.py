"""A run's results as they come in, and the run directory that they become.

Pictures and latents are written as they come and only what is shown is kept, so that a run of any
length takes the same memory.
"""

import hashlib
import platform
import re
from collections import Counter
from collections.abc import Mapping
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
from ddib.bridge.bridge import batches
from ddib.checkpoints.checkpoint import Model, file_sha256
from ddib.data.sources import Pixels, to_pixels, to_tensor
from ddib.extensions import ORIGINS
from ddib.networks.probe import Probe
from workbench.engine.devices.device import device_name
from workbench.engine.planning.plan import Plan, short_titles
from workbench.engine.protocol.messages import Metrics, RowKind, Status
from workbench.engine.results.filmstrip import filmstrip
from workbench.engine.results.measure import PerImage, summary
from workbench.runs.contact_sheet import SheetRow, contact_sheet, save_sheet
from workbench.runs.curves import Swept, parameters
from workbench.runs.store import (
    FILMSTRIP,
    IMAGES,
    LATENT_SHARDS,
    LATENTS,
    POINTS,
    SESSION,
    SHEET,
    CheckpointUsed,
    InputUsed,
    IntermediateResult,
    Manifest,
    OperationUsed,
    VariantResult,
)
from workbench.session.paths import named_checkpoints, named_classifiers
from workbench.session.titles import end_titles
from workbench.session.writing import dump_session

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
    """What a run has finished so far, by kind of row, index of the variant, and end."""

    plan: Plan
    encodings: list[int]  # for each variant, the one whose encoding it shares
    checkpoints: dict[str, CheckpointUsed] = field(default_factory=dict)
    rows: dict[tuple[RowKind, int, int], Strip] = field(default_factory=dict)
    exact: set[int] = field(default_factory=set)  # variants that go back exactly the way they came

    def used(
        self, models: Mapping[Path, Model], probes: Mapping[Path, tuple[Path, Probe] | None]
    ) -> None:
        """Note the checkpoints that the run uses, and the probes that judge their pictures."""
        for key, name in named_checkpoints(self.plan.session).items():
            model = models[self.plan.checkpoints[name].path]
            role = key.replace(".checkpoint", "")
            facts = model.name, model.path, model.sha256, str(model.evaluation)
            self.checkpoints[role] = _used(*facts)
        for role, name in named_classifiers(self.plan.session).items():
            path = self.plan.classifiers[name].path
            self.checkpoints[role] = _used(path.stem, path, file_sha256(path), "float32")
        judges = dict.fromkeys(probe[0] for probe in probes.values() if probe is not None)
        for number, path in enumerate(judges):
            role = f"probe.{number}" if len(judges) > 1 else "probe"
            self.checkpoints[role] = _used(path.stem, path, file_sha256(path), "float32")

    def row(self, kind: RowKind, index: int, end: int = 0) -> Strip:
        """A row, empty when there is nothing of it yet; the results' end is the last."""
        end = self.plan.links if kind == "result" else end
        return self.rows.setdefault((kind, index, end), Strip())

    def pictures(self, index: int) -> dict[int, Strip]:
        """What the ends after the source have decoded of a variant, those that are whole."""
        last, count = self.plan.links, len(self.plan.images.names)
        strips = {
            end: self.row("result" if end == last else "intermediate", index, end)
            for end in range(1, last + 1)
        }
        return {end: strip for end, strip in strips.items() if strip.count == count}

    @property
    def reached(self) -> list[int]:
        """The variants that an end after the source has decoded all images of."""
        return [index for index in range(len(self.plan.variants)) if self.pictures(index)]

    @property
    def finished(self) -> list[int]:
        """The variants all of whose results are there."""
        return [index for index in self.reached if self.plan.links in self.pictures(index)]

    def variant_metrics(self) -> list[Metrics]:
        """The figures of the variants that are reached, in their order."""
        return [self._figures(index) for index in self.reached]

    def _figures(self, index: int) -> Metrics:
        return summary(self._per_image(index))

    def _per_image(self, index: int) -> PerImage:
        result = self.pictures(index).get(self.plan.links, Strip())
        return (
            self.row("latent", self.encodings[index]).metrics
            | self.row("edited_latent", index).metrics
            | result.metrics
        )

    def _variant_result(self, index: int) -> VariantResult:
        plan, pictures = self.plan, self.pictures(index)
        places = range(len(plan.images.names))
        titles = [end.title for end in plan.ends(plan.variants[index])]
        files = {
            end: [picture_name(plan, index, end, place) for place in places] for end in pictures
        }
        return VariantResult(
            values=plan.variants[index].values,
            label=plan.variants[index].label,
            cycle="exact" if index in self.exact else "free",
            metrics=self._figures(index),
            per_image=self._per_image(index),
            images=files.get(plan.links, []),
            intermediates=[
                IntermediateResult(
                    end=end,
                    title=titles[end],
                    metrics=summary(figures),
                    per_image=figures,
                    images=files[end],
                )
                for end, strip in pictures.items()
                if end < plan.links
                for figures in [strip.metrics | self._moments(index, end)]
            ],
        )

    def _moments(self, index: int, end: int) -> PerImage:
        """The figures of what an end encoded again, where it is whole."""
        latent = self.row("intermediate_latent", index, end)
        return latent.metrics if latent.count == len(self.plan.images.names) else {}

    def manifest(self, ending: Ending) -> Manifest:
        """What the run directory says about itself."""
        plan = self.plan
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
            operations=_operations_used(plan),
            inputs=[
                InputUsed(name=name, sha256=hashlib.sha256(pixels.tobytes()).hexdigest())
                for name, pixels in zip(plan.images.names, plan.images.pixels, strict=True)
            ],
            nfe=ending.nfe,
            seconds=ending.seconds,
            cache=ending.cache,
            variants=[self._variant_result(index) for index in self.reached],
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
        for index in self.reached:
            *outer, label = self.plan.variants[index].label.split(", ")
            block, encoding = ", ".join(outer), self.encodings[index]
            if encoding not in shown:
                shown.add(encoding)
                rows += self._encoding_rows(encoding, block)
            edited = self.rows.get(("edited_latent", index, 0))
            if edited is not None:
                name = f"{label} latent" if label != "result" else "edited latent"
                note = _moments(summary(edited.metrics), "edited_latent")
                rows.append(SheetRow(name, edited.pixels, note, block))
            rows += self._picture_rows(index, label, block, joined=edited is not None)
        return rows

    def _encoding_rows(self, index: int, block: str) -> list[SheetRow]:
        latent = self.row("latent", index)
        note = _moments(summary(latent.metrics), "latent")
        rows = [SheetRow("latent", latent.pixels, note, block)]
        edited = self.rows.get(("edited_image", index, 0))
        if edited is not None:
            rows.insert(0, SheetRow("edited image", edited.pixels, "", block))
        return rows

    def _picture_rows(self, index: int, label: str, block: str, joined: bool) -> list[SheetRow]:
        """What each end after the source made of a variant, and between two of them its latents."""
        rows = []
        names = short_titles(self.plan.ends(self.plan.variants[index]))
        for end, strip in self.pictures(index).items():
            if self.plan.links > 1:
                name = f"› {names[end]}" if label == "result" else f"{label} › {names[end]}"
            else:
                name = label
            rows.append(SheetRow(name, strip.pixels, self._note(index, end), block, joined=joined))
            latent = self.rows.get(("intermediate_latent", index, end))
            if latent is not None and latent.count == strip.count:
                note = _moments(summary(latent.metrics), "latent")
                rows.append(SheetRow("its latent", latent.pixels, note, block, joined=True))
            joined = False
        return rows

    def _note(self, index: int, end: int) -> str:
        """What the figures of an end's pictures say, in words."""
        figures = summary(self.pictures(index)[end].metrics)
        passed = self.plan.ends(self.plan.variants[index])[end]
        places = range(len(self.plan.images.names))
        wanted = {*self.plan.wanted(passed, places)}
        parts = []
        if "target_accuracy" in figures:
            if len(wanted) > 1:
                what = "are their own"
            elif len(passed.facts.labels) == 1:
                what = passed.facts.domain.split()[-1]
            else:
                what = f"are {wanted.pop()}"
            parts.append(f"{round(figures['target_accuracy'] * len(places))}/{len(places)} {what}")
        if "hue_error_median" in figures:
            parts.append(f"hue {figures['hue_error_median']:.0f}°")
        if "cycle_psnr" in figures:
            parts.append(f"{figures['cycle_psnr']:.1f} dB")
        elif "cycle_l2_mean" in figures:
            parts.append(f"cycle L2 {figures['cycle_l2_mean']:.2g}")
        if "ot_mse" in figures:
            parts.append(f"OT MSE {figures['ot_mse']:.2g}")
        return "  ".join(parts)

    def subtitle(self) -> str:
        """Ends and solver in a line."""
        session = self.plan.session
        solver = self.plan.variants[0].solver
        facts = [" → ".join(end_titles(session)), f"{solver.name} on {solver.grid} grid"]
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
        self._points: dict[tuple[int, int], list[Tensor]] = {}  # by variant and end
        (folder / IMAGES).mkdir()
        if len(plan.variants) > 1:  # what draws their curves takes a while to load
            Thread(target=import_module, args=["workbench.runs.plots"]).start()

    def pictures(self, index: int, end: int, places: range, images: Tensor) -> None:
        """What an end has decoded of a variant at some places, as PNG; points as they are too."""
        if self._plan.points:
            self._points.setdefault((index, end), []).append(images.cpu())
        for place, image in zip(places, to_pixels(images), strict=True):
            name = picture_name(self._plan, index, end, place)
            Image.fromarray(image.squeeze()).save(self._folder / IMAGES / name)

    def latents(self, kind: RowKind, index: int | None, z: Tensor, end: int = 0) -> None:
        """The next latents of a row; `index` is None where the run has one such row only."""
        kind_at = f"{kind}-{end}" if end else kind
        name = kind_at if index is None else f"{kind_at}.{index:03d}"
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
            self._write_points(report)
        for kind, index, end in list(report.rows):
            if kind in ("intermediate", "result") and end not in report.pictures(index):
                for place in range(report.row(kind, index, end).count):
                    (self._folder / IMAGES / picture_name(self._plan, index, end, place)).unlink()
        title = self._plan.session.title or self._plan.name
        sheet = contact_sheet(report.sheet_rows(), title, subtitle=report.subtitle())
        save_sheet(sheet, self._folder / SHEET, session)
        films, heads = filmstrip(report)
        if films:
            strip = contact_sheet(films, title, subtitle=report.subtitle(), heads=heads)
            save_sheet(strip, self._folder / FILMSTRIP, session)
        if parameters(sweep := report.sweep()):
            from workbench.runs.plots import save_plots

            save_plots(sweep, self._folder, title, report.subtitle())

    def _write_points(self, report: Report) -> None:
        """The points themselves: `source`, `intermediate-1` and so on in a chain, and `result`;
        of several variants `result.000` and so on."""
        several, last = len(self._plan.variants) > 1, self._plan.links
        found = {"source": to_tensor(self._plan.images.pixels)}
        for (index, end), parts in self._points.items():
            if end in report.pictures(index):
                name = "result" if end == last else f"intermediate-{end}"
                found[f"{name}.{index:03d}" if several else name] = torch.cat(parts)
        _save_latents(found, self._folder / POINTS)

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


def picture_name(plan: Plan, index: int, end: int, place: int) -> str:
    """The file of what an end has made, in order of variants and images, without blanks."""
    variant = plan.variants[index]
    through = f"-end-{end}-{plan.ends(variant)[end].title}" if end < plan.links else ""
    label = re.sub(r"[^\w.+-]+", "-", f"{variant.label}{through}").strip("-")
    return f"{index:03d}-{label}-{place:05d}.png"


def _size(parts: list[Tensor]) -> int:
    return sum(z.nbytes for z in parts)


def _save_latents(tensors: dict[str, Tensor], path: Path) -> None:
    save_file(tensors, path)
    path.chmod(0o644)  # safetensors writes for the owner alone


def _used(name: str, path: Path, sha256: str, evaluation: str) -> CheckpointUsed:
    return CheckpointUsed(name=name, path=str(path), sha256=sha256, evaluation=evaluation)


def _operations_used(plan: Plan) -> dict[str, OperationUsed]:
    """The operations of the variants that are not ddib's own."""
    used = {one.op for variant in plan.variants for one in (*variant.image, *variant.latent)}
    return {
        name: OperationUsed(source=origin.name, sha256=origin.sha256)
        for name, origin in ORIGINS.items()
        if name in used
    }


def _moments(figures: Metrics, prefix: str) -> str:
    parts = [f"std {figures[f'{prefix}_std']:.2f}"] if f"{prefix}_std" in figures else []
    if f"{prefix}_kurtosis" in figures:
        parts.append(f"kurtosis {figures[f'{prefix}_kurtosis']:.1f}")
    return "  ".join(parts)
