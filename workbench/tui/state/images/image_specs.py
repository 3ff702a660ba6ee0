"""Which entry of images a checkpoint can read."""

from __future__ import annotations

from ddib.checkpoints.header import CheckpointFacts
from ddib.data.source import ImageSource
from ddib.data.sources import suggested_entry


def fits(spec: ImageSource, facts: CheckpointFacts) -> bool:
    """Whether a checkpoint reads what an entry gives: points or pictures."""
    return spec.of_points == facts.of_points


def fitting(facts: CheckpointFacts | None) -> ImageSource:
    """An entry of the images of a checkpoint's own domain, else of others that it can read."""
    if facts is None:
        return suggested_entry({}, (), of_points=False)
    return suggested_entry(facts.data, facts.labels, facts.of_points)
