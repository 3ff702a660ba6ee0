"""Which entry of images a checkpoint can read."""

from __future__ import annotations

from ddib.checkpoints.checkpoint import CheckpointFacts
from ddib.data.points import CHANNELS, SHAPES, SyntheticPoints
from ddib.data.sources import ColoredMNIST, ImageSpec


def fits(spec: ImageSpec, facts: CheckpointFacts) -> bool:
    """Whether a checkpoint reads what an entry gives: points or pictures."""
    return isinstance(spec, SyntheticPoints) == (facts.channels == CHANNELS)


def fitting(facts: CheckpointFacts | None) -> ImageSpec:
    """An entry of the images of a checkpoint's own domain, where that is known: else fives."""
    if facts is not None and facts.channels == CHANNELS:
        name = facts.data.get("dataset")
        return SyntheticPoints(dataset=name) if name in list(SHAPES) else SyntheticPoints()
    labels = facts.labels if facts else ()
    return ColoredMNIST(digit=labels[0] if labels and 0 <= labels[0] <= 9 else 5)
