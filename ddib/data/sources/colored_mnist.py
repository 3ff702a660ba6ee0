"""Colored MNIST is a source of images: MNIST's digits, each in a hue of its own."""

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from ddib.data.loading import load_images
from ddib.data.mnist import (
    SIZE,
    add_border,
    colorize,
    download_mnist,
    mnist_folder,
    read_mnist,
)
from ddib.data.pixels import fit_pixels, to_tensor
from ddib.data.source import (
    MAX_PICKED,
    EachOnce,
    Images,
    ImageSource,
    TrainingRequest,
    check_picked,
    check_reader,
)
from ddib.errors import InputError
from ddib.paths import PathText

if TYPE_CHECKING:
    from torch import Tensor

    from ddib.data.training import ColoredDigits

MOST_DIGITS = 100_000  # digits that an entry takes
PACKAGED = 100  # digits of each kind; the last ones are set apart, sessions begin with the first


class ColoredMNIST(ImageSource):
    """MNIST digits in file order, each in a uniformly drawn hue (Gushchin et al. 2023)."""

    name: ClassVar[str] = "digits"
    class_labels: ClassVar[tuple[int, ...]] = tuple(range(10))
    path_key: ClassVar[str | None] = "root"
    training_keys: ClassVar[frozenset[str]] = frozenset({"labels", "root"})
    picks_key: ClassVar[str | None] = "indices"

    dataset: Literal["colored-mnist"] = "colored-mnist"
    digit: int = Field(
        5, ge=0, le=9, description="which digit", json_schema_extra={"enum": list(range(10))}
    )
    count: int = Field(16, ge=1, le=MOST_DIGITS, description="how many")
    seed: int = Field(0, ge=0, lt=2**63, description="draws the hues")
    root: PathText | None = Field(
        None, description="a folder of raw MNIST files; null: the package's"
    )
    split: Literal["test", "train"] = Field("test", description="which of MNIST's two files")
    repeat: bool = Field(False, description="go round again, with new hues, when they run out")
    indices: Annotated[tuple[Annotated[int, Field(ge=0)], ...] | None, EachOnce] = Field(
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

    @classmethod
    def default_entry(cls, labels: Sequence[int] = ()) -> Self:
        """See `ImageSource`."""
        return cls(digit=labels[0]) if labels and labels[0] in cls.class_labels else cls()

    @classmethod
    def domain_entry(cls, data: Mapping[str, Any], labels: Sequence[int]) -> Self | None:
        """See `ImageSource`; None for a model of digits that does not say which."""
        return super().domain_entry(data, labels) if labels else None

    @classmethod
    def training_data(cls, request: TrainingRequest) -> "ColoredDigits":
        """The digits of a split of MNIST, which is downloaded where no folder is given."""
        from ddib.data.training import ColoredDigits

        folder = request.root or download_mnist(request.downloads / "mnist")
        there = set(read_mnist(folder, request.split)[1].tolist())
        digits = tuple(sorted(set(request.labels) or there))
        if missing := [digit for digit in digits if digit not in there]:
            held = ", ".join(map(str, sorted(there))) or "none at all"
            raise InputError(
                f"{folder} has no {request.split} images of digit {missing[0]}; it has {held}",
                "labels",
            )
        if not digits:
            raise InputError(f"{folder} has no {request.split} images", "root")
        return ColoredDigits(folder, digits, request.split)

    @classmethod
    def examples(cls, folder: Path) -> Sequence[Self]:
        """See `ImageSource`."""
        return [cls(count=3), cls(digit=7, count=5, indices=(4, 1)), cls(count=101, repeat=True)]

    def find(self, base: Path) -> "AvailableDigits":
        """The digits of this kind in the files; raises InputError when a file is missing."""
        return AvailableDigits(self, base)

    def untaken(self) -> Self:
        """See `ImageSource`."""
        count = self.count if self.repeat else 1
        return self.model_copy(update={"count": count, "indices": None})

    def with_places(self, names: Sequence[str], places: Iterable[int]) -> Self:
        """See `ImageSource`."""
        chosen = sorted(places)
        count = chosen[-1] + 1
        if len(chosen) == count:
            return self.model_copy(update={"count": count, "indices": None})
        check_picked(len(chosen))
        return self.model_copy(update={"count": count, "indices": tuple(chosen)})

    def next_entry(self) -> Self:
        """The next digit."""
        return self.model_copy(update={"digit": (self.digit + 1) % 10, "indices": None})

    def set_apart(self) -> Self:
        """All packaged digits of this kind."""
        return self.model_copy(update={"count": PACKAGED})


class AvailableDigits:
    """The digits of one kind in a folder of raw MNIST files, and the hue of each."""

    def __init__(self, entry: ColoredMNIST, base: Path) -> None:
        folder = mnist_folder(entry.root, base)
        self._grey, labels = read_mnist(folder, entry.split)
        self._entry = entry
        self._rows = np.flatnonzero(labels == entry.digit)
        there = len(self._rows)
        self.count = max(there, entry.count) if entry.repeat and there else there

    @cached_property
    def names(self) -> Sequence[str]:
        """See `Available`."""
        return [f"{self._entry.split}-{self._entry.digit}-{n:05d}" for n in range(self.count)]

    @cached_property
    def _hues(self) -> NDArray[np.float64]:
        return np.random.default_rng(self._entry.seed).random(self.count)

    def taken(self, spec: ColoredMNIST) -> Sequence[int]:
        """See `Available`."""
        if spec.count > self.count:
            where = spec.root or "the package"
            raise InputError(
                f"count {spec.count} is more than the {self.count} "
                f"{spec.split} images of digit {spec.digit} in {where}; "
                "lower count, name a full MNIST folder as root, or set repeat: true"
            )
        return range(spec.count) if spec.indices is None else spec.indices

    def load(self, places: Sequence[int], size: int, channels: int) -> Images:
        """See `Available`."""
        check_reader(ColoredMNIST, self._entry.dataset, channels)
        chosen = np.asarray(places, int)
        grey = self._grey[self._rows[chosen % len(self._rows)]]
        pixels = colorize(add_border(grey), self._hues[chosen])
        if (size, channels) != (SIZE, 3):
            pixels = np.stack([fit_pixels(image, size, channels) for image in pixels])
        count = len(places)
        names = tuple(self.names[n] for n in places)
        return Images(pixels, names, (self._entry.digit,) * count, (None,) * count)


def colored_mnist(
    digit: int = 5, count: int = 16, seed: int = 0, root: str | None = None
) -> "Tensor":
    """Held-out colored digits as a tensor [count, 3, 32, 32] in [-1, 1]."""
    entry = ColoredMNIST(digit=digit, count=count, seed=seed, root=root)
    return to_tensor(load_images([entry], size=SIZE, channels=3).pixels)
