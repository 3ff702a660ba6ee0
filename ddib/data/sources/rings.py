"""Three rings are a source of points."""

from math import pi
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ddib.data.outlines import ThreeOutlines
from ddib.data.points import Points


class Rings(ThreeOutlines):
    """Points of three rings, inside one another or side by side."""

    name: ClassVar[str] = "rings"
    distance: ClassVar[float] = 2.8
    mean_square: ClassVar[float] = 1 / 2

    dataset: Literal["concentric-rings", "parallel-rings"] = Field(
        "concentric-rings", description="which shape"
    )

    def trace(self, along: NDArray[np.float64]) -> Points:
        """See `ThreeOutlines`."""
        angle = -2 * pi * along
        return np.stack([np.cos(angle), np.sin(angle)], 1)
