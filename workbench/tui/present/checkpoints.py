"""Checkpoints of the library: found by name, and as the lines of a list. Pure functions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from workbench.library.checkpoints import Listed
from workbench.session.schema import Session
from workbench.tui.models import CheckpointView


def checkpoints(session: Session, listed: Sequence[Listed]) -> tuple[CheckpointView, ...]:
    """The library's lines: denoisers only, since a probe is no end of a bridge."""
    target = session.target.checkpoint
    targets = target if isinstance(target, tuple) else (target,)
    return tuple(
        CheckpointView(
            one.name,
            _labels(one.facts.labels) if one.facts else "",
            _facts(one),
            one.problem,
            is_source=one.name == session.source.checkpoint and one.problem is None,
            is_target=one.name in targets and one.problem is None,
            is_further=any(one.name == end.checkpoint for end in session.chain)
            and one.problem is None,
            path=str(one.path),
            domain=one.facts.domain if one.facts else "",
            parameters=one.facts.parameters if one.facts else 0,
            modified=one.modified,
            details=_details(one),
            sample=one.facts.thumbnail if one.facts else None,
        )
        for one in listed
        if one.facts is None or one.facts.kind == "denoiser"
    )


def _labels(labels: Sequence[int]) -> str:
    if len(labels) > 2 and list(labels) == list(range(labels[0], labels[-1] + 1)):
        return f"{labels[0]}–{labels[-1]}"
    text = " ".join(map(str, labels))
    return text if len(text) <= 7 else f"{len(labels)} labels"


def _facts(one: Listed) -> str:
    facts = one.facts
    if facts is None or one.problem is not None:
        return ""
    size = "points" if facts.of_points else f"{facts.image_size}×{facts.image_size}"
    return f"{size} · {facts.parameters / 1e6:.2g} M"


def _details(one: Listed) -> tuple[str, ...]:
    """Lines about a checkpoint: why it cannot be used, or what it is and how it was trained."""
    if one.problem is not None or one.facts is None:
        return (one.problem or "",)
    facts, training = one.facts, one.facts.training
    kind = ", conditional" if facts.class_conditional else ""
    lines = [facts.domain, _facts(one), f"{_labels(facts.labels)}{kind}"]
    if isinstance(steps := training.get("steps_done"), int):
        lines.append(f"{steps:,} steps")
    if isinstance(loss := training.get("loss"), int | float):
        lines.append(f"loss {loss:.3f}")
    lines.append(f"file of {date.fromtimestamp(one.modified):%Y-%m-%d}")
    return tuple(line for line in lines if line)
