"""Colored MNIST, image files and clouds of points, as pixels and as tensors.

Pictures are 8-bit pixels and tensors in [-1, 1], a cloud is an image of one row whose "pixels"
are its points, float32. The pixels need NumPy and Pillow only, so that a screen can show them
without torch.
"""

import gzip
import os
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import translate
from functools import cached_property, lru_cache
from glob import glob, has_magic
from io import BytesIO
from pathlib import Path
from re import compile as compile_pattern
from typing import TYPE_CHECKING, Annotated, Any, Literal, Protocol, Self, cast

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from ddib.data.points import CHANNELS as POINT_CHANNELS
from ddib.data.points import SyntheticPoints, cloud
from ddib.data.scatter import scatter
from ddib.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor

Pixels = NDArray[np.uint8]
Values = NDArray[np.uint8] | NDArray[np.float32]
"""Pixels, or of clouds the coordinates of points."""
FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF")  # the rest of old Pillow's decoders stay shut
SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif")
MAX_PIXELS = 100_000_000
PACKAGED_MNIST = Path(__file__).parents[1] / "zoo" / "mnist"  # 100 test digits of each kind
MAX_PICKED = 4096  # single images that an entry of a session may name


def _each_once(picked: tuple[Any, ...] | None) -> tuple[Any, ...] | None:
    if picked is not None and len(set(picked)) < len(picked):
        twice = next(one for place, one in enumerate(picked) if one in picked[:place])
        raise ValueError(f"{twice} stands there twice")
    return picked


