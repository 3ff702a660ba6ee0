"""Narrowing a long list of names down while somebody types."""

import re
from collections.abc import Sequence


def matching(typed: str, names: Sequence[str]) -> Sequence[int]:
    """Places of the names that hold every typed word; if none does, of those that hold its letters.

    Letters have to stand in their order, in any case. Fast enough for 100,000 names at every key.
    """
    words = typed.casefold().split()
    if not words:
        return range(len(names))
    found: Sequence[int] = range(len(names))
    for word in words:
        found = [place for place in found if word in names[place].casefold()]
    if found:
        return found
    letters = "".join(f"[^{letter}]*{letter}" for letter in map(re.escape, "".join(words)))
    holds = re.compile(letters, re.IGNORECASE).match
    return [place for place, name in enumerate(names) if holds(name)]
