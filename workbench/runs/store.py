"""What was run: an append-only folder of run directories.

A run is written under a hidden temporary name and renamed when it is complete. Two programs may
use a folder at the same time: a name goes to whoever renames first, the other takes the next.
"""

import errno
import os
import re
import shutil
import unicodedata
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ddib.errors import Cancelled, InputError, RunError
from ddib.paths import user_path
from workbench.library.library import suggest
from workbench.support.files import (
    atomic_write,
    check_folder,
    is_full,
    new_file,
    owner_is_gone,
    temporary_name,
    why,
)

(
    MANIFEST,
    NOTES,
    SESSION,
    SHEET,
    FILMSTRIP,
    CURVES,
    TRADE_OFF,
    LATENTS,
    LATENT_SHARDS,
    POINTS,
    IMAGES,
) = (
    "manifest.json",
    "notes.json",  # the user's, beside what the run wrote
    "session.yaml",
    "sheet.png",
    "filmstrip.png",  # of interpolations
    "curves.png",  # of sweeps
    "trade-off.png",
    "latents.safetensors",
    "latents",  # a folder of files like that, for long runs
    "points.safetensors",  # of domains of points: the source's and the results'
    "images",
)
VERSION = 1

_PARTIAL, _DELETED = "partial", "deleted"
_TAKEN = (errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR)
_NAME_BYTES = 200  # of the 255 a file system gives; leaves room for a number

Status = Literal["done", "failed", "cancelled"]
_T = TypeVar("_T")


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", ser_json_inf_nan="strings")


class CheckpointUsed(_Record):
    """A checkpoint as it was when it ran."""

    name: str
    path: str
    sha256: str
    evaluation: str = "float32"  # precision, memory format, compiled


class InputUsed(_Record):
    """A source image as it was when it ran; its sha256 is that of its 8-bit pixels."""

    name: str
    sha256: str


class IntermediateResult(_Record):
    """What an end of a chain decoded before it encoded it again; figures of both."""

    end: int  # 1 is the target
    title: str  # the checkpoint, and its label
    metrics: dict[str, float] = {}
    per_image: dict[str, list[float | None]] = {}
    images: list[str] = []  # file names under images/


class OperationUsed(_Record):
    """An operation that is not ddib's own, as it was when it ran."""

    source: str  # a file's name, or a package and its version
    sha256: str  # of the file that defines it


class VariantResult(_Record):
    """One combination of sweep values and what came of it.

    Of a chain that was stopped on its way there are intermediate results only.
    """

    values: dict[str, Any] = {}
    label: str = ""
    cycle: Literal["exact", "free"] = "free"  # what the solver promises of its way back
    metrics: dict[str, float] = {}
    per_image: dict[str, list[float | None]] = {}
    images: list[str] = []  # file names under images/
    intermediates: list[IntermediateResult] = []

    @property
    def furthest(self) -> list[str]:
        """The pictures of the last end that was reached."""
        return self.images or (self.intermediates[-1].images if self.intermediates else [])


class Manifest(_Record):
    """What a run directory says about itself."""

    version: Literal[1] = 1
    session: str  # its name: the file's stem
    title: str = ""
    status: Status
    error: str | None = None
    created: datetime = Field(default_factory=lambda: datetime.now(UTC).replace(microsecond=0))
    device: str
    device_name: str = ""
    dtype: str = "float32"
    threads: int
    chunk_size: int
    versions: dict[str, str] = {}  # of Python, torch, this package, …
    checkpoints: dict[str, CheckpointUsed] = {}  # by role: source, target or target.0, chain.0
    operations: dict[str, OperationUsed] = {}  # those that are not ddib's own
    inputs: list[InputUsed] = []
    nfe: dict[str, int] = {}  # encode, decode
    seconds: dict[str, float] = {}  # load, encode, decode, total
    cache: dict[str, Literal["hit", "miss"]] = {}
    variants: list[VariantResult] = []
    notes: list[str] = []


class Notes(_Record, frozen=True):
    """What the user says about a run."""

    pinned: bool = False
    name: str = ""  # shown in place of the session's title
    note: str = ""


@dataclass(frozen=True)
class StoredRun:
    """A run directory in a folder; broken when it has a problem."""

    name: str
    path: Path
    manifest: Manifest | None
    problem: str | None = None
    notes: Notes = field(default_factory=Notes)
    notes_problem: str | None = None  # why its notes are as good as none


@dataclass
class NewRun:
    """A run being written: everything goes under `path`, the manifest last.

    `path` is a temporary directory inside `new_run` and the final one afterwards.
    """

    path: Path

    def write_manifest(self, manifest: Manifest) -> None:
        """Say what the run is; a run with a manifest is kept, whatever happens next."""
        atomic_write(self.path / MANIFEST, manifest.model_dump_json(indent=1).encode() + b"\n")


