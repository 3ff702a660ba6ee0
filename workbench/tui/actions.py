"""Actions of screens and panes: what a key does, declared once and shown wherever keys are.

A screen or a pane declares an `ActionGroup`. Its bindings, the footer, the palette, the help, the
table of `ddib-workbench keys` and the `keys:` of the configuration file all follow from it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from textual.binding import Binding, BindingType

from workbench.tui.keys import display

Keymap = dict[str, str]  # from an action's id to its keys as Textual names them, commas between
Lines = tuple[tuple[str, str], ...]  # keys, and what they do


def always(_: Any) -> str:
    """Nothing keeps an action from being available."""
    return ""


@dataclass(frozen=True)
class Action:
    """Something that a key does."""

    name: str  # as Textual calls it: "run", or with parameters "pane('grid')"
    keys: str  # the usual ones as Textual names them, commas between; the first is named in texts
    label: str  # in the footer, one or two words
    help: str = ""  # a sentence for the palette and `ddib-workbench keys`
    more: str = ""  # what the help says in its place, where there is more to say
    title: str = ""  # in the palette; without one it is not offered there
    heading: str = ""  # of the help, where it is not the group's
    shown: bool = False  # in the footer
    key_display: str | None = None  # of the first key
    handler: Callable[..., Any] | None = None  # takes the screen; None: its `action_…` method
    why_not: Callable[[Any], str] = always  # takes the screen: why there is nothing to do now
    first: bool = False  # before the focused widget sees the key
    fixed: bool = False  # the configuration file cannot change its keys

    @property
    def id(self) -> str | None:
        """By which the configuration file changes its keys."""
        fixed = self.fixed or not self.keys or "(" in self.name
        return None if fixed else self.name.rpartition(".")[2]

    @property
    def method(self) -> str:
        """The name of the method that Textual calls."""
        return f"action_{self.name.partition('(')[0]}"

    def bindings(self, *, remappable: bool) -> Iterator[BindingType]:
        """One for each key; the first is the one that the footer shows."""
        for index, key in enumerate(self.keys.split(",") if self.keys else ()):
            yield Binding(
                key,
                self.name,
                self.label,
                show=self.shown and not index,
                key_display=self.key_display if not index else None,
                priority=self.first,
                id=self.id if remappable else None,
            )


@dataclass(frozen=True)
class ActionGroup:
    """The actions of a screen or a pane, in the order of the footer, under one heading of help."""

    heading: str
    actions: Sequence[Action]
    notes: Lines = ()  # in the help, besides what the actions say
    remappable: bool = False  # by the configuration file
    page: str = ""  # of the manual
    _by_id: dict[str, Action] = field(init=False, default_factory=dict, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Index the actions; raises ValueError for one that is declared twice."""
        for action in self.actions:
            if action.id is None:
                continue
            if action.id in self._by_id:
                raise ValueError(f"{self.heading}: the action {action.id} is declared twice")
            self._by_id[action.id] = action

    def bindings(self) -> list[BindingType]:
        """The bindings of all actions."""
        return [
            binding
            for action in self.actions
            for binding in action.bindings(remappable=self.remappable)
        ]

    def find(self, name: str) -> Action | None:
        """The action of an id, or of a name without its parameters."""
        plain = name.rpartition(".")[2]
        found = (a for a in self.actions if a.name.partition("(")[0].rpartition(".")[2] == plain)
        return self._by_id.get(plain) or next(found, None)

    def keys_of(self, action: Action, keymap: Keymap) -> list[str]:
        """An action's keys as they are with a keymap."""
        keys = keymap.get(action.id or "", action.keys) if self.remappable else action.keys
        return keys.split(",") if keys else []

    def shown_keys(self, action: Action, keymap: Keymap) -> str:
        """An action's keys as the screen shows them."""
        keys = self.keys_of(action, keymap)
        if action.key_display and keys == action.keys.split(","):
            return action.key_display
        return "  ".join(map(display, keys))

    def help_lines(self, heading: str, keymap: Keymap) -> Lines:
        """The keys of now and what they do, of the actions under a heading of help."""
        return tuple(
            (self.shown_keys(action, keymap), action.more or action.help)
            for action in self.actions
            if (action.heading or self.heading) == heading
            and self.shown_keys(action, keymap)
            and (action.more or action.help)
        )


class ActionRegistry:
    """All groups that are known, by their headings, and the keys that are in use."""

    def __init__(self) -> None:
        self.groups: dict[str, ActionGroup] = {}
        self.keymap: Keymap = {}

    def register(self, group: ActionGroup) -> ActionGroup:
        """Make a group known; return it."""
        self.groups[group.heading] = group
        return group

    def remappable(self) -> Iterator[tuple[ActionGroup, Action]]:
        """The actions whose keys the configuration file may change."""
        for group in self.groups.values():
            if group.remappable:
                yield from ((group, action) for action in group.actions if action.id is not None)

    def key_of(self, name: str) -> str:
        """The key of a remappable action, as it is now and as a sentence has it.

        Raises KeyError for an action that no registered group has.
        """
        for group, action in self.remappable():
            if action.id == name:
                return display(group.keys_of(action, self.keymap)[0])
        raise KeyError(f"no screen that is loaded has an action {name!r}")


ACTIONS = ActionRegistry()
register = ACTIONS.register
key_of = ACTIONS.key_of
