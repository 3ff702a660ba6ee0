"""Colored MNIST and image files, as 8-bit pixels and as tensors in [-1, 1].

The pixels need NumPy and Pillow only, so that a screen can show them without torch.
"""

import gzip
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from glob import escape, glob
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps
from pydantic import BaseModel, ConfigDict, Field

from ddib.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor

Pixels = NDArray[np.uint8]
FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF")  # the rest of old Pillow's decoders stay shut
SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif")
MAX_PIXELS = 100_000_000
PACKAGED_MNIST = Path(__file__).parent / "zoo" / "mnist"  # 100 test digits of each kind


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


class ImageFiles(BaseModel):
    """Image files by a pattern, in the order of their names."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: str = Field(description="a file, or a pattern such as photos/*.png", min_length=1)


ImageSpec = ColoredMNIST | ImageFiles


@dataclass(frozen=True)
class Images:
    """Source images: pixels uint8 [N, H, W, C], a name each, and the digit where it is known."""

    pixels: Pixels
    names: tuple[str, ...]
    labels: tuple[int | None, ...]
    files: tuple[Path | None, ...]


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
            parts.append(
                _digits(spec, size, channels, base, left)
                if isinstance(spec, ColoredMNIST)
                else _files(spec, size, channels, base, left)
            )
        except InputError as error:
            raise InputError(str(error), key=f"source.images.{place}") from error
    return Images(
        np.concatenate([part.pixels for part in parts]),
        tuple(name for part in parts for name in part.names),
        tuple(label for part in parts for label in part.labels),
        tuple(file for part in parts for file in part.files),
    )


def colored_mnist(
    digit: int = 5, count: int = 16, seed: int = 0, root: str | None = None
) -> "Tensor":
    """Held-out colored digits as a tensor [count, 3, 32, 32] in [-1, 1]."""
    spec = ColoredMNIST(digit=digit, count=count, seed=seed, root=root)
    return to_tensor(load_images([spec], size=32, channels=3).pixels)


def to_tensor(pixels: Pixels) -> "Tensor":
    """uint8 [N, H, W, C] to a float32 tensor [N, C, H, W] in [-1, 1]."""
    import torch

    return torch.from_numpy(pixels).permute(0, 3, 1, 2).float().div(127.5).sub(1).contiguous()


def to_pixels(images: "Tensor") -> Pixels:
    """A tensor [N, C, H, W] in [-1, 1] (clipped, rounded) to uint8 [N, H, W, C]."""
    import torch

    levels = images.detach().float().add(1).mul(127.5).round().clamp(0, 255).to(torch.uint8)
    return np.ascontiguousarray(levels.permute(0, 2, 3, 1).cpu().numpy())


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


def _digits(spec: ColoredMNIST, size: int, channels: int, base: Path, limit: int | None) -> Images:
    folder = _mnist_folder(spec.root, base)
    grey, labels = read_mnist(folder, spec.split)
    indices = np.flatnonzero(labels == spec.digit)
    if spec.count > len(indices) and not (spec.repeat and len(indices)):
        where = spec.root or "the package"
        raise InputError(
            f"count {spec.count} is more than the {len(indices)} "
            f"{spec.split} images of digit {spec.digit} in {where}; "
            "lower count, name a full MNIST folder as root, or set repeat: true"
        )
    count = spec.count if limit is None else min(spec.count, limit)
    indices = np.resize(indices, count)
    hues = np.random.default_rng(spec.seed).random(count)  # the first ones are those of any count
    pixels = colorize(np.pad(grey[indices], ((0, 0), (2, 2), (2, 2))), hues)
    if (size, channels) != (32, 3):
        pixels = np.stack([_fit(image, size, channels) for image in pixels])
    names = tuple(f"{spec.split}-{spec.digit}-{n:05d}" for n in range(count))
    return Images(pixels, names, (spec.digit,) * count, (None,) * count)


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


def _files(spec: ImageFiles, size: int, channels: int, base: Path, limit: int | None) -> Images:
    pattern = str(base / Path(spec.path).expanduser())
    if Path(pattern).is_dir():
        pattern = f"{escape(pattern)}/*"
    paths = sorted(Path(p) for p in glob(pattern, recursive=True) if Path(p).is_file())  # noqa: PTH207
    if not Path(pattern).is_file():
        paths = [p for p in paths if p.suffix.lower() in SUFFIXES]
    if not paths:
        raise InputError(f"no image matches {pattern}")
    paths = paths[:limit]
    pixels = np.stack([_fit_file(path, size, channels) for path in paths])
    return Images(pixels, tuple(p.stem for p in paths), (None,) * len(paths), tuple(paths))


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