@dataclass(frozen=True)
class Comparison:
    """How far two runs are apart."""

    latents: float  # largest absolute difference of latents; inf when they cannot be compared
    pixels: int  # largest difference of image levels, 0 to 255
    differing: tuple[str, ...] = ()  # files whose content differs
    missing: tuple[str, ...] = ()  # what is there in one of them only, or of another shape

    @property
    def same_bytes(self) -> bool:
        """Whether nothing differs."""
        return not self.differing and not self.missing

    def within(self, latents: float, pixels: int) -> bool:
        """Whether both have the same parts and no difference is above the tolerances."""
        return not self.missing and self.latents <= latents and self.pixels <= pixels


# ---- writing


def stamped_name(session: str, now: datetime) -> str:
    """The name of a run in the user's store, which sorts by time: 20261123-201500-session."""
    return f"{now:%Y%m%d-%H%M%S}-{safe_name(session)}"


@contextmanager
def new_run(folder: Path, name: str) -> Iterator[NewRun]:
    """Make a run directory in `folder`, named `name`, `name-2`, `name-3`, … when complete.

    Without a manifest at the end of the body nothing is left; when the body raises, the manifest
    that is there then says failed or cancelled. Raises InputError when the folder
    cannot be used, and RunError when the disk is full or the files cannot be written.
    """
    if not _is_plain(name):
        name = safe_name(name)
    check_folder(folder, "runs")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        clean(folder)
        partial = folder / temporary_name(name, _PARTIAL)
        partial.mkdir()
    except OSError as error:
        kind = RunError if is_full(error) else InputError
        raise kind(f"{folder}: cannot hold runs: {why(error)}") from error
    run = NewRun(partial)
    try:
        try:
            yield run
        except BaseException as error:
            _mark(partial, error)
            raise
        finally:
            if (partial / MANIFEST).exists():
                run.path = _publish(partial, folder, name)
    except Exception as error:
        if is_full(error):
            message = "the disk is full; delete runs there or write them elsewhere"
            raise RunError(f"{folder}: {message}") from error
        if isinstance(error, OSError) and _inside(error, partial):
            raise RunError(f"{folder}: the run cannot be written: {why(error)}") from error
        raise
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def clean(folder: Path) -> None:
    """Remove what killed programs of this machine left half written or half deleted."""
    for path in folder.glob(".*"):
        if any(owner_is_gone(path.name, kind) for kind in (_PARTIAL, _DELETED)):
            shutil.rmtree(path, ignore_errors=True)


def safe_name(text: str) -> str:
    """`text` as a file name without blanks, of bearable length, never hidden or empty."""
    plain = re.sub(r"[^\w.+=-]+", "-", unicodedata.normalize("NFC", text)).strip("-.")
    return plain.encode()[:_NAME_BYTES].decode(errors="ignore") or "untitled"


# ---- reading


def read_manifest(run: Path) -> Manifest:
    """What a run directory says about itself; raises InputError."""
    path = run / MANIFEST
    try:
        content = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        raise InputError(f"{run}: not a run directory: it has no {MANIFEST}") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {why(error)}") from None
    try:
        return Manifest.model_validate_json(content)
    except ValidationError as error:
        version = next((e["input"] for e in error.errors() if e["loc"] == ("version",)), None)
        if isinstance(version, int) and version > VERSION:
            raise InputError(
                f"{path}: its version {version} is newer than this program, "
                f"which reads {VERSION}; update the program"
            ) from None
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"]))
        raise InputError(f"{path}: damaged: {key + ': ' if key else ''}{first['msg']}") from None


def read_notes(run: Path) -> Notes:
    """What the user says about a run, all empty without a file; raises InputError when damaged."""
    path = run / NOTES
    try:
        return Notes.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return Notes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {why(error)}") from None
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"]))
        raise InputError(f"{path}: damaged: {key + ': ' if key else ''}{first['msg']}") from None


def readable_notes(run: Path) -> tuple[Notes, str | None]:
    """The notes of a run, and what is wrong with them: damaged ones are as good as none."""
    try:
        return read_notes(run), None
    except InputError as error:
        return Notes(), str(error)


def write_notes(run: Path, notes: Notes) -> None:
    """Put the user's notes into a run directory; raises InputError for what is none, RunError."""
    if not (run / MANIFEST).is_file():
        raise InputError(f"{run}: not a run directory: it has no {MANIFEST}")
    try:
        atomic_write(run / NOTES, notes.model_dump_json(indent=1).encode() + b"\n")
    except OSError as error:
        raise RunError(f"{run / NOTES}: cannot be written: {why(error)}") from error


