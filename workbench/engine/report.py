"""A run's results as they come in, and the run directory that they become."""

import hashlib
import platform
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from PIL import Image
from safetensors.torch import save_file
from torch import Tensor

import ddib
from ddib.bridge import CHUNK
from ddib.checkpoints import Model, file_sha256
from ddib.datasets import Pixels, to_pixels
from ddib.probe import Probe
from workbench.engine.measure import PerImage, summary
from workbench.engine.messages import Metrics, Status
from workbench.engine.plan import Plan
from workbench.figures import SheetRow, contact_sheet, save_sheet
from workbench.runs import (
    IMAGES,
    LATENTS,
    SESSION,
    SHEET,
    CheckpointUsed,
    InputUsed,
    Manifest,
    NewRun,
    VariantResult,
)
from workbench.session import dump_session

SHOWN = 64  # images a row of pictures has at most
LATENT_RANGE = 2.5  # standard deviations of a latent from black to white


@dataclass(frozen=True)
class Ending:
    """How a run ended and what it took."""

    status: Status
    error: str | None
    device: torch.device
    nfe: dict[str, int]
    seconds: dict[str, float]
    cache: dict[str, Literal["hit", "miss"]]
    chunk: int = CHUNK


@dataclass(frozen=True)
class Encoding:
    """Latents z [N, C, H, W], and the images they are of when those were edited."""

    latents: Tensor
    metrics: PerImage
    edited: Tensor | None


@dataclass(frozen=True)
class Decoding:
    """Results as 8-bit pixels, and the latents they are of when those were edited."""

    encoding: int  # index of the variant whose encoding this one shares
    results: Pixels
    metrics: PerImage
    edited: Tensor | None


