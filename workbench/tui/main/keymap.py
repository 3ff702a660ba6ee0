"""The `keys:` of the configuration file: which keys do what, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from textual.binding import Binding

import workbench.tui.main.actions  # noqa: F401  # they register themselves
from workbench.tui.actions import ACTIONS, Keymap
from workbench.tui.keys import parse, spell
from workbench.tui.main.panes.checkpoints import CheckpointList
from workbench.tui.main.panes.image_grid import ImageGrid
from workbench.tui.main.panes.recipe import RecipeList
from workbench.tui.widgets.sheet import ContactSheet

FIXED = {"ctrl+p": "the palette", "ctrl+c": "copying"}  # the framework's own
PANES = (CheckpointList, ImageGrid, ContactSheet, RecipeList)


def make_keymap(keys: Mapping[str, str]) -> Keymap:
    """What the configuration's `keys` mean; raises InputError that names file, line and key."""
    from ddib.errors import InputError
    from workbench.library.configuration import place_in_config
    from workbench.support.suggestions import suggest

    known = [str(action.id) for _, action in ACTIONS.remappable()]
    problems: list[tuple[str, str]] = []  # action and words
    keymap: Keymap = {}
    for action, text in keys.items():
        if action not in known:
            problems.append((action, f"no such action{suggest(action, known)}"))
            continue
        try:
            keymap[action] = ",".join(parse(text))
        except ValueError as error:
            problems.append((action, f"{error}; write a key such as R, ctrl+h, f5 or ?"))
    owners = _owners(keymap)
    for action, text in keymap.items():
        for key in text.split(","):
            if (other := owners.setdefault(key, action)) != action:
                problems.append((action, f"{spell(key)} is the key of {other} already"))
    if problems:
        raise InputError(
            "\n".join(
                f"{place_in_config('keys', action)}: keys.{action}: {words}"
                for action, words in problems
            )
        )
    return keymap


def key_table(keymap: Keymap) -> list[tuple[str, str, str]]:
    """Action, keys and what it does of all that can be remapped, in the order of the program."""
    return [
        (str(action.id), ", ".join(map(spell, group.keys_of(action, keymap))), action.help)
        for group, action in ACTIONS.remappable()
    ]


def _owners(keymap: Keymap) -> dict[str, str]:
    """What each key does, but for the actions that are remapped."""
    owners = dict(FIXED)
    for binding in _pane_bindings():
        owners.setdefault(binding.key, f"{binding.description!r} in a pane")
    for group in ACTIONS.groups.values():
        for action in group.actions if group.remappable else ():
            if action.id not in keymap:
                for key in group.keys_of(action, {}):
                    owners.setdefault(key, action.id or repr(action.label))
    return owners


def _pane_bindings() -> Iterator[Binding]:
    """What a focused pane takes before the main screen does."""
    for pane in PANES:
        for part in pane.__mro__:
            if part.__module__.startswith("workbench."):
                yield from Binding.make_bindings(vars(part).get("BINDINGS", ()))
