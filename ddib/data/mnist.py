"""MNIST's raw files are read, downloaded and coloured."""

import gzip
import math
import struct
import zlib
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ddib.data.file_names import unescape_name
from ddib.data.files import check_regular
from ddib.data.pixels import Pixels
from ddib.errors import InputError
from ddib.paths import user_path

PACKAGED_MNIST = Path(__file__).parents[1] / "zoo" / "mnist"  # 100 test digits of each kind
DIGIT = 28  # pixels of an edge in the files
MOST_DIGITS = 700_000  # of a file: EMNIST's largest holds 697,932
SIZE = 32  # pixels of an edge: MNIST's 28 and a border


def count_available(digit: int, root: str | None = None, split: str = "test") -> int:
    """How many of a digit there are; raises InputError when the files are not."""
    return int((read_mnist(mnist_folder(root, Path()), split)[1] == digit).sum())


def add_border(grey: Pixels) -> Pixels:
    """MNIST's digits [N, 28, 28] with two black pixels around: [N, 32, 32]."""
    return np.pad(grey, ((0, 0), (2, 2), (2, 2)))


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


def mnist_folder(root: str | None, base: Path) -> Path:
    """The folder of raw MNIST files that is meant by `root`; None stands for the package's."""
    return PACKAGED_MNIST if root is None else user_path(unescape_name(root), base).resolve()


def _read_idx(folder: Path, name: str, dimensions: int) -> Pixels:
    path = next((p for p in (folder / name, folder / f"{name}.gz") if p.is_file()), None)
    if path is None:
        raise InputError(f"{folder}: no {name} or {name}.gz in this folder of raw MNIST files")
    check_regular(path)
    head = 4 * (1 + dimensions)
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            magic, *shape = struct.unpack(f">{1 + dimensions}I", file.read(head))
            if magic != 0x0800 | dimensions:
                raise ValueError("its first bytes are not those of an MNIST file")
            if shape[0] > MOST_DIGITS or (dimensions == 3 and shape[1:] != [DIGIT, DIGIT]):
                raise ValueError(
                    f"it says that it holds {'×'.join(map(str, shape))}; expected up to "
                    f"{MOST_DIGITS:,} digits of {DIGIT}×{DIGIT} pixels"
                )
            length = math.prod(shape)
            data = file.read(length + 1)
        if len(data) != length:
            more = "more" if len(data) > length else "less"
            raise ValueError(f"it holds {more} than the {length:,} bytes that it says")
        return np.frombuffer(data, np.uint8).reshape(shape)
    except (OSError, EOFError, ValueError, struct.error, zlib.error) as error:
        raise InputError(f"{path}: not a whole MNIST file ({error})") from error
