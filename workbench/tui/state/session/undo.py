"""Undo and redo over immutable states, nothing of the screen."""

from dataclasses import dataclass
from typing import Generic, TypeVar

State = TypeVar("State")

LIMIT = 500  # states kept; a session is a few kilobytes


@dataclass(frozen=True)
class _Entry(Generic[State]):
    state: State
    what: str  # the change that led here, in words
    merge: str | None  # consecutive changes with the same key are one step of undo


class History(Generic[State]):
    """A line of states with a present; equality of states decides what is saved."""

    def __init__(self, state: State, *, saved: bool = True) -> None:
        self._entries = [_Entry(state, "", None)]
        self._index = 0
        self._saved: State | None = state if saved else None

    @property
    def present(self) -> State:
        """The state everything shows."""
        return self._entries[self._index].state

    @property
    def dirty(self) -> bool:
        """Whether the present differs from what was last saved."""
        return self._saved != self.present

    @property
    def can_undo(self) -> bool:
        """Whether there is a state before the present."""
        return self._index > 0

    @property
    def can_redo(self) -> bool:
        """Whether there is a state after the present."""
        return self._index + 1 < len(self._entries)

    def push(self, state: State, what: str, merge: str | None = None) -> bool:
        """Make `state` the present; False when it is the present already.

        With a `merge` key, a change that follows one of the same key replaces it, so that typing a
        number is undone in one step.
        """
        if state == self.present:
            return False
        del self._entries[self._index + 1 :]
        entry = _Entry(state, what, merge)
        if merge is not None and self._entries[-1].merge == merge:
            self._entries[-1] = entry
        else:
            self._entries.append(entry)
            del self._entries[:-LIMIT]
        self._index = len(self._entries) - 1
        return True

    def settle(self) -> None:
        """End a merged change: the next one of the same key is a step of its own."""
        entry = self._entries[self._index]
        self._entries[self._index] = _Entry(entry.state, entry.what, None)

    def undo(self) -> str | None:
        """One step back; what was undone, or None at the beginning."""
        if not self.can_undo:
            return None
        what = self._entries[self._index].what
        self._index -= 1
        self.settle()
        return what

    def redo(self) -> str | None:
        """One step forward; what was done again, or None at the end."""
        if not self.can_redo:
            return None
        self._index += 1
        self.settle()
        return self._entries[self._index].what

    def mark_saved(self) -> None:
        """The present is what the file holds."""
        self._saved = self.present
        self.settle()
