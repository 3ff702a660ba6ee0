"""The pictures and latents of a run directory, written as they come.

Only what is shown is kept in memory, so that a run of any length takes the same memory.
"""

import hashlib
import re
from collections import Counter
from importlib import import_module
from pathlib import Path
from threading import Thread

import torch
from PIL import Image
from safetensors.torch import save_file
from torch import Tensor

from ddib.bridge.chunk import batches
from ddib.data.pixels import to_pixels, to_tensor
from workbench.engine.planning.plan import Plan
from workbench.engine.protocol.messages import RowKind
from workbench.engine.results.filmstrip import filmstrip
from workbench.engine.results.rows import RunResults
from workbench.engine.results.sheet import sheet_rows, subtitle
from workbench.runs.contact_sheet import contact_sheet
from workbench.runs.curves import parameters
from workbench.runs.files import FILMSTRIP, IMAGES, LATENT_SHARDS, LATENTS, POINTS, SESSION, SHEET
from workbench.runs.sheet_file import save_sheet
from workbench.session.writing import dump_session

WHOLE = 16 * 2**20  # bytes of latents that go into one file
LABEL_BYTES, DIGITS = 100, 10  # of a label in a file's name, and of what stands for the rest
SHARD = 4 * 2**20  # bytes of each file's latents when there are more


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

    def close(self, results: RunResults) -> None:
        """Write the remaining latents, the session and the sheets; raises OSError."""
        session = dump_session(self._plan.session)
        (self._folder / SESSION).write_text(session, "utf-8")
        if self._written:
            for name in list(self._waiting):
                self._write_shards(name, rest=True)
        else:
            whole = {name: torch.cat(parts) for name, parts in self._waiting.items()}
            _save_latents(whole, self._folder / LATENTS)
        if self._plan.points:
            self._write_points(results)
        for kind, index, end in list(results.rows):
            if kind in ("intermediate", "result") and end not in results.pictures(index):
                for place in range(results.row(kind, index, end).count):
                    (self._folder / IMAGES / picture_name(self._plan, index, end, place)).unlink()
        title = self._plan.session.title or self._plan.name
        words = subtitle(self._plan)
        sheet = contact_sheet(sheet_rows(results), title, subtitle=words)
        save_sheet(sheet, self._folder / SHEET, session)
        films, heads = filmstrip(results)
        if films:
            strip = contact_sheet(films, title, subtitle=words, heads=heads)
            save_sheet(strip, self._folder / FILMSTRIP, session)
        if parameters(sweep := results.sweep()):
            from workbench.runs.plots import save_plots

            save_plots(sweep, self._folder, title, words)

    def _write_points(self, results: RunResults) -> None:
        """The points themselves: `source`, `intermediate-1` and so on in a chain, and `result`;
        of several variants `result.000` and so on."""
        several, last = len(self._plan.variants) > 1, self._plan.links
        found = {"source": to_tensor(self._plan.images.pixels)}
        for (index, end), parts in self._points.items():
            if end in results.pictures(index):
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
    if len(label.encode()) > LABEL_BYTES:
        digest = hashlib.sha256(label.encode()).hexdigest()[:DIGITS]
        label = label.encode()[: LABEL_BYTES - DIGITS - 1].decode(errors="ignore") + f"-{digest}"
    return f"{index:03d}-{label}-{place:05d}.png"


def _size(parts: list[Tensor]) -> int:
    return sum(z.nbytes for z in parts)


def _save_latents(tensors: dict[str, Tensor], path: Path) -> None:
    save_file(tensors, path)
    path.chmod(0o644)  # safetensors writes for the owner alone
