"""Scatter plots of clouds of points, drawn pixel by pixel with NumPy alone."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

SIZE = 128  # pixels of each edge
REACH = 3.0  # of both axes, to either side of the middle
BACKGROUND = (16, 16, 20)
HUES = 5 / 6  # red to violet: the ends of the order stay apart


def scatter(clouds: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Clouds of points [N, count, 2] as pictures uint8 [N, SIZE, SIZE, 3], y pointing up.

    A point's hue is its place in its cloud, so that one point has the same colour in every
    picture of it. Each is spread over the four pixels around it, in proportion; where many fall
    together their colours mix and grow towards full brightness. What lies beyond the axes is
    not seen.
    """
    return np.stack([_drawn(cloud) for cloud in clouds])


def rainbow(count: int) -> NDArray[np.float64]:
    """A colour for each place in an order, [count, 3] in [0, 1], fully saturated."""
    hue = HUES * (np.arange(count) + 0.5) / count
    corner = np.array([0.0, 4.0, 2.0])
    return np.asarray(np.clip(np.abs((hue[:, None] * 6 + corner) % 6 - 3) - 1, 0, 1))


def _drawn(points: NDArray[np.floating]) -> NDArray[np.uint8]:
    colours = rainbow(len(points))
    seen = np.isfinite(points).all(1) & (np.abs(points) < REACH).all(1)
    right, up = ((points[seen].T.astype(np.float64) / REACH + 1) / 2 * SIZE) - 0.5
    light = np.zeros((SIZE, SIZE, 4))  # red, green, blue, and how much fell there
    deposit = np.concatenate([colours[seen], np.ones((int(seen.sum()), 1))], 1)
    for row, column, share in _corners(SIZE - 1 - up, right):
        np.add.at(light, (row, column), share[:, None] * deposit)
    amount = light[..., 3:]
    colour = light[..., :3] / np.maximum(amount, 1e-12)
    opacity = 1 - np.exp(-amount * _strength(len(points)))
    return np.rint(opacity * 255 * colour + (1 - opacity) * BACKGROUND).astype(np.uint8)


def _strength(count: int) -> float:
    """How much light a point gives: few are bright, of many thousands each is faint."""
    return float(np.clip(7000 / count, 0.4, 7))


def _corners(
    down: NDArray[np.float64], across: NDArray[np.float64]
) -> Sequence[tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float64]]]:
    """The four pixels around each position, and the share of each."""
    row, column = np.floor(down), np.floor(across)
    y, x = down - row, across - column
    pixels = []
    for step_down, share_down in ((0, 1 - y), (1, y)):
        for step_across, share_across in ((0, 1 - x), (1, x)):
            inside_rows = np.clip(row + step_down, 0, SIZE - 1).astype(np.intp)
            inside_columns = np.clip(column + step_across, 0, SIZE - 1).astype(np.intp)
            pixels.append((inside_rows, inside_columns, share_down * share_across))
    return pixels
