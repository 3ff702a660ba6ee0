"""Two moons are a source of points: half circles that reach into one another."""

from math import pi, sqrt
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from ddib.data.points import Places, Points, SyntheticPoints

NOISE = 0.05  # standard deviation, of either coordinate


class Moons(SyntheticPoints):
    """Points of two half circles that reach into one another, as scikit-learn's."""

    name: ClassVar[str] = "moons"

    dataset: Literal["moons"] = Field("moons", description="which shape")

    @property
    def mean(self) -> float:
        """1/2 in x and 1/4 in y."""
        return 3 / 8

    @property
    def deviation(self) -> float:
        """By x²: 1 on average; y²: 1/2 above, 3/4 - 2/π below."""
        return sqrt((1 + 5 / 8 - 1 / pi) / 2 + NOISE**2 - self.mean**2)

    def draw(self, places: Places, generator: np.random.Generator) -> Points:
        """See `SyntheticPoints`: the upper half circle first."""
        lower, along = np.divmod(2 * places, 1)
        angle, side = pi * along, 1 - 2 * lower
        points = np.stack([lower + side * np.cos(angle), lower / 2 + side * np.sin(angle)], 1)
        return np.asarray(points + NOISE * generator.standard_normal(points.shape))
