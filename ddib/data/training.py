"""What there is to train on: an endless supply of batches, each a pure function of a generator."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ddib.data.digits import digits_word
from ddib.data.mnist import SIZE, add_border, colorize, read_mnist
from ddib.data.pixels import POINT_CHANNELS, Pixels, to_tensor

Draw = Callable[[NDArray[np.float64], np.random.Generator], NDArray[np.float32]]
"""Draws points float32 [N, 2] at places [N] in [0, 1) along a shape."""

POINTS = 16  # of a domain of points that share a noise level, which makes a batch cheaper


class TrainingData(Protocol):
    """Pictures to train on; `domain` is what they are called, `facts` are kept in the checkpoint.

    pointwise: each pixel is a point of its own, which an MLP reads.
    """

    domain: str
    pointwise: bool
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

    pointwise = False
    size = SIZE
    channels = 3
    sample = (SIZE, SIZE)
    samples = 8
    picture: Pixels | None = None

    def __init__(self, root: Path, digits: tuple[int, ...], split: Literal["train", "test"]):
        words = "digits" if len(digits) > 1 else digits_word(digits[0])
        self.domain = f"colored-mnist {words}"
        grey, labels = read_mnist(root, split)
        chosen = np.isin(labels, digits)
        self.grey = add_border(grey[chosen])
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
    """Pictures of one size, held in memory as 8-bit pixels [N, size, size, channels]."""

    pointwise = False
    labels: tuple[int, ...] = ()
    samples = 8
    picture: Pixels | None = None

    def __init__(self, pixels: Pixels, domain: str, facts: dict[str, Any]):
        self.domain, self.facts, self.pixels = domain, facts, pixels
        _, self.size, _, self.channels = pixels.shape
        self.sample = (self.size, self.size)

    def batch(self, count: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """See `TrainingData`; there are no labels, so they are all -1."""
        chosen = torch.randint(len(self.pixels), (count,), generator=generator)
        return to_tensor(self.pixels[chosen.numpy()]), torch.full((count,), -1)


class Synthetic:
    """Points of a two-dimensional domain, new ones in every batch."""

    pointwise = True
    size = 1
    channels = POINT_CHANNELS
    labels: tuple[int, ...] = ()
    sample = (1, 10_000)
    samples = 1
    picture: Pixels | None = None

    def __init__(self, draw: Draw, dataset: str):
        self._draw = draw
        self.domain = f"synthetic {dataset}"
        self.facts = {"dataset": dataset}

    def batch(self, count: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """See `TrainingData`; drawn anew, never with a seed that a session can give."""
        seed = torch.randint(2**62, (2,), generator=generator).tolist()
        drawn = np.random.default_rng(seed)
        points = self._draw(drawn.random(count * POINTS), drawn)
        return _few(torch.from_numpy(points)), torch.full((count,), -1)


class Colours:
    """The pixels of a square picture [size, size, 3]: a cloud of points in RGB."""

    pointwise = True
    channels = 3
    labels: tuple[int, ...] = ()
    samples = 1

    def __init__(self, pixels: Pixels, domain: str, facts: dict[str, Any]):
        self.domain, self.facts = domain, facts
        self.size = len(pixels)
        self.sample = (self.size, self.size)
        self.picture: Pixels | None = pixels
        self.colours = to_tensor(pixels[None]).flatten(2)[0].T

    def batch(self, count: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """See `TrainingData`; with noise as wide as the step between two 8-bit levels."""
        chosen = torch.randint(len(self.colours), (count * POINTS,), generator=generator)
        spread = (torch.rand((len(chosen), 3), generator=generator) - 0.5) / 127.5
        return _few(self.colours[chosen] + spread), torch.full((count,), -1)


def _few(points: Tensor) -> Tensor:
    """Points [count·POINTS, C] as images of one row: [count, C, 1, POINTS]."""
    return points.reshape(-1, 1, POINTS, points.shape[1]).movedim(-1, 1)