def change_notes(run: Path, **changes: Any) -> Notes:
    """Change some of the notes of a run; what they are then. Raises InputError, RunError."""
    notes = readable_notes(run)[0].model_copy(update=changes)
    write_notes(run, notes)
    return notes


def has_runs(folder: Path) -> bool:
    """Whether a folder holds any run."""
    return next(folder.glob(f"[!.]*/{MANIFEST}"), None) is not None


def list_runs(folder: Path) -> list[StoredRun]:
    """The runs of a folder, newest first; broken ones carry their problem. Raises InputError.

    A folder that does not exist has no runs.
    """
    try:
        paths = [path for path in folder.iterdir() if not path.name.startswith(".")]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise InputError(f"{folder}: cannot be read: {why(error)}") from None
    found: list[tuple[datetime, StoredRun]] = []
    for path in paths:
        try:
            changed = datetime.fromtimestamp((path / MANIFEST).stat().st_mtime, UTC)
        except OSError:  # no run, or one that is being deleted this moment
            continue
        notes = readable_notes(path)
        try:
            manifest = read_manifest(path)
        except InputError as error:
            found.append((changed, StoredRun(path.name, path, None, str(error), *notes)))
        else:
            created = manifest.created
            if created.tzinfo is None:
                created = created.replace(tzinfo=UTC)
            found.append((created, StoredRun(path.name, path, manifest, None, *notes)))
    found.sort(key=lambda item: (item[0], item[1].name), reverse=True)
    return [run for _, run in found]


def find_run(folder: Path, name: str) -> Path:
    """A run directory by its name in `folder`, else by its path; raises InputError."""
    elsewhere = user_path(name)
    for path in (folder / name, elsewhere):
        if (path / MANIFEST).is_file():
            return path
    names = [run.name for run in list_runs(folder)]
    raise InputError(f"no run {name!r} in {folder}, and no run directory{suggest(name, names)}")


# ---- deleting, exporting, comparing


def delete_run(folder: Path, name: str) -> None:
    """Delete a run directory that lies in `folder` and holds a manifest, and nothing else.

    Raises InputError for any other name and RunError when the system refuses.
    """
    path = folder / name
    if path.name != name or name.startswith(".") or path.is_symlink():
        raise InputError(f"{name!r} is not the name of a run in {folder}")
    if not (path / MANIFEST).is_file():
        names = [run.name for run in list_runs(folder)]
        raise InputError(f"no run {name!r} in {folder}{suggest(name, names)}")
    doomed = folder / temporary_name(name, _DELETED)
    try:
        path.rename(doomed)  # first out of sight, so that nobody meets half a run
        shutil.rmtree(doomed)
    except OSError as error:
        raise RunError(f"{path}: cannot be deleted: {why(error)}") from error


def export_run(run: Path, destination: Path) -> Path:
    """Copy a run to a new `.zip` or a new folder (or into an existing folder); what was made.

    Raises InputError rather than overwrite, and RunError when the copy cannot be written.
    """
    read_manifest(run)
    if destination.is_dir():
        destination = destination / run.resolve().name
    if os.path.lexists(destination):
        raise InputError(f"{destination}: is already there and is not overwritten")
    if destination.resolve().is_relative_to(run.resolve()):
        raise InputError(f"{destination}: lies inside the run itself")
    check_folder(destination.parent, "an exported run")
    try:
        destination.parent.mkdir(parents=True, exist_ok=True)
        if destination.suffix.lower() == ".zip":
            with new_file(destination) as temporary:
                _zip(run, temporary)
            return destination
        partial = destination.with_name(temporary_name(destination.name, _PARTIAL))
        try:
            shutil.copytree(run, partial)
            _claim(partial, destination)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    except FileExistsError:
        raise InputError(f"{destination}: is already there and is not overwritten") from None
    except (OSError, shutil.Error) as error:
        raise RunError(f"{destination}: cannot be written: {_reason(error)}") from error
    return destination


def compare_runs(first: Path, second: Path) -> Comparison:
    """Compare the latents and the images of two runs; raises InputError for what is no run."""
    for run in (first, second):
        read_manifest(run)
    names = [_results(run) for run in (first, second)]
    missing = sorted(names[0] ^ names[1])
    shared = sorted(names[0] & names[1])
    differing = [name for name in shared if _bytes(first / name) != _bytes(second / name)]
    latents, pixels = (np.inf if any(_is_latents(name) for name in missing) else 0.0), 0
    for name in differing:
        if _is_latents(name):
            apart, unlike = _latent_difference(first / name, second / name)
            latents, missing = max(latents, apart), missing + unlike
            continue
        one, other = _pixels(first / name), _pixels(second / name)
        if one.shape == other.shape:
            pixels = max(pixels, int(np.abs(one - other).max(initial=0)))
        else:
            missing.append(name)
    return Comparison(latents, pixels, tuple(differing), tuple(missing))


