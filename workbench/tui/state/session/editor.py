"""Edits of the open session by name, each of them one step of undo."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from workbench.session.schema import Session
from workbench.support.ranges import parse_numbers
from workbench.tui.models import Place, Position
from workbench.tui.state.images.image_specs import fits, fitting
from workbench.tui.state.session import edits
from workbench.tui.state.session.document import Document
from workbench.tui.state.session.ends import ends
from workbench.tui.state.session.library import Library


class SessionEditor:
    """Changes a document's session; what it is changed to depends on the library."""

    def __init__(self, document: Document, library: Library) -> None:
        self._document, self._library = document, library

    @property
    def session(self) -> Session:
        """The session as it stands."""
        return self._document.session

    def change(self, session: Session, what: str, merge: str | None = None) -> bool:
        """Make a session the present one; False when it is that already."""
        return self._document.history.push(session, what, merge)

    # ---- ends

    def choose_checkpoint(self, end: str, name: str, label: Any = None) -> bool:
        """Make a checkpoint the source or the target, or go on to it from the last end.

        A source that cannot read the session's images gets others that it can read.
        """
        if end == "further":
            return self.change(edits.with_further(self.session, name, label), f"on to {name}")
        if end == "target":
            return self.change(edits.with_target(self.session, name, label), f"target {name}")
        session = edits.with_source(self.session, name, label)
        facts = self._library.facts(name)
        if facts and not all(fits(spec, facts) for spec in session.source.images):
            session = edits.with_only_images(session, fitting(facts))
        return self.change(session, f"source {name}")

    def remove_last_end(self) -> str:
        """Take the last end off the chain; return what is wrong with that, or ""."""
        if not self.session.chain:
            return "the bridge ends at the target; + on a checkpoint goes on from there"
        last = ends(self.session)[-1]
        self.change(edits.without_further(self.session), f"no {last} at the end")
        return ""

    # ---- operations

    def offered_operations(self) -> list[tuple[str, str]]:
        """The operations that fit the session's domain: name and what it does."""
        facts = self._library.facts(self.session.source.checkpoint)
        return edits.offered_operations(of_points=facts is not None and facts.of_points)

    def add_operation(self, name: str, position: Position) -> Place:
        """Insert an operation with its defaults; return where it is."""
        session = edits.insert(self.session, position, edits.new_operation(name))
        self.change(session, f"add {name.replace('_', ' ')}")
        return Place("operation", position)

    def edit_operation(self, what: str, position: Position) -> Place:
        """Toggle, remove, duplicate or move ("up", "down") an operation.

        Returns the place where the cursor belongs afterwards.
        """
        session, at = self.session, position
        name = edits.operation_title(edits.operation_at(session, position))
        if what == "toggle":
            session = edits.toggle(session, position)
        elif what == "remove":
            session = edits.remove(session, position)
        elif what == "duplicate":
            session = edits.duplicate(session, position)
            at = Position(position.stage, position.index + 1)
        else:
            session, at = edits.move(session, position, -1 if what == "up" else 1)
        self.change(session, f"{what} {name}")
        there = len(edits.operations(session, at.stage))
        return Place("operation" if at.index < there else "add", at)

    # ---- the whole

    def rename(self, title: str) -> bool:
        """Give the session another title; False when it is that already."""
        return self.change(edits.with_title(self.session, title), "title")


def parse_label(typed: str) -> Any:
    """A typed label, a tuple of several, or "own"; raises ValueError."""
    if typed.strip() == "own":
        return "own"
    value = parse_numbers(typed, integer=True)
    return tuple(value) if isinstance(value, list) else value


def label_problem(typed: str, labels: Sequence[int], *, sweep: bool) -> str | None:
    """What is wrong with a typed label, if anything; `sweep`: whether several may be typed."""
    try:
        value = parse_label(typed)
    except ValueError as error:
        return str(error)
    if value == "own":
        return None
    if isinstance(value, tuple) and not sweep:
        return "one label is needed: only the target's can be swept"
    missing = [v for v in (value if isinstance(value, tuple) else (value,)) if v not in labels]
    return f"it has no label {missing[0]}" if missing else None
