"""Optimal transport between two clouds of colours is computed, to compare translations with it.

It uses the POT library (Flamary et al. 2021), which is optional: the extra `ot`.
"""

from functools import lru_cache
from importlib.util import find_spec
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import Tensor

Points = NDArray[np.float64]

MOST_POINTS = 4096  # of a cloud; the plan between two such takes some ten seconds and 128 MB
REGULARISATION = 0.05  # of Sinkhorn's plan, in squared units of colours in [-1, 1]


def available() -> bool:
    """Whether the library is installed."""
    return find_spec("ot") is not None


def projections(sources: Points, targets: Points) -> dict[str, Points]:
    """Return where each source [N, C] goes under each plan to the targets [M, C], [N, C].

    "ot" is the exact plan for the squared distance, "sinkhorn" the one with entropy; a point goes
    to the mean of the targets that the plan gives it (barycentric projection). The latest are
    remembered.
    """
    return _projections(sources.tobytes(), targets.tobytes(), sources.shape[1])


def transport_error(
    images: "Tensor", sources: "Tensor", picture: "Tensor", plan: str
) -> list[float]:
    """Return the mean squared difference of each image's colours from its source's under a plan.

    images, sources: [N, C, H, W] in [-1, 1]; picture: [C, H, W], which has the target colours;
    plan: "ot" or "sinkhorn".
    """
    targets = _colours(picture)
    return [
        float(np.square(_colours(image) - projections(_colours(source), targets)[plan]).mean())
        for image, source in zip(images, sources, strict=True)
    ]


def _colours(image: "Tensor") -> Points:
    """Return the pixels of an image [C, H, W] as points [H·W, C]."""
    return np.ascontiguousarray(image.double().cpu().flatten(1).T.numpy())


@lru_cache(maxsize=16)
def _projections(sources: bytes, targets: bytes, channels: int) -> dict[str, Points]:
    import ot

    x, y = (np.frombuffer(data).reshape(-1, channels) for data in (sources, targets))
    a, b, cost = ot.unif(len(x)), ot.unif(len(y)), ot.dist(x, y)
    plans = {
        "ot": ot.emd(a, b, cost, numItermax=2_000_000),
        "sinkhorn": ot.sinkhorn(a, b, cost, REGULARISATION, numItermax=2000, stopThr=1e-6),
    }
    return {name: plan @ y / plan.sum(1, keepdims=True) for name, plan in plans.items()}
