"""Values as `parse_numbers` reads them, and in a few cells."""

from typing import Any

SUMMARY = 8  # cells of a sweep that is written out beside an operation's name


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
