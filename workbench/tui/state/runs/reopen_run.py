"""A run directory turned back into what the screen shows of a run, without the engine."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ddib.data.loading import load_images
from ddib.data.pixels import POINT_CHANNELS
from ddib.errors import InputError
from workbench.engine.protocol.messages import Finished, RowKind, Started, VariantInfo
from workbench.runs.files import IMAGES, LATENT_SHARDS, LATENTS, MANIFEST, SESSION, SHEET
from workbench.runs.manifest import IntermediateResult, Manifest, VariantResult, read_manifest
from workbench.runs.sheet_file import read_session_from_sheet
from workbench.runs.strips import latent_pixels
from workbench.session.reading import load_session, parse_session
from workbench.session.schema import Session
from workbench.session.variants import variants
from workbench.tui.models import SHOWN
from workbench.tui.state.runs.run_state import RowPictures, RunState
from workbench.tui.state.session.document import Document

if TYPE_CHECKING:
    from workbench.tui.models import Pixels

_PREFIXES: dict[RowKind, str] = {
    "latent": "latent_",
    "edited_latent": "edited_latent_",
    "intermediate_latent": "latent_",
}


@dataclass(frozen=True)
class Reopened:
    """A stored run on the main screen again; `problems`: what of it is missing or damaged."""

    document: Document
    run: RunState | None
    problems: tuple[str, ...] = ()


def reopen(path: Path) -> Reopened:
    """A run's session and its results; slow, for a thread. Raises InputError without a session."""
    problems: list[str] = []
    session = _session(path, problems)
    try:
        manifest = read_manifest(path)
    except InputError as error:
        return Reopened(Document(session, name=path.name), None, (*problems, str(error)))
    run = _view(path, manifest, session, problems)
    return Reopened(Document(session, name=manifest.session), run, tuple(problems))


def stored_pictures(
    path: Path, names: Sequence[str], problems: list[str] | None = None
) -> Pixels | None:
    """Some of a run's results; black where one is missing, None when all are."""
    read = [_picture(path / IMAGES / name) for name in names]
    shape = next((pixels.shape for pixels in read if pixels is not None), None)
    if shape is None:
        return None
    kept = [
        np.zeros(shape, np.uint8) if pixels is None or pixels.shape != shape else pixels
        for pixels in read
    ]
    if problems is not None:
        problems += [
            f"{IMAGES}/{name} is missing or damaged"
            for name, pixels in zip(names, read, strict=True)
            if pixels is None or pixels.shape != shape
        ]
    return np.stack(kept)


# ---- the parts


def _session(path: Path, problems: list[str]) -> Session:
    """The session of a run: its file's, else the one inside its contact sheet."""
    try:
        return load_session(path / SESSION)
    except InputError as error:
        try:
            session = parse_session(read_session_from_sheet(path / SHEET), str(path / SHEET))
        except InputError:
            raise error from None
        problems.append(f"{error}; the session is that of {SHEET}")
        return session


def _view(path: Path, manifest: Manifest, session: Session, problems: list[str]) -> RunState:
    run = RunState(path.name, session, manifest.session)
    infos = [VariantInfo(values=v.values, label=v.label) for v in variants(session)]
    finished: dict[int, VariantResult] = {}
    for place, result in enumerate(manifest.variants):
        index = _index(result, place)
        if index < len(infos):
            infos[index] = VariantInfo(values=result.values, label=result.label)
            finished[index] = result
        else:
            problems.append(f"{result.label}: {MANIFEST} has it, the session has not")
    run.receive(
        Started(
            id=run.id,
            images=len(manifest.inputs),
            names=[used.name for used in manifest.inputs[:SHOWN]],
            variants=infos,
            evaluations=sum(manifest.nfe.values()),
        )
    )
    for index, result in finished.items():
        _put_results(run, path, index, result, problems)
    _put_latents(run, path, finished, problems)
    _put_sources(run, manifest, problems)
    sheet = path / SHEET
    run.receive(
        Finished(
            id=run.id,
            status=manifest.status,
            error=manifest.error,
            run=str(path),
            sheet=str(sheet) if sheet.is_file() else None,
            metrics=[result.metrics for result in manifest.variants],
            nfe=manifest.nfe,
            seconds=manifest.seconds,
            cache=manifest.cache,
            notes=manifest.notes,
        )
    )
    return run


def _index(result: VariantResult, place: int) -> int:
    """Which of the session's variants a result is: its files' names begin with it."""
    number = result.furthest[0].partition("-")[0] if result.furthest else ""
    return int(number) if number.isdecimal() else place


