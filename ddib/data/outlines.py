"""Three outlines of a width are a kind of domain of points: inside one another or side by side.

Numbers, widths and distances are those of Su et al.'s code (2023).
"""

from abc import abstractmethod
from math import sqrt
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from ddib.data.points import Places, Points, SyntheticPoints

WIDTH = 0.5


class ThreeOutlines(SyntheticPoints):
    """Points of three outlines: of sizes 1, 2 and 3 around one centre, or of size 1 in a row.

    distance: between the centres of two that stand side by side; mean_square: of a coordinate on
    the outline of size 1.
    """

    distance: ClassVar[float]
    mean_square: ClassVar[float]

    @property
    def sizes(self) -> tuple[float, float, float]:
        """Of the three outlines."""
        return (1.0, 2.0, 3.0) if self._concentric else (1.0, 1.0, 1.0)

    @property
    def centres(self) -> tuple[float, float, float]:
        """Of the three outlines, on the first axis."""
        return (0.0, 0.0, 0.0) if self._concentric else (-self.distance, 0.0, self.distance)

    @property
    def _concentric(self) -> bool:
        return self.dataset.startswith("concentric")

    @property
    def deviation(self) -> float:
        """Of both coordinates together."""
        size = sum(s**2 for s in self.sizes) / 3 + WIDTH**2 / 12
        return sqrt(self.mean_square * size + sum(c**2 for c in self.centres) / 3 / 2)

    @abstractmethod
    def trace(self, along: NDArray[np.float64]) -> Points:
        """Points of the outline of size 1 at places along it, [N] in [0, 1), clockwise: [N, 2]."""

    def draw(self, places: Places, generator: np.random.Generator) -> Points:
        """See `SyntheticPoints`: one outline after the other."""
        number, along = np.divmod(3 * places, 1)
        which = number.astype(int)
        size = np.array(self.sizes)[which] + WIDTH * (generator.random(len(places)) - 0.5)
        points: Points = self.trace(along) * size[:, None]
        points[:, 0] += np.array(self.centres)[which]
        return points
