"""Numbers as people type them: one value, or a sweep of several.

`0.3` is a value; `0.01 0.1 0.3`, `[0.01, 0.1]` and `0.1..0.9/5` (five values, both ends included)
are sweeps; `1..4` counts in whole numbers.
"""

import re
from typing import Any

SWEEP_LIMIT = 1000  # more variants than this in one field is a slip of the finger
SUMMARY = 8  # cells of a sweep that is written out beside an operation's name

_SPAN = re.compile(r"\s*(\.\.|/)\s*")
_BREAK = re.compile(r"[\s,;]+")


def parse_numbers(text: str, *, integer: bool, sweep: bool = True) -> Any:
    """The number or the list of numbers in `text`; raises ValueError saying what was expected."""
    body = text.strip()
    bracketed = body.startswith("[") or body.endswith("]")
    tokens = [t for t in _BREAK.split(_SPAN.sub(r"\1", body.strip("[]").strip())) if t]
    if not tokens:
        raise ValueError("a number is needed" if not sweep else "a number, or several, is needed")
    values = [value for token in tokens for value in _expand(token, integer)]
    if len(values) > SWEEP_LIMIT:
        raise ValueError(f"{len(values)} values are more than the {SWEEP_LIMIT} a sweep may have")
    several = bracketed or len(tokens) > 1 or ".." in tokens[0]
    if several and not sweep:
        raise ValueError("one number is needed: this cannot be swept")
    return values if several else values[0]


def format_value(value: Any) -> str:
    """A value as `parse_numbers` reads it; the empty string for None."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        if len(value) == 1:
            return f"[{format_value(value[0])}]"
        return " ".join(format_value(item) for item in value)
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    return str(value)


def summarize(value: Any) -> str:
    """A value in a few cells: `0.3`, `0.1 0.4`, or `9 values`."""
    if isinstance(value, list | tuple):
        text = format_value(value)
        return text if len(text) <= SUMMARY else f"{len(value)} values"
    if isinstance(value, float) and not isinstance(value, bool):
        return f"{value:.4g}"
    return format_value(value)


def _expand(token: str, integer: bool) -> list[int | float]:
    if ".." not in token:
        return [_number(token, integer)]
    first, _, rest = token.partition("..")
    last, slash, count = rest.partition("/")
    start, end = _number(first, integer), _number(last, integer)
    if slash:
        steps = _number(count, integer=True)
        if not 2 <= steps <= SWEEP_LIMIT:
            raise ValueError(f"a range has 2 to {SWEEP_LIMIT} values: {first}..{last}/5")
        values = [start + (end - start) * i / (int(steps) - 1) for i in range(int(steps))]
        if not integer:
            return [float(f"{value:.10g}") for value in values]
        if any(value != round(value) for value in values):
            raise ValueError(f"{token} does not fall on whole numbers")
        return [round(value) for value in values]
    if integer:
        if abs(int(end) - int(start)) >= SWEEP_LIMIT:
            raise ValueError(f"{token} is more than the {SWEEP_LIMIT} values a sweep may have")
        step = 1 if end >= start else -1
        return list(range(int(start), int(end) + step, step))
    raise ValueError(f"say how many values: {first}..{last}/5")


def _number(text: str, integer: bool) -> int | float:
    try:
        return int(text) if integer else float(text)
    except ValueError:
        kind = "whole number" if integer else "number"
        raise ValueError(f"“{text}” is not a {kind}" if text else f"a {kind} is missing") from None
