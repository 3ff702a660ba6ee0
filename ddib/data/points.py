"""The synthetic two-dimensional domains of the DDIB paper, as clouds of points.

A cloud is an image of one row: pixels float32 [1, count, 2], a point each, standardised by the
domain's own mean and deviation (one of each for both coordinates, as Su et al. do). Its points
lie in the order of their place along the shape, so that a colour by order shows where each came
from. NumPy only.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import pi, sqrt
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

Points = NDArray[np.float64]
"""Coordinates [N, 2]."""

Place = NDArray[np.float64]
"""Where along a shape points lie, [N] in [0, 1)."""

CHANNELS = 2

ShapeName = Literal[
    "moons",
    "checkerboards",
    "concentric-rings",
    "concentric-squares",
    "parallel-rings",
    "parallel-squares",
]


class SyntheticPoints(BaseModel):
    """Points of a two-dimensional domain of the DDIB paper (Su et al. 2023): one cloud."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    dataset: ShapeName = Field("moons", description="which shape")
    count: int = Field(2000, ge=1, le=100_000, description="how many points")
    seed: int = Field(0, ge=0, lt=2**63, description="draws the points")


@dataclass(frozen=True)
class Shape:
    """A distribution of points: how it is drawn at given places, its mean and its deviation."""

    draw: Callable[[Place, np.random.Generator], Points]
    mean: float
    deviation: float


def cloud(name: ShapeName, count: int, seed: int) -> NDArray[np.float32]:
    """Points of a shape, evenly spread along it, in order: float32 [count, 2]."""
    generator = np.random.default_rng(seed)
    places = (np.arange(count) + generator.random(count)) / count
    return standardised(SHAPES[name], places, generator)


def standardised(
    shape: Shape, places: Place, generator: np.random.Generator
) -> NDArray[np.float32]:
    """Points of a shape at places along it, of zero mean and unit variance: float32 [N, 2]."""
    points = (shape.draw(places, generator) - shape.mean) / shape.deviation
    return points.astype(np.float32)


# ---- the shapes: numbers, widths and distances are those of Su et al.'s code


def _moons(places: Place, generator: np.random.Generator) -> Points:
    """Two half circles that reach into one another, as scikit-learn's, with noise 0.05."""
    lower, along = np.divmod(2 * places, 1)
    angle, side = pi * along, 1 - 2 * lower
    points = np.stack([lower + side * np.cos(angle), lower / 2 + side * np.sin(angle)], 1)
    return np.asarray(points + 0.05 * generator.standard_normal(points.shape))


def _checkerboards(places: Place, generator: np.random.Generator) -> Points:
    """The eight fields of one colour of a board of four by four, from right to left."""
    across = 2 - 4 * places
    field = generator.integers(0, 2, len(places))
    up = generator.random(len(places)) - 2 * field + np.floor(across) % 2
    return np.stack([across, up], 1)


def _rings(places: Place, generator: np.random.Generator) -> tuple[NDArray[np.int64], Points]:
    """Which of three rings each place is on, and its unit vector there, clockwise."""
    which, along = np.divmod(3 * places, 1)
    angle = -2 * pi * along
    return which.astype(int), np.stack([np.cos(angle), np.sin(angle)], 1)


def _squares(places: Place, generator: np.random.Generator) -> tuple[NDArray[np.int64], Points]:
    """Which of three squares each place is on, and its point on the edge of [-1, 1]², clockwise."""
    which, along = np.divmod(3 * places, 1)
    corners = np.array([[-1, 1], [1, 1], [1, -1], [-1, -1], [-1, 1]])
    points = [np.interp(4 * along, np.arange(5), corner) for corner in corners.T]
    return which.astype(int), np.stack(points, 1)


def _three(
    outline: Callable[[Place, np.random.Generator], tuple[NDArray[np.int64], Points]],
    sizes: tuple[float, float, float],
    centres: tuple[float, float, float],
) -> Callable[[Place, np.random.Generator], Points]:
    """Three outlines of some sizes, as wide as `WIDTH`, with centres on the first axis."""

    def draw(places: Place, generator: np.random.Generator) -> Points:
        which, points = outline(places, generator)
        size = np.array(sizes)[which] + WIDTH * (generator.random(len(places)) - 0.5)
        points = points * size[:, None]
        points[:, 0] += np.array(centres)[which]
        return points

    return draw


WIDTH = 0.5


def _deviation(
    edge: float, sizes: tuple[float, float, float], centres: tuple[float, float, float]
) -> float:
    """Of three outlines: `edge` is the mean square of a coordinate on the outline of size 1."""
    size = sum(s**2 for s in sizes) / 3 + WIDTH**2 / 12
    return sqrt(edge * size + sum(c**2 for c in centres) / 3 / 2)


_GROWING, _EQUAL = (1.0, 2.0, 3.0), (1.0, 1.0, 1.0)
_TOGETHER, _RINGS_APART, _SQUARES_APART = (0.0, 0.0, 0.0), (-2.8, 0.0, 2.8), (-3.0, 0.0, 3.0)
_RING, _SQUARE = 1 / 2, 2 / 3

SHAPES: dict[ShapeName, Shape] = {
    # x²: 1 on average; y²: 1/2 above, 3/4 - 2/π below; the mean is 1/2 in x and 1/4 in y
    "moons": Shape(_moons, 3 / 8, sqrt((1 + 5 / 8 - 1 / pi) / 2 + 0.05**2 - (3 / 8) ** 2)),
    "checkerboards": Shape(_checkerboards, 0, sqrt(4 / 3)),
    "concentric-rings": Shape(
        _three(_rings, _GROWING, _TOGETHER), 0, _deviation(_RING, _GROWING, _TOGETHER)
    ),
    "concentric-squares": Shape(
        _three(_squares, _GROWING, _TOGETHER), 0, _deviation(_SQUARE, _GROWING, _TOGETHER)
    ),
    "parallel-rings": Shape(
        _three(_rings, _EQUAL, _RINGS_APART), 0, _deviation(_RING, _EQUAL, _RINGS_APART)
    ),
    "parallel-squares": Shape(
        _three(_squares, _EQUAL, _SQUARES_APART), 0, _deviation(_SQUARE, _EQUAL, _SQUARES_APART)
    ),
}
