"""A checkerboard is a source of points: the eight fields of one colour of four by four."""

from math import sqrt
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from ddib.data.points import Places, Points, SyntheticPoints


class Checkerboards(SyntheticPoints):
    """Points of the eight fields of one colour of a board of four by four."""

    name: ClassVar[str] = "checkerboards"

    dataset: Literal["checkerboards"] = Field("checkerboards", description="which shape")

    @property
    def deviation(self) -> float:
        """Of a coordinate that is uniform from -2 to 2."""
        return sqrt(4 / 3)

    def draw(self, places: Places, generator: np.random.Generator) -> Points:
        """See `SyntheticPoints`: from right to left."""
        across = 2 - 4 * places
        field = generator.integers(0, 2, len(places))
        up = generator.random(len(places)) - 2 * field + np.floor(across) % 2
        return np.stack([across, up], 1)
