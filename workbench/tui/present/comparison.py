"""Two pictures compared: their difference as numbers and as a picture."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, log10
from typing import TYPE_CHECKING

import numpy as np

from workbench.runs.strips import rgb

if TYPE_CHECKING:
    from workbench.tui.models import Pixels

GROUND = (19, 22, 27)  # seen between pictures
GREY = 128  # no difference
GAINS = (0.5, 1, 2, 4, 8, 16, 32, 64)  # a factor that is easy to read the picture with


@dataclass(frozen=True)
class Difference:
    """B − A: a picture around grey, and how much there is, in levels of 8 bits."""

    pixels: Pixels  # [..., H, W, 3]: 128 + gain · (B − A)
    gain: float
    rmse: float
    most: int  # the largest |B − A|

    @property
    def psnr(self) -> float:
        """Decibels under the full range of 255; infinite for equal pictures."""
        return 20 * log10(255 / self.rmse) if self.rmse else inf

    @property
    def words(self) -> str:
        """The numbers."""
        if not self.most:
            return "equal, pixel for pixel"
        return f"RMSE {self.rmse:.2f} · max |Δ| {self.most} of 255 · PSNR {self.psnr:.1f} dB"

    @property
    def legend(self) -> str:
        """How the picture is to be read."""
        return f"grey is equal, Δ ×{self.gain:g}"


def difference(one: Pixels, other: Pixels) -> Difference | None:
    """`other` − `one`, pictures [..., H, W, C]; None when their sizes differ."""
    if one.shape[:-1] != other.shape[:-1]:
        return None
    delta = rgb(other).astype(np.int16) - rgb(one)
    most = int(np.abs(delta).max())
    gain = max((g for g in GAINS if g * most < GREY), default=GAINS[0])
    pixels = np.rint(GREY + gain * delta).clip(0, 255).astype(np.uint8)
    return Difference(pixels, gain, float(np.sqrt(np.mean(np.square(delta, dtype=float)))), most)


def side_by_side(pictures: Pixels, gap: int) -> Pixels:
    """Pictures [N, H, W, C] as one [H, N·(W + gap) − gap, 3]."""
    count, height, width, _ = pictures.shape
    whole = np.empty((height, count * (width + gap) - gap, 3), np.uint8)
    whole[:] = GROUND
    for index, picture in enumerate(pictures):
        left = index * (width + gap)
        whole[:, left : left + width] = picture
    return whole
