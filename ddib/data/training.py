"""What there is to train on: an endless supply of batches, each a pure function of a generator."""

from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
import torch
from torch import Tensor

from ddib.data.points import CHANNELS, SHAPES, ShapeName, standardised
from ddib.data.sources import ImageFiles, Pixels, colorize, load_images, read_mnist, to_tensor
from ddib.errors import InputError

POINTS = 16  # of a domain of points that share a noise level, which makes a batch cheaper


class TrainingData(Protocol):
    """Pictures to train on."""

    size: int
    channels: int
    labels: tuple[int, ...]
    facts: dict[str, Any]
    sample: tuple[int, int]  # height and width of a sample
    samples: int  # along each edge of the sheet that shows what was learned
    picture: Pixels | None  # uint8 [H, W, 3], where its colours are all there is to learn

    def batch(self, count: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """`count` images [count, C, H, W] in [-1, 1] and their labels [count] (int64).

        Of a domain of points each is a few of them: [count, C, 1, POINTS].
        """
        ...


class ColoredDigits:
    """Colored MNIST's training digits, a new hue each time one is drawn."""

    size = 32
    channels = 3
    sample = (32, 32)
    samples = 8
    picture: Pixels | None = None

    def __init__(self, root: Path, digits: tuple[int, ...], split: Literal["train", "test"]):
        self.root = root
        grey, labels = read_mnist(root, split)
        chosen = np.isin(labels, digits)
        self.grey = np.pad(grey[chosen], ((0, 0), (2, 2), (2, 2)))
        self.digits = torch.from_numpy(labels[chosen].astype(np.int64))
        self.labels = digits
        self.facts = {
            "dataset": "colored-mnist",
            "split": split,
            "digits": list(digits),
            "images": len(self.digits),
        }

    def batch(self, count: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """See `TrainingData`."""
        chosen = torch.randint(len(self.digits), (count,), generator=generator)
        hues = torch.rand(count, generator=generator, dtype=torch.float64).numpy()
        return to_tensor(colorize(self.grey[chosen.numpy()], hues)), self.digits[chosen]


class Pictures:
    """A folder of images, resized and centre-cropped, held in memory as 8-bit pixels."""

    labels: tuple[int, ...] = ()
    samples = 8
    picture: Pixels | None = None

    def __init__(self, folder: Path, size: int, channels: int = 3):
        if not folder.is_dir():
            raise InputError(f"{folder}: no such folder of images")
        self.size, self.channels, self.sample = size, channels, (size, size)
        self.pixels: Pixels = load_images(
            [ImageFiles(path=str(folder))], size=size, channels=channels
        ).pictures
        self.facts = {"folder": str(folder), "images": len(self.pixels), "size": size}

    def batch(self, count: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """See `TrainingData`; there are no labels, so they are all -1."""
        chosen = torch.randint(len(self.pixels), (count,), generator=generator)
        return to_tensor(self.pixels[chosen.numpy()]), torch.full((count,), -1)


class Synthetic:
    """Points of a two-dimensional domain, new ones in every batch."""

    size = 1
    channels = CHANNELS
    labels: tuple[int, ...] = ()
    sample = (1, 10_000)
    samples = 1
    picture: Pixels | None = None

    def __init__(self, name: ShapeName):
        self._shape = SHAPES[name]
        self.facts = {"dataset": name}

    def batch(self, count: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """See `TrainingData`; drawn anew, never with a seed that a session can give."""
        seed = torch.randint(2**62, (2,), generator=generator).tolist()
        drawn = np.random.default_rng(seed)
        points = standardised(self._shape, drawn.random(count * POINTS), drawn)
        return _few(torch.from_numpy(points)), torch.full((count,), -1)


class Colours:
    """The pixels of a picture, resized and centre-cropped: a cloud of points in RGB."""

    channels = 3
    labels: tuple[int, ...] = ()
    samples = 1

    def __init__(self, picture: Path, size: int):
        self.size, self.sample = size, (size, size)
        pixels = load_images([ImageFiles(path=str(picture))], size=size, channels=3).pictures
        self.picture: Pixels | None = pixels[0]
        self.colours = to_tensor(pixels).flatten(2)[0].T
        self.facts = {"dataset": "colours", "picture": picture.name, "size": size}

    def batch(self, count: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """See `TrainingData`; with noise as wide as the step between two 8-bit levels."""
        chosen = torch.randint(len(self.colours), (count * POINTS,), generator=generator)
        spread = (torch.rand((len(chosen), 3), generator=generator) - 0.5) / 127.5
        return _few(self.colours[chosen] + spread), torch.full((count,), -1)


def _few(points: Tensor) -> Tensor:
    """Points [count·POINTS, C] as images of one row: [count, C, 1, POINTS]."""
    return points.reshape(-1, 1, POINTS, points.shape[1]).movedim(-1, 1)
