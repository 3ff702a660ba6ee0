"""Suggestions say in an error which name was probably meant."""

import difflib
from collections.abc import Iterable


def suggest(wrong: str, names: Iterable[str]) -> str:
    """How an error goes on: `; did you mean …?`, or what there is, or that there is nothing."""
    names = list(names)
    near = difflib.get_close_matches(wrong, names, n=3, cutoff=0.5)
    if near:
        return f"; did you mean {' or '.join(near)}?"
    if not names:
        return "; there are none"
    shown = ", ".join(names[:8])
    return f"; there are {shown}{' and more' if len(names) > 8 else ''}"
