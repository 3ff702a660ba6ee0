"""An image source says where images come from: its keys in a session, its files, its training data.

A source is one class in one file: a subclass of `ImageSource` with a `name` registers itself, and
is then offered by the session's schema, by the form of the source images, by `train --dataset` and
by `checkpoints adapt`, and is run through the generic tests with its own examples.
"""

from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol, Self, cast, get_args

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator, BaseModel, ConfigDict, PrivateAttr

from ddib.data.pixels import POINT_CHANNELS, Pixels, Values, rounded
from ddib.data.scatter import scatter
from ddib.errors import InputError
from ddib.registry import Registry

if TYPE_CHECKING:
    from ddib.data.training import TrainingData

VERSION = 2  # of what a session file means; what it leaves unsaid stays what it was in that version
MAX_PICKED = 4096  # single images that an entry of a session may name


@dataclass(frozen=True)
class Images:
    """Source images: pixels uint8 [N, H, W, C], a name each, and the class where it is known.

    Of deep pictures: float32 [N, H, W, C] in [-1, 1]. Of clouds of points: coordinates float32
    [N, 1, count, 2]. notes: what a user should know of how they were read.
    """

    pixels: Values
    names: tuple[str, ...]
    labels: tuple[int | None, ...]
    files: tuple[Path | None, ...]
    notes: tuple[str, ...] = ()

    @property
    def pictures(self) -> Pixels:
        """What is shown of them, uint8 [N, H, W, C]: clouds as scatter plots."""
        if self.pixels.shape[-1] == POINT_CHANNELS:
            return scatter(cast(NDArray[np.float32], self.pixels[:, 0]))
        return rounded(self.pixels)


class Available(Protocol):
    """The images that an entry could take, found without reading them."""

    @property
    def names(self) -> Sequence[str]:
        """A name for each image, in order."""

    def taken(self, spec: Any) -> Sequence[int]:
        """Places of those that the entry takes; raises InputError for one that is not there."""

    def load(self, places: Sequence[int], size: int, channels: int) -> Images:
        """Some of them; raises InputError, which names all of those that cannot be read."""


@dataclass(frozen=True)
class TrainingRequest:
    """What a training asks of a source.

    dataset: one of the source's names for it, or a path; labels: the classes that are wanted,
    () for all; root: where the files lie, None for a place below `downloads`; size: edge of the
    images in pixels, where the source has no size of its own.
    """

    dataset: str
    labels: tuple[int, ...] = ()
    root: Path | None = None
    size: int = 32
    split: Literal["train", "test"] = "train"
    downloads: Path = Path()


