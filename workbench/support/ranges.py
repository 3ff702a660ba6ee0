"""Numbers as people type them: one value, or a sweep of several.

`0.3` is a value; `0.01 0.1 0.3`, `[0.01, 0.1]` and `0.1..0.9/5` (five values, both ends included)
are sweeps, `0.001..1/4 log` one whose steps are factors; `1..4` counts in whole numbers.
"""

import math
import re
from typing import Any

SWEEP_LIMIT = 1000  # more variants than this in one field is a slip of the finger

_SPAN = re.compile(r"\s*(\.\.|/)\s*|(?<=\d)\s+(?=log\b)")
_BREAK = re.compile(r"[\s,;]+")
_RANGE = re.compile(r"[-+\d][-+.\deE\s]*\.\.[-+.\deE\s/]*(log)?\s*")
_DIGITS = 10  # of a value between the ends, counted from the range's magnitude


def parse_numbers(text: str, *, integer: bool, sweep: bool = True) -> Any:
    """The number or the list of numbers in `text`; raises ValueError saying what was expected."""
    body = text.strip()
    bracketed = body.startswith("[") or body.endswith("]")
    joined = _SPAN.sub(lambda match: match[1] or "", body.strip("[]").strip())
    tokens = [t for t in _BREAK.split(joined) if t]
    if not tokens:
        raise ValueError("a number is needed" if not sweep else "a number, or several, is needed")
    values = [value for token in tokens for value in _expand(token, integer)]
    if len(values) > SWEEP_LIMIT:
        raise ValueError(f"{len(values)} values are more than the {SWEEP_LIMIT} a sweep may have")
    several = bracketed or len(tokens) > 1 or ".." in tokens[0]
    if several and not sweep:
        raise ValueError("one number is needed: this cannot be swept")
    return values if several else values[0]


def is_range(text: str) -> bool:
    """Whether a text is written as a range of numbers, rightly or not."""
    return bool(_RANGE.fullmatch(text))


def parse_range(text: str) -> list[int | float]:
    """The numbers of a range whose type is not known: whole ones where all are whole.

    Raises ValueError.
    """
    try:
        return list(parse_numbers(text, integer=True))
    except ValueError as whole:
        try:
            return list(parse_numbers(text, integer=False))
        except ValueError as error:
            raise (whole if "more than" in str(whole) else error) from None


def _expand(token: str, integer: bool) -> list[int | float]:
    if ".." not in token:
        return [_number(token, integer)]
    first, _, rest = token.partition("..")
    last, slash, count = rest.partition("/")
    start, end = _number(first, integer), _number(last, integer)
    if slash:
        steps = int(_number(count.removesuffix("log"), integer=True))
        if not 2 <= steps <= SWEEP_LIMIT:
            raise ValueError(f"a range has 2 to {SWEEP_LIMIT} values: {first}..{last}/5")
        if start == end:
            raise ValueError(f"{token} begins where it ends")
        values = _spaced(start, end, steps, logarithmic=count.endswith("log"))
        if not integer:
            return values
        if any(value != round(value) for value in values):
            raise ValueError(f"{token} does not fall on whole numbers")
        return [round(value) for value in values]
    if integer:
        if abs(int(end) - int(start)) >= SWEEP_LIMIT:
            raise ValueError(f"{token} is more than the {SWEEP_LIMIT} values a sweep may have")
        step = 1 if end >= start else -1
        return list(range(int(start), int(end) + step, step))
    raise ValueError(f"say how many values: {first}..{last}/5")


def _spaced(start: float, end: float, steps: int, *, logarithmic: bool) -> list[int | float]:
    """Both ends as they are, and between them values of few digits."""
    if logarithmic and start * end <= 0:
        raise ValueError("a log range needs both ends above 0, or both below")
    parts = [index / (steps - 1) for index in range(1, steps - 1)]
    if logarithmic:
        inner = [start * (end / start) ** part for part in parts]
        return [start, *(_rounded(value, value) for value in inner), end]
    inner = [start + (end - start) * part for part in parts]
    return [start, *(_rounded(value, end - start) for value in inner), end]


def _rounded(value: float, measure: float) -> float:
    return round(value, _DIGITS - 1 - math.floor(math.log10(abs(measure)))) + 0.0


def _number(text: str, integer: bool) -> int | float:
    try:
        value = int(text) if integer else float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        kind = "whole number" if integer else "number"
        raise ValueError(f"“{text}” is not a {kind}" if text else f"a {kind} is missing")
    return value
