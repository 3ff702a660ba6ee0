"""Clouds of points are a kind of image source: the synthetic two-dimensional domains.

A cloud is an image of one row: pixels float32 [1, count, 2], a point each, standardised by the
domain's own mean and deviation (one of each for both coordinates, as Su et al. 2023 do). Its points
lie in the order of their place along the shape, so that a colour by order shows where each came
from. NumPy only.
"""

from abc import abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ddib.data.source import Images, ImageSource, TrainingRequest, check_reader

if TYPE_CHECKING:
    from ddib.data.training import Synthetic

Points = NDArray[np.float64]
"""Coordinates [N, 2]."""

Places = NDArray[np.float64]
"""Where along a shape points lie, [N] in [0, 1)."""


class SyntheticPoints(ImageSource):
    """Points of a two-dimensional domain: one cloud.

    A domain is a subclass with a `name`, a key `dataset` that says which of its shapes, and
    `draw`, `mean` and `deviation`.
    """

    of_points: ClassVar[bool] = True
    pointwise: ClassVar[bool] = True

    dataset: str
    count: int = Field(2000, ge=1, le=100_000, description="how many points")
    seed: int = Field(0, ge=0, lt=2**63, description="draws the points")

    @property
    def mean(self) -> float:
        """The mean of all coordinates that are drawn."""
        return 0.0

    @property
    @abstractmethod
    def deviation(self) -> float:
        """The standard deviation of all coordinates that are drawn."""

    @abstractmethod
    def draw(self, places: Places, generator: np.random.Generator) -> Points:
        """The shape's points at places along it: [N, 2]."""

    def draw_standardised(
        self, places: Places, generator: np.random.Generator
    ) -> NDArray[np.float32]:
        """Points at places along the shape, of zero mean and unit variance: float32 [N, 2]."""
        points = (self.draw(places, generator) - self.mean) / self.deviation
        return points.astype(np.float32)

    def cloud(self) -> NDArray[np.float32]:
        """The entry's points, evenly spread along the shape, in order: float32 [count, 2]."""
        generator = np.random.default_rng(self.seed)
        places = (np.arange(self.count) + generator.random(self.count)) / self.count
        return self.draw_standardised(places, generator)

    @classmethod
    def training_data(cls, request: TrainingRequest) -> "Synthetic":
        """New points in every batch."""
        from ddib.data.training import Synthetic

        entry = cls.model_validate({"dataset": request.dataset})
        return Synthetic(entry.draw_standardised, request.dataset)

    @classmethod
    def examples(cls, folder: Path) -> Sequence[Self]:
        """See `ImageSource`."""
        return [cls.model_validate({"dataset": name, "count": 50}) for name in cls.datasets()]

    def find(self, base: Path) -> "AvailableCloud":
        """The one cloud."""
        return AvailableCloud(self)

    def set_apart(self) -> Self:
        """The points of another seed."""
        return self.model_copy(update={"seed": 1})


class AvailableCloud:
    """One cloud of points, drawn when it is loaded."""

    def __init__(self, entry: SyntheticPoints) -> None:
        self._entry = entry
        self.names: Sequence[str] = [f"{entry.dataset}-{entry.seed}"]

    def taken(self, spec: SyntheticPoints) -> Sequence[int]:
        """See `Available`."""
        return range(1)

    def load(self, places: Sequence[int], size: int, channels: int) -> Images:
        """See `Available`."""
        check_reader(type(self._entry), self._entry.dataset, channels)
        return Images(self._entry.cloud()[None, None], tuple(self.names), (None,), (None,))
