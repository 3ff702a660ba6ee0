"""Averages turn a metric's values over the images into one figure.

Each takes a value per image, None where an image has none, and returns None where nothing can be
said.
"""

from collections.abc import Callable, Sequence

Values = Sequence[float | None]
Average = Callable[[Values], float | None]


def mean(values: Values) -> float | None:
    """The mean of the values that are there."""
    import numpy as np

    there = _present(values)
    return float(np.mean(there)) if there else None


def median(values: Values) -> float | None:
    """The median of the values that are there."""
    import numpy as np

    there = _present(values)
    return float(np.median(there)) if there else None


def largest(values: Values) -> float | None:
    """The largest of the values that are there."""
    return max(_present(values), default=None)


def percentile(rank: float) -> Average:
    """The average that gives the value below which `rank` per cent of the images lie."""

    def ranked(values: Values) -> float | None:
        import numpy as np

        there = _present(values)
        return float(np.percentile(there, rank)) if there else None

    return ranked


def missing(values: Values) -> float | None:
    """How many images have no value; None when all have one."""
    return float(len(values) - len(_present(values))) or None


def _present(values: Values) -> list[float]:
    return [value for value in values if value is not None]
