"""Checkpoints of the library by name, and the label that an end of a session asks for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ddib.checkpoints.header import CheckpointFacts
from workbench.library.checkpoints import Listed
from workbench.session.schema import Session
from workbench.tui.state.session.ends import end_conditions


def find(listed: Sequence[Listed], name: str) -> Listed | None:
    """The usable checkpoint of a name."""
    return next((one for one in listed if one.name == name and one.facts is not None), None)


def wanted_label(
    session: Session, listed: Sequence[Listed], values: Mapping[str, Any], end: int
) -> int | None:
    """The label that an end's pictures should have, or its checkpoint's only one."""
    checkpoint, label = end_conditions(session, values)[end]
    if isinstance(label, int):
        return label
    found = find(listed, checkpoint) if isinstance(checkpoint, str) else None
    labels = found.facts.labels if found and found.facts else ()
    return labels[0] if label is None and len(labels) == 1 else None


@dataclass
class Library:
    """The checkpoints that were found, usable or not."""

    listed: list[Listed] = field(default_factory=list)

    def facts(self, name: str) -> CheckpointFacts | None:
        """What is known of the usable checkpoint of a name."""
        found = find(self.listed, name)
        return found.facts if found else None

    def labels(self, name: str) -> tuple[int, ...]:
        """The labels to choose from, none for a checkpoint that takes none."""
        facts = self.facts(name)
        return facts.labels if facts and facts.class_conditional else ()
