"""Two runs are compared: the same bytes, or how far they are apart."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ddib.errors import InputError
from workbench.runs.files import IMAGES, LATENT_SHARDS, LATENTS
from workbench.runs.manifest import read_manifest

_T = TypeVar("_T")


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