def _put_results(
    run: RunState, path: Path, index: int, result: VariantResult, problems: list[str]
) -> None:
    wrong: list[str] = []
    for passed in result.intermediates:
        pixels = stored_pictures(path, passed.images[:SHOWN], wrong)
        if pixels is not None:
            run.put("intermediate", index, _pictures("intermediate", pixels, passed), passed.end)
    pixels = stored_pictures(path, result.images[:SHOWN], wrong)
    problems += wrong[:1] + ([f"{len(wrong) - 1} more like that"] if len(wrong) > 1 else [])
    if pixels is not None:
        run.put("result", index, _pictures("result", pixels, result))
    elif result.images:
        problems.append(f"{result.label}: its pictures are missing or damaged")


def _put_latents(
    run: RunState, path: Path, finished: dict[int, VariantResult], problems: list[str]
) -> None:
    names = set()
    for name, latents in _latents(path, problems):
        row, _, number = name.partition(".")
        kind, _, place = row.partition("-")
        end = int(place) if place.isdecimal() else 0
        if kind not in _PREFIXES or (number and not number.isdecimal()):
            continue
        names.add(name)
        index = int(number) if number else 0 if end else None
        result = finished.get(index or 0, next(iter(finished.values()), VariantResult()))
        passed = next((each for each in result.intermediates if each.end == end), result)
        run.put(kind, index, _pictures(kind, latent_pixels(latents), passed), end)
    if not names:
        problems.append("its latents are not there")


def _pictures(
    kind: RowKind, pixels: Pixels, result: VariantResult | IntermediateResult
) -> RowPictures:
    """A row with the part of the figures that is about it."""

    def belongs(name: str) -> bool:
        if kind in _PREFIXES:
            return name.startswith(_PREFIXES[kind])
        return not name.startswith(tuple(_PREFIXES.values()))

    return RowPictures(
        pixels,
        False,
        {name: value for name, value in result.metrics.items() if belongs(name)},
        {name: each[:SHOWN] for name, each in result.per_image.items() if belongs(name)},
    )


def _latents(path: Path, problems: list[str]) -> Iterator[tuple[str, NDArray[Any]]]:
    """The first latents of each row, by the name of its tensor."""
    from safetensors import SafetensorError, safe_open

    whole = path / LATENTS
    files = [whole] if whole.is_file() else sorted((path / LATENT_SHARDS).glob("*.safetensors"))
    rows: dict[str, list[NDArray[Any]]] = {}

    def missing(name: str) -> int:
        return SHOWN - sum(map(len, rows.get(name, [])))

    for file in files:
        if file != whole and missing(file.stem.rpartition(".")[0]) <= 0:
            continue
        try:
            with safe_open(file, framework="numpy") as tensors:
                for name in tensors.keys():  # noqa: SIM118  # it is no mapping
                    row = tensors.get_slice(name)
                    count, *_ = shape = row.get_shape()
                    if len(shape) == 4 and shape[1] in (1, 2, 3) and min(count, missing(name)) > 0:
                        rows.setdefault(name, []).append(row[: min(count, missing(name))])
        except (OSError, SafetensorError, TypeError, ValueError, IndexError) as error:
            problems.append(f"{file.relative_to(path)}: cannot be read: {error}")
    for name, parts in rows.items():
        yield name, np.concatenate(parts)


def _put_sources(run: RunState, manifest: Manifest, problems: list[str]) -> None:
    """The images that the run began with, while they are still the same."""
    row = run.row("result", 0) or run.row("latent")
    if row is None:
        return
    entries = run.session.source.images
    _, size, _, channels = row.pixels.shape
    if entries[0].of_points:
        channels = POINT_CHANNELS  # what is stored are drawings of points
    try:
        images = load_images(
            entries, size=size, channels=channels, limit=SHOWN, version=run.session.version
        )
    except InputError as error:
        problems.append(f"its source images are not there: {error}")
        return
    used = [one.sha256 for one in manifest.inputs[:SHOWN]]
    if [hashlib.sha256(image.tobytes()).hexdigest() for image in images.pixels[:SHOWN]] == used:
        run.put("source", None, RowPictures(images.pictures[:SHOWN], False, {}, {}))
    else:
        problems.append("its source images have changed since")


def _picture(path: Path) -> Pixels | None:
    try:
        with Image.open(path, formats=("PNG",)) as image:
            pixels = np.asarray(image if image.mode in ("L", "RGB") else image.convert("RGB"))
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return None
    return pixels[..., None] if pixels.ndim == 2 else pixels
