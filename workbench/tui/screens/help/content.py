"""The keys and the words of the screen, for the help."""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec

from workbench.tui import screens
from workbench.tui.actions import ACTIONS, ActionGroup, Keymap, Lines, key_of, register

EVERYWHERE = "Everywhere"

Group = tuple[str, Lines]

VALUES = register(
    ActionGroup(
        "Values",
        (),
        notes=(
            ("0.3", "one value"),
            ("0.01 0.1 0.3", "a sweep: a variant for each value; also [0.01, 0.1, 0.3]"),
            ("0.1..0.9/5", "five values from 0.1 to 0.9"),
            ("1..4", "1, 2, 3 and 4"),
            ("↑ ↓", "a step more or less, a tenth of its power of ten; with shift tenfold"),
            ("tab  enter", "the next field; shift+tab goes back"),
            ("esc", "back to the list"),
        ),
    )
)


def signs() -> Lines:
    """What the signs on the screen mean."""
    return (
        ("●", "fresh: follows from the session as it stands"),
        ("○", f"stale: the session was changed since; {key_of('run')} runs it again"),
        ("◐", "being computed; partial: cancelled before it was whole"),
        ("σ κ", "standard deviation and kurtosis of a latent: 1 and 3 when Gaussian"),
        ("seven · 4°", "the label that the probe gives a result; how far its hue moved"),
    )


def help_for(heading: str, keymap: Keymap) -> list[Group]:
    """Every heading with its keys as they are now: `heading` first, then those for everywhere."""
    load_actions_of_screens()
    found = [*_groups(keymap), ("Signs", signs())]
    return sorted(found, key=lambda group: (group[0] != heading, group[0] != EVERYWHERE, group[0]))


def load_actions_of_screens() -> None:
    """Import the actions of every screen, which register themselves."""
    for module in pkgutil.iter_modules(screens.__path__, f"{screens.__name__}."):
        if module.ispkg and find_spec(f"{module.name}.actions"):
            import_module(f"{module.name}.actions")


def _groups(keymap: Keymap) -> Iterator[Group]:
    """The headings of all groups, each with what any group says under it."""
    for heading, group in ACTIONS.groups.items():
        lines = (each.help_lines(heading, keymap) for each in ACTIONS.groups.values())
        yield heading, (*(line for part in lines for line in part), *group.notes)