# ---- the parts


def _is_plain(name: str) -> bool:
    """Whether `name` can be a directory's just as it is."""
    fits = 0 < len(name.encode(errors="replace")) <= _NAME_BYTES
    return fits and name.isprintable() and not name.startswith(".") and Path(name).name == name


def _publish(partial: Path, folder: Path, name: str) -> Path:
    """Rename a finished directory to the first free name; returns that."""
    number = 1
    while True:
        path = folder / (name if number == 1 else f"{name}-{number}")
        try:
            _claim(partial, path)
        except FileExistsError:
            number += 1
        else:
            return path


def _claim(partial: Path, path: Path) -> None:
    """Rename a directory with something in it; raises FileExistsError when the name is taken.

    Of two programs that rename to one name at once, one is refused: a directory can only
    replace an *empty* directory, and what the other has just put there is not empty.
    """
    if os.path.lexists(path):
        raise FileExistsError(errno.EEXIST, "already there", str(path))
    try:
        partial.rename(path)
    except OSError as error:
        if error.errno in _TAKEN:
            raise FileExistsError(errno.EEXIST, "already there", str(path)) from None
        raise


def _mark(partial: Path, error: BaseException) -> None:
    """Let the manifest of a run that was torn off say so."""
    try:
        manifest = read_manifest(partial)
    except InputError:
        (partial / MANIFEST).unlink(missing_ok=True)
        return
    if manifest.status == "done":
        stopped = isinstance(error, Cancelled | KeyboardInterrupt | SystemExit | GeneratorExit)
        manifest.status = "cancelled" if stopped else "failed"
        manifest.error = manifest.error or str(error) or type(error).__name__
        try:
            NewRun(partial).write_manifest(manifest)
        except OSError:
            (partial / MANIFEST).unlink(missing_ok=True)  # rather no run than one that lies


def _inside(error: OSError, folder: Path) -> bool:
    place = error.filename
    return isinstance(place, str) and Path(place).resolve().is_relative_to(folder.resolve())


def _reason(error: Exception) -> str:
    if isinstance(error, shutil.Error):  # copytree's: a list of (source, destination, reason)
        return str(error.args[0][0][2])
    return why(error) if isinstance(error, OSError) else str(error)


def _zip(run: Path, path: Path) -> None:
    """Everything under the run's own name; PNG and float tensors do not compress further."""
    with zipfile.ZipFile(path, "x") as archive:
        for file in sorted(run.rglob("*")):
            archive.write(file, Path(run.resolve().name) / file.relative_to(run))


def _results(run: Path) -> set[str]:
    """Relative names of the files that a repeated run must reproduce."""
    kinds = (f"{IMAGES}/*.png", LATENTS, f"{LATENT_SHARDS}/*.safetensors")
    return {str(path.relative_to(run)) for kind in kinds for path in run.glob(kind)}


def _is_latents(name: str) -> bool:
    return name.endswith(".safetensors")


def _latent_difference(first: Path, second: Path) -> tuple[float, list[str]]:
    """The largest difference, and the tensors that cannot be compared."""
    one, other = _tensors(first), _tensors(second)
    shapes = [{name: tensor.shape for name, tensor in part.items()} for part in (one, other)]
    apart = sorted({name for name, _ in shapes[0].items() ^ shapes[1].items()})
    if apart:
        return np.inf, [f"{first.name}: {name}" for name in apart]
    return max((_largest(one[name], other[name]) for name in one), default=0.0), []


def _largest(one: NDArray[Any], other: NDArray[Any]) -> float:
    """max│one − other│, where equal values (NaN and infinities too) do not differ."""
    with np.errstate(invalid="ignore"):
        difference = np.abs(one.astype(np.float64) - other.astype(np.float64))
    same = (one == other) | (np.isnan(one) & np.isnan(other))
    difference = np.where(same, 0.0, np.where(np.isnan(difference), np.inf, difference))
    return float(difference.max(initial=0.0))


def _tensors(path: Path) -> dict[str, NDArray[Any]]:
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    return _read(path, load_file, SafetensorError)


def _bytes(path: Path) -> bytes:
    return _read(path, Path.read_bytes)


def _pixels(path: Path) -> NDArray[np.int16]:
    def read(path: Path) -> NDArray[np.int16]:
        with Image.open(path, formats=("PNG",)) as image:
            return np.asarray(image).astype(np.int16)

    return _read(path, read, SyntaxError, ValueError, Image.DecompressionBombError)


def _read(path: Path, read: Callable[[Path], _T], *broken: type[Exception]) -> _T:
    try:
        return read(path)
    except (OSError, *broken) as error:  # type: ignore[misc]  # mypy takes no unpacked tuple
        raise InputError(f"{path}: cannot be read: {error}") from error
