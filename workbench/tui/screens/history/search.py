"""Stored runs found by typed words."""

from __future__ import annotations

from collections.abc import Sequence

from textual.fuzzy import Matcher

from workbench.tui.state.runs.run_list import StoredRun


def search(runs: Sequence[StoredRun], typed: str) -> list[StoredRun]:
    """The runs that every typed word is found in: literally, or loosely in the name."""
    words = typed.casefold().split()
    if not words:
        return list(runs)
    matchers = [Matcher(word) for word in words]
    literal, loose = [], []
    for run in runs:
        if all(word in run.words for word in words):
            literal.append(run)
        elif all(m.match(f"{run.name} {run.session}") for m in matchers):
            loose.append(run)
    return literal + loose