class ColoredMNIST(BaseModel):
    """MNIST digits in file order, each in a uniformly drawn hue (Gushchin et al. 2023)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    dataset: Literal["colored-mnist"] = "colored-mnist"
    digit: int = Field(5, ge=0, le=9, description="which digit")
    count: int = Field(16, ge=1, description="how many")
    seed: int = Field(0, ge=0, lt=2**63, description="draws the hues")
    root: str | None = Field(None, description="a folder of raw MNIST files; null: the package's")
    split: Literal["test", "train"] = Field("test", description="which of MNIST's two files")
    repeat: bool = Field(False, description="go round again, with new hues, when they run out")
    indices: Annotated[
        tuple[Annotated[int, Field(ge=0)], ...] | None, AfterValidator(_each_once)
    ] = Field(
        None,
        min_length=1,
        max_length=MAX_PICKED,
        description="which of the count are taken, from 0; null: all",
    )

    @model_validator(mode="after")
    def _indices_below_count(self) -> Self:
        if self.indices and max(self.indices) >= self.count:
            raise ValueError(f"index {max(self.indices)} is not below count {self.count}")
        return self


class ImageFiles(BaseModel):
    """Image files by a pattern, in the order of their names."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: str = Field(description="a file, or a pattern such as photos/*.png", min_length=1)
    count: int | None = Field(None, ge=1, description="how many, from the first; null: all")
    names: Annotated[
        tuple[Annotated[str, Field(min_length=1)], ...] | None, AfterValidator(_each_once)
    ] = Field(
        None,
        min_length=1,
        max_length=MAX_PICKED,
        description="which files are taken, as seen from the pattern's folder; null: all",
    )

    @model_validator(mode="after")
    def _count_or_names(self) -> Self:
        if self.count is not None and self.names is not None:
            raise ValueError("count and names exclude each other; leave one of them out")
        return self


ImageSpec = ColoredMNIST | SyntheticPoints | ImageFiles


@dataclass(frozen=True)
class Images:
    """Source images: pixels uint8 [N, H, W, C], a name each, and the digit where it is known.

    Of clouds of points: coordinates float32 [N, 1, count, 2].
    """

    pixels: Values
    names: tuple[str, ...]
    labels: tuple[int | None, ...]
    files: tuple[Path | None, ...]

    @property
    def pictures(self) -> Pixels:
        """What is shown of them, uint8 [N, H, W, C]: clouds as scatter plots."""
        if self.pixels.dtype == np.uint8:
            return cast(Pixels, self.pixels)
        return scatter(cast(NDArray[np.float32], self.pixels[:, 0]))


def load_images(
    specs: Sequence[ImageSpec],
    *,
    size: int,
    channels: int,
    base: Path = Path(),
    limit: int | None = None,
) -> Images:
    """The images of a session at a checkpoint's size, or the first ones up to `limit`.

    Relative paths start from `base`.

    Raises InputError for a missing folder, an empty pattern, an unreadable file or a count
    beyond what is there.
    """
    parts: list[Images] = []
    for place, spec in enumerate(specs):
        left = None if limit is None else limit - sum(len(part.names) for part in parts)
        if left == 0:
            break
        try:
            there = available(spec, base)
            parts.append(there.load(there.taken(spec)[:left], size, channels))
        except InputError as error:
            raise InputError(str(error), key=f"source.images.{place}") from error
    return _joined(parts)


def _joined(parts: Sequence[Images]) -> Images:
    if len(counts := {part.pixels.shape[1:] for part in parts}) > 1:
        several = " and ".join(str(count) for _, count, _ in sorted(counts))
        raise InputError(f"clouds of {several} points; give all the same count", "source.images")
    return Images(
        np.concatenate([part.pixels for part in parts]),
        tuple(name for part in parts for name in part.names),
        tuple(label for part in parts for label in part.labels),
        tuple(file for part in parts for file in part.files),
    )


class Available(Protocol):
    """The images that an entry could take, found without reading them."""

    @property
    def names(self) -> Sequence[str]:
        """A name for each image, in order."""

    def taken(self, spec: Any) -> Sequence[int]:
        """Places of those that the entry takes; raises InputError for one that is not there."""

    def load(self, places: Sequence[int], size: int, channels: int) -> Images:
        """Some of them; raises InputError for one that cannot be read."""


def available(spec: ImageSpec, base: Path = Path()) -> Available:
    """What is there for an entry, whatever it picks; raises InputError when nothing is."""
    if isinstance(spec, SyntheticPoints):
        return _Cloud(spec)
    return _Digits(spec, base) if isinstance(spec, ColoredMNIST) else _Files(spec, base)


def load_readable(there: Available, places: Sequence[int], size: int, channels: int) -> Images:
    """As `there.load`, with a black picture in place of each file that cannot be read."""
    try:
        return there.load(places, size, channels)
    except InputError:
        if len(places) > 1:
            halves = [
                load_readable(there, part, size, channels)
                for part in (places[: len(places) // 2], places[len(places) // 2 :])
            ]
            return _joined(halves)
    black = np.zeros((1, size, size, channels), np.uint8)
    return Images(black, (there.names[places[0]],), (None,), (None,))


def folder_stamp(spec: ImageSpec, base: Path = Path()) -> int | None:
    """Changes when files come to the folder of an entry or go from it; None for datasets."""
    if not isinstance(spec, ImageFiles):
        return None
    try:
        return os.stat(_split(str(base / Path(spec.path).expanduser()))[0]).st_mtime_ns  # noqa: PTH116
    except OSError:
        return None


def colored_mnist(
    digit: int = 5, count: int = 16, seed: int = 0, root: str | None = None
) -> "Tensor":
    """Held-out colored digits as a tensor [count, 3, 32, 32] in [-1, 1]."""
    spec = ColoredMNIST(digit=digit, count=count, seed=seed, root=root)
    return to_tensor(load_images([spec], size=32, channels=3).pixels)


def to_tensor(pixels: Values) -> "Tensor":
    """uint8 [N, H, W, C] to a float32 tensor [N, C, H, W] in [-1, 1]; points as they are."""
    import torch

    values = torch.from_numpy(pixels).permute(0, 3, 1, 2).float()
    return (values.div(127.5).sub(1) if pixels.dtype == np.uint8 else values).contiguous()


def to_pixels(images: "Tensor") -> Pixels:
    """A tensor [N, C, H, W] in [-1, 1] (clipped, rounded) to uint8 [N, H, W, C].

    Points of two coordinates [N, 2, H, W] become scatter plots.
    """
    import torch

    if images.shape[1] == POINT_CHANNELS:
        return scatter(images.detach().flatten(2).transpose(1, 2).float().cpu().numpy())
    levels = images.detach().float().add(1).mul(127.5).round().clamp(0, 255).to(torch.uint8)
    return np.ascontiguousarray(levels.permute(0, 2, 3, 1).cpu().numpy())


# ---- points


class _Cloud:
    def __init__(self, spec: SyntheticPoints) -> None:
        self._spec = spec
        self.names: Sequence[str] = [f"{spec.dataset}-{spec.seed}"]

    def taken(self, spec: SyntheticPoints) -> Sequence[int]:
        return range(1)

    def load(self, places: Sequence[int], size: int, channels: int) -> Images:
        spec = self._spec
        if channels != POINT_CHANNELS:
            raise InputError(
                f"{spec.dataset} are points, and the source's checkpoint reads pictures; "
                f"choose synthetic-{spec.dataset} as source.checkpoint, or other images"
            )
        points = cloud(spec.dataset, spec.count, spec.seed)[None, None]
        return Images(points, tuple(self.names), (None,), (None,))


def _needs_pictures(channels: int) -> None:
    if channels == POINT_CHANNELS:
        raise InputError(
            "the source's checkpoint reads points; give it such a dataset, as "
            "{dataset: moons, count: 2000}, or choose another source.checkpoint"
        )


# ---- colored MNIST


def count_available(digit: int, root: str | None = None, split: str = "test") -> int:
    """How many of a digit there are; raises InputError when the files are not."""
    return int((read_mnist(_mnist_folder(root, Path()), split)[1] == digit).sum())


def colorize(grey: Pixels, hues: NDArray[np.float64]) -> Pixels:
    """Grey digits [N, H, W] in hues in [0, 1), full saturation, value = grey level: [N, H, W, 3].

    Rounded to 8 bits here, so that everything after starts from the same bytes.
    """
    corner = np.array([0.0, 4.0, 2.0])
    rgb = np.clip(np.abs((hues[:, None] * 6 + corner) % 6 - 3) - 1, 0, 1)
    colored: Pixels = np.empty((*grey.shape, 3), np.uint8)
    for image, shade, color in zip(colored, grey, rgb, strict=True):
        image[:] = np.rint(shade[..., None] * color)
    return colored


@lru_cache(maxsize=8)
def read_mnist(folder: Path, split: str = "test") -> tuple[Pixels, Pixels]:
    """Raw MNIST files of a folder, `.gz` or not: images uint8 [N, 28, 28] and labels uint8 [N].

    Raises InputError when a file is missing or is no MNIST file.
    """
    prefix = "t10k" if split == "test" else "train"
    images = _read_idx(folder, f"{prefix}-images-idx3-ubyte", 3)
    labels = _read_idx(folder, f"{prefix}-labels-idx1-ubyte", 1)
    if len(images) != len(labels):
        raise InputError(f"{folder}: {len(images)} {split} images but {len(labels)} labels")
    return images, labels


def download_mnist(folder: Path) -> Path:
    """MNIST through torchvision into a folder; the folder that holds the raw files.

    Raises InputError when it cannot be had.
    """
    from torchvision.datasets import MNIST

    try:
        MNIST(str(folder), download=True)
    except (RuntimeError, OSError) as error:
        raise InputError(
            f"MNIST could not be downloaded into {folder}: {error}; put its four "
            "-ubyte(.gz) files into a folder and name that as root"
        ) from error
    return folder / "MNIST" / "raw"


class _Digits:
    def __init__(self, spec: ColoredMNIST, base: Path) -> None:
        grey, labels = read_mnist(_mnist_folder(spec.root, base), spec.split)
        self._spec = spec
        self._grey, self._rows = grey, np.flatnonzero(labels == spec.digit)
        there = len(self._rows)
        self.count = max(there, spec.count) if spec.repeat and there else there

    @cached_property
    def names(self) -> Sequence[str]:
        return [f"{self._spec.split}-{self._spec.digit}-{n:05d}" for n in range(self.count)]

    @cached_property
    def _hues(self) -> NDArray[np.float64]:
        return np.random.default_rng(self._spec.seed).random(self.count)

    def taken(self, spec: ColoredMNIST) -> Sequence[int]:
        if spec.count > self.count:
            where = spec.root or "the package"
            raise InputError(
                f"count {spec.count} is more than the {self.count} "
                f"{spec.split} images of digit {spec.digit} in {where}; "
                "lower count, name a full MNIST folder as root, or set repeat: true"
            )
        return range(spec.count) if spec.indices is None else spec.indices

    def load(self, places: Sequence[int], size: int, channels: int) -> Images:
        _needs_pictures(channels)
        chosen = np.asarray(places, int)
        grey = self._grey[self._rows[chosen % len(self._rows)]]
        pixels = colorize(np.pad(grey, ((0, 0), (2, 2), (2, 2))), self._hues[chosen])
        if (size, channels) != (32, 3):
            pixels = np.stack([_fit(image, size, channels) for image in pixels])
        count = len(places)
        names = tuple(self.names[n] for n in places)
        return Images(pixels, names, (self._spec.digit,) * count, (None,) * count)


def _mnist_folder(root: str | None, base: Path) -> Path:
    return PACKAGED_MNIST if root is None else (base / Path(root).expanduser()).resolve()


def _read_idx(folder: Path, name: str, dimensions: int) -> Pixels:
    path = next((p for p in (folder / name, folder / f"{name}.gz") if p.is_file()), None)
    if path is None:
        raise InputError(f"{folder}: no {name} or {name}.gz in this folder of raw MNIST files")
    try:
        data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        magic, *shape = struct.unpack_from(f">{1 + dimensions}I", data)
        if magic != 0x0800 | dimensions:
            raise ValueError("its first bytes are not those of an MNIST file")
        flat = np.frombuffer(data, np.uint8, offset=4 * (1 + dimensions))
        return flat.reshape(shape)
    except (OSError, EOFError, ValueError, struct.error) as error:
        raise InputError(f"{path}: not a whole MNIST file ({error})") from error


# ---- image files


def open_image(path: Path) -> Image.Image:
    """An image file as RGB(A) or grey, upright by its EXIF rotation.

    Raises InputError for anything that is not a PNG, JPEG, WebP, BMP or GIF of bearable size.
    """
    try:
        with Image.open(path, formats=FORMATS) as image:
            if image.width * image.height > MAX_PIXELS:
                raise InputError(
                    f"{path}: {image.width}×{image.height} pixels, more than the {MAX_PIXELS:,} "
                    "that are opened"
                )
            return (ImageOps.exif_transpose(image) or image).copy()
    except InputError:
        raise
    except FileNotFoundError:
        raise InputError(f"{path}: no such image") from None
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise InputError(
            f"{path}: not a readable PNG, JPEG, WebP, BMP or GIF image ({error})"
        ) from error


def read_png(data: bytes) -> Pixels:
    """A PNG's pixels, uint8 [H, W, 3]; raises InputError when it is none."""
    try:
        with Image.open(BytesIO(data), formats=("PNG",)) as image:
            return np.array(image.convert("RGB"))
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise InputError(f"not a PNG image ({error})") from error


class _Files:
    def __init__(self, spec: ImageFiles, base: Path) -> None:
        self.folder, pattern = _split(str(base / Path(spec.path).expanduser()))
        self.names: Sequence[str] = _matching(self.folder, pattern)
        if not self.names:
            raise InputError(f"no image matches {Path(self.folder, pattern)}")

    def taken(self, spec: ImageFiles) -> Sequence[int]:
        if spec.names is None:
            count = len(self.names) if spec.count is None else spec.count
            if count > len(self.names):
                raise InputError(
                    f"count {count} is more than the {len(self.names)} images of {spec.path}; "
                    "lower count, or leave it out to take them all"
                )
            return range(count)
        wanted = set(spec.names)
        places = {name: n for n, name in enumerate(self.names) if name in wanted}
        if missing := [name for name in spec.names if name not in places]:
            raise InputError(f"no {missing[0]} among the {len(self.names)} images of {spec.path}")
        return [places[name] for name in spec.names]

    def load(self, places: Sequence[int], size: int, channels: int) -> Images:
        _needs_pictures(channels)
        files = tuple(Path(self.folder, self.names[n]) for n in places)
        pixels = np.stack([_fit_file(file, size, channels) for file in files])
        return Images(pixels, tuple(f.stem for f in files), (None,) * len(files), files)


def _split(path: str) -> tuple[str, str]:
    """A pattern's folder, which has no wildcard, and what is matched below it."""
    if os.path.isdir(path):  # noqa: PTH112  # a text, as everything here: folders may be large
        return path, "*"
    if os.path.isfile(path):  # noqa: PTH113
        return str(Path(path).parent), Path(path).name
    parts = Path(path).parts
    first = next((n for n, part in enumerate(parts) if has_magic(part)), len(parts) - 1)
    return str(Path(*parts[:first])), "/".join(parts[first:])


def _matching(folder: str, pattern: str) -> list[str]:
    """Names of the image files that a pattern finds below a folder, in order.

    A folder of 100,000 is listed in a fraction of a second: no file is asked for anything.
    """
    if os.path.isfile(os.path.join(folder, pattern)):  # noqa: PTH113, PTH118
        return [pattern]
    if "/" in pattern or "**" in pattern:
        found = glob(pattern, root_dir=folder, recursive=True)  # noqa: PTH207
        names = [n for n in found if os.path.isfile(os.path.join(folder, n))]  # noqa: PTH113, PTH118
        return sorted(filter(_is_image, names), key=lambda name: name.split("/"))
    matches = compile_pattern(translate(pattern)).match
    try:
        with os.scandir(folder) as entries:
            return sorted(
                entry.name
                for entry in entries
                if _is_image(entry.name) and matches(entry.name) and entry.is_file()
            )
    except OSError:
        return []


def _is_image(name: str) -> bool:
    return name.lower().endswith(SUFFIXES) and not name.startswith(".")


def _fit_file(path: Path, size: int, channels: int) -> Pixels:
    return _fit(np.asarray(open_image(path).convert("RGB")), size, channels)


def _fit(pixels: Pixels, size: int, channels: int) -> Pixels:
    """RGB pixels [H, W, 3] resized and centre-cropped to [size, size, channels]."""
    if channels == 3 and pixels.shape[:2] == (size, size):
        return pixels
    image = Image.fromarray(pixels)
    if channels == 1:
        image = image.convert("L")
    fitted = ImageOps.fit(image, (size, size), Image.Resampling.LANCZOS)
    return np.asarray(fitted).reshape(size, size, channels)