@dataclass
class Report:
    """What a run has finished so far."""

    plan: Plan
    checkpoints: dict[Literal["source", "target", "probe"], CheckpointUsed] = field(
        default_factory=dict
    )
    encodings: dict[int, Encoding] = field(default_factory=dict)
    decodings: dict[int, Decoding] = field(default_factory=dict)

    def used(self, source: Model, target: Model, probe: tuple[Path, Probe] | None) -> None:
        """Note the checkpoints that the run uses."""
        self.checkpoints = {
            "source": _used(source.name, source.path, source.sha256),
            "target": _used(target.name, target.path, target.sha256),
        }
        if probe is not None:
            path = probe[0]
            self.checkpoints["probe"] = _used(path.stem, path, file_sha256(path))

    def variant_metrics(self) -> list[Metrics]:
        """The figures of the variants that are finished, in their order."""
        return [self._figures(index) for index in sorted(self.decodings)]

    def _figures(self, index: int) -> Metrics:
        return summary(self._per_image(index))

    def _per_image(self, index: int) -> PerImage:
        decoding = self.decodings[index]
        return self.encodings[decoding.encoding].metrics | decoding.metrics

    def manifest(self, ending: Ending, files: dict[int, list[str]]) -> Manifest:
        """What the run directory says about itself."""
        plan = self.plan
        return Manifest(
            session=plan.name,
            title=plan.session.title,
            status=ending.status,
            error=ending.error,
            device=ending.device.type,
            device_name=device_name(ending.device),
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
                    metrics=self._figures(index),
                    per_image=self._per_image(index),
                    images=files[index],
                )
                for index in sorted(self.decodings)
            ],
        )

    def write(self, new: NewRun, ending: Ending) -> None:
        """Everything a run directory holds; raises OSError."""
        session = dump_session(self.plan.session)
        (new.path / SESSION).write_text(session, "utf-8")
        save_file(self._latents(), new.path / LATENTS)
        (new.path / LATENTS).chmod(0o644)  # safetensors writes for the owner alone
        files = self._write_images(new.path / IMAGES)
        title = self.plan.session.title or self.plan.name
        sheet = contact_sheet(self.sheet_rows(), title, subtitle=self._subtitle())
        save_sheet(sheet, new.path / SHEET, session)
        new.write_manifest(self.manifest(ending, files))

    def _latents(self) -> dict[str, Tensor]:
        """`latent` and `edited_latent`, with the variant's index where there are several."""
        tensors = {}
        for index, encoding in self.encodings.items():
            name = "latent" if self.plan.encodings == 1 else f"latent.{index:03d}"
            tensors[name] = encoding.latents.contiguous()
        for index, decoding in self.decodings.items():
            if decoding.edited is not None:
                single = len(self.plan.variants) == 1
                name = "edited_latent" if single else f"edited_latent.{index:03d}"
                tensors[name] = decoding.edited.contiguous()
        return tensors

    def _write_images(self, folder: Path) -> dict[int, list[str]]:
        folder.mkdir()
        files: dict[int, list[str]] = {}
        for index, decoding in sorted(self.decodings.items()):
            label = re.sub(r"[^\w.+-]+", "-", self.plan.variants[index].label).strip("-")
            files[index] = [
                f"{index:03d}-{label}-{place:05d}.png" for place in range(len(decoding.results))
            ]
            for name, pixels in zip(files[index], decoding.results, strict=True):
                Image.fromarray(pixels.squeeze()).save(folder / name)
        return files

    # ---- the contact sheet

    def sheet_rows(self) -> list[SheetRow]:
        """Source, then edited image and latent of each encoding, then the variants' rows."""
        rows = [SheetRow("source", self.plan.images.pixels[:SHOWN])]
        shown: set[int] = set()
        for index, decoding in sorted(self.decodings.items()):
            *outer, label = self.plan.variants[index].label.split(", ")
            block = ", ".join(outer)
            if decoding.encoding not in shown:
                shown.add(decoding.encoding)
                rows += self._encoding_rows(decoding.encoding, block)
            if decoding.edited is not None:
                rows.append(
                    SheetRow(
                        f"{label} latent" if label != "result" else "edited latent",
                        latent_pixels(decoding.edited[:SHOWN]),
                        _moments(self._figures(index), "edited_latent"),
                        block,
                    )
                )
            rows.append(
                SheetRow(
                    label,
                    decoding.results[:SHOWN],
                    self._note(index),
                    block,
                    joined=decoding.edited is not None,
                )
            )
        return rows

    def _encoding_rows(self, index: int, block: str) -> list[SheetRow]:
        encoding = self.encodings[index]
        figures = summary(encoding.metrics)
        latent = latent_pixels(encoding.latents[:SHOWN])
        rows = [SheetRow("latent", latent, _moments(figures, "latent"), block)]
        if encoding.edited is not None:
            rows.insert(0, SheetRow("edited image", to_pixels(encoding.edited[:SHOWN]), "", block))
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
        return "  ".join(parts)

    def _subtitle(self) -> str:
        session = self.plan.session
        solver = self.plan.variants[0].solver
        ends = (self.plan.source.path.stem, self.plan.target.path.stem)
        labels = (session.source.label, session.target.label)
        shown = [
            name if label is None else f"{name} ({label})"
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


def latent_pixels(z: Tensor) -> Pixels:
    """A latent [N, C, H, W] as pixels: grey is 0, black and white are ∓2.5."""
    return to_pixels(z / LATENT_RANGE)


def device_name(device: torch.device) -> str:
    """What the device calls itself."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return platform.processor() or platform.machine()


def _used(name: str, path: Path, sha256: str) -> CheckpointUsed:
    return CheckpointUsed(name=name, path=str(path), sha256=sha256)


def _moments(figures: Metrics, prefix: str) -> str:
    parts = [f"std {figures[f'{prefix}_std']:.2f}"] if f"{prefix}_std" in figures else []
    if f"{prefix}_kurtosis" in figures:
        parts.append(f"kurtosis {figures[f'{prefix}_kurtosis']:.1f}")
    return "  ".join(parts)