class ImageSource(BaseModel):
    """An entry of a session's source images; subclasses with a `name` register themselves."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: ClassVar[str]
    """What forms call the source."""
    of_points: ClassVar[bool] = False
    """Whether it gives coordinates of points rather than pictures."""
    class_labels: ClassVar[tuple[int, ...]] = ()
    """The classes of its images, where they are known."""
    training_keys: ClassVar[frozenset[str]] = frozenset()
    """Which of a training request's `labels`, `root` and `size` its training data go by."""
    pointwise: ClassVar[bool] = False
    """Whether a training takes each pixel as a point of its own."""
    path_key: ClassVar[str | None] = None
    """The key that holds a path."""
    picks_key: ClassVar[str | None] = None
    """The key that names single images to be taken."""

    _version: int = PrivateAttr(default=VERSION)

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        if "name" in cls.__dict__:
            IMAGE_SOURCES.register(cls.name, cls)

    @classmethod
    def datasets(cls) -> tuple[str, ...]:
        """The values of its key `dataset`; () for a source that has no such key."""
        field = cls.model_fields.get("dataset")
        return get_args(field.annotation) if field else ()

    @classmethod
    def has_keys(cls, keys: Mapping[str, Any]) -> bool:
        """Whether an entry of a session with these keys is of this source."""
        return keys.get("dataset") in cls.datasets()

    @classmethod
    def default_entry(cls, labels: Sequence[int] = ()) -> Self:
        """The entry that a form begins with, of one of the labels where the source has them."""
        return cls()

    @classmethod
    def domain_entry(cls, data: Mapping[str, Any], labels: Sequence[int]) -> Self | None:
        """An entry of the images that a checkpoint was trained on; None when they are not its own.

        data: what the checkpoint's header says of them; labels: the classes that it holds.
        """
        if data.get("dataset") not in cls.datasets():
            return None
        return cls.default_entry(labels).model_copy(update={"dataset": data["dataset"]})

    @classmethod
    def training_data(cls, request: TrainingRequest) -> "TrainingData":
        """Batches to train on; raises InputError where the source has none."""
        raise InputError(f"{request.dataset} has no training data")

    @classmethod
    def examples(cls, folder: Path) -> Sequence[Self]:
        """Entries for the generic tests; the files they need are written to the folder."""
        return [cls.default_entry()]

    @abstractmethod
    def find(self, base: Path) -> Available:
        """What is there for the entry, whatever it takes of it; relative paths start from `base`.

        Raises InputError when nothing is.
        """

    def in_version(self, version: int) -> Self:
        """The entry as a session file of this version means it."""
        entry = self.model_copy()
        entry._version = version
        return entry

    def untaken(self) -> Self:
        """The entry without what says which of its images are taken."""
        return self

    def with_places(self, names: Sequence[str], places: Iterable[int]) -> Self:
        """The entry that takes the images at these places of all, by number or by name."""
        return self

    def next_entry(self) -> Self:
        """The entry that a user probably wants after this one."""
        return self

    def set_apart(self) -> Self:
        """The entry with images that sessions seldom begin with, to fit a grid on."""
        return self

    def with_path(self, change: Callable[[str], str]) -> Self:
        """The entry with its path changed, where it has one."""
        path = getattr(self, self.path_key) if self.path_key else None
        return self.model_copy(update={str(self.path_key): change(path)}) if path else self

    def without_picks(self) -> Self:
        """The entry without the key that names single images."""
        return self.model_copy(update={self.picks_key: None}) if self.picks_key else self

    def folder_stamp(self, base: Path) -> int | None:
        """Changes when files come to the entry's folder or go; None where it has no such folder."""
        return None


def _check_usable(name: str, source: type[ImageSource]) -> None:
    """Raise ValueError when a session could not tell a source from the others."""
    if not source.datasets() and "has_keys" not in vars(source):
        raise ValueError(f'{source.__name__} needs a key dataset: Literal["name"] = "name"')
    for other in IMAGE_SOURCES.values():
        if other is not source and (shared := set(source.datasets()) & set(other.datasets())):
            raise ValueError(f"dataset {shared.pop()} is taken by {other.__name__}")
    source.model_json_schema()


IMAGE_SOURCES: Registry[type[ImageSource]] = Registry(
    "image source", "image_sources", _check_usable
)


def check_reader(source: type[ImageSource], entry: str, channels: int) -> None:
    """Raise InputError when a checkpoint of so many channels cannot read what a source gives."""
    if source.of_points == (channels == POINT_CHANNELS):
        return
    if source.of_points:
        raise InputError(
            f"{entry} are points, and the source's checkpoint reads pictures; "
            f"choose synthetic-{entry} as source.checkpoint, or other images"
        )
    raise InputError(
        "the source's checkpoint reads points; give it such a dataset, as "
        "{dataset: moons, count: 2000}, or choose another source.checkpoint"
    )


def _each_once(picked: tuple[Any, ...] | None) -> tuple[Any, ...] | None:
    if picked is not None and len(set(picked)) < len(picked):
        twice = next(one for place, one in enumerate(picked) if one in picked[:place])
        raise ValueError(f"{twice} stands there twice")
    return picked


EachOnce = AfterValidator(_each_once)
"""Refuses a tuple that holds anything twice."""


def check_picked(count: int) -> None:
    """Raise ValueError when a session may not name so many single images."""
    if count > MAX_PICKED:
        raise ValueError(
            f"a session names up to {MAX_PICKED:,} single images, these are {count:,}; "
            "/ narrows the list and * takes what it shows, or only the one under the cursor"
        )
