"""Three squares are a source of points."""

from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ddib.data.outlines import ThreeOutlines
from ddib.data.points import Points

CORNERS = ((-1, 1), (1, 1), (1, -1), (-1, -1), (-1, 1))


class Squares(ThreeOutlines):
    """Points of three squares, inside one another or side by side."""

    name: ClassVar[str] = "squares"
    distance: ClassVar[float] = 3.0
    mean_square: ClassVar[float] = 2 / 3

    dataset: Literal["concentric-squares", "parallel-squares"] = Field(
        "concentric-squares", description="which shape"
    )

    def trace(self, along: NDArray[np.float64]) -> Points:
        """See `ThreeOutlines`."""
        points = [np.interp(4 * along, np.arange(5), corner) for corner in np.array(CORNERS).T]
        return np.stack(points, 1)
