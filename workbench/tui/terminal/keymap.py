"""The bench's keys: known by their actions, changed by the configuration file."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cache

from textual.binding import Binding, BindingType, InvalidBinding
from textual.keys import KEY_ALIASES, Keys, format_key, key_to_character

Keymap = dict[str, str]  # from an action to its keys as Textual calls them, commas between

_used: Keymap = {}

FIXED = {"ctrl+p": "the palette", "ctrl+c": "copying"}  # the framework's own
_MODIFIERS = ("ctrl", "alt", "shift")
_NAMES = frozenset(key.value for key in Keys)
_SAME = {alias: key for key, aliases in KEY_ALIASES.items() for alias in aliases}


def named(bindings: Iterable[BindingType]) -> list[BindingType]:
    """The bindings with their actions as ids, by which a keymap finds them.

    Those whose action has parameters (the panes), and the system's, keep their keys for good.
    """
    made = Binding.make_bindings(bindings)
    return [b if b.system or "(" in b.action else replace(b, id=_name(b.action)) for b in made]


def make_keymap(keys: Mapping[str, str]) -> Keymap:
    """What the configuration's `keys` mean; raises InputError that names file, line and key."""
    from ddib.errors import InputError
    from workbench.library.library import place_in_config, suggest

    actions = _default_keys()
    problems: list[tuple[str, str]] = []  # action and words
    keymap: Keymap = {}
    for action, text in keys.items():
        if action not in actions:
            problems.append((action, f"no such action{suggest(action, actions)}"))
            continue
        try:
            keymap[action] = ",".join(_parse(text))
        except ValueError as error:
            problems.append((action, f"{error}; write a key such as R, ctrl+h, f5 or ?"))
    owners = _owners(without=keymap)
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
    """Action, keys and words of all that can be remapped, in the order of the program."""
    from workbench.tui.screens.help.content import COMMANDS

    words = {b.id: b.description for b in reversed(_bindings()) if b.id}
    words |= {_name(action): text.rpartition(" (")[0] for _, text, action in COMMANDS}
    return [
        (action, ", ".join(map(spell, _keys(action, keymap, default))), words[action])
        for action, default in _default_keys().items()
    ]


def use(keymap: Keymap) -> None:
    """Every sentence from now on names the keys of this keymap."""
    global _used  # noqa: PLW0603  # a process has one keyboard
    _used = keymap


def key(action: str) -> str:
    """The key of an action of the bench, as it is now and as a sentence has it."""
    return display(_keys(action, _used, _default_keys()[action])[0])


def spell(key: str) -> str:
    """A key as the configuration file has it: `?`, not `question_mark`."""
    character = key_to_character(key)
    return character if character and character.isprintable() and character != " " else key


def display(key: str) -> str:
    """A key as the screen shows it: `^h`."""
    *modifiers, last = key.split("+")
    caret = "^" if "ctrl" in modifiers else ""
    return "+".join([*(m for m in modifiers if m != "ctrl"), caret + format_key(last)])


class Renamed:
    """Rewrites the default keys in the words of help and palette to those of a keymap."""

    def __init__(self, keymap: Keymap) -> None:
        self._now: dict[str, str] = {}
        for action, (first, *others) in _default_keys().items():
            if action in keymap:
                for write in (display, spell):
                    self._now[write(first)] = " ".join(map(display, keymap[action].split(",")))
                    self._now.update((write(other), "") for other in others)

    def column(self, keys: str) -> str:
        """Keys with spaces between: `c  esc`."""
        return re.sub(r"\S+", lambda found: self._now.get(found[0], found[0]), keys).strip()

    def ending(self, words: str) -> str:
        """Words that end with a key: `Take the last change back (u)`."""
        return re.sub(r"\((\S+)\)$", lambda key: f"({self._now.get(key[1], key[1])})", words)


def _bindings() -> list[Binding]:
    from workbench.tui.main.screen import Bench

    return list(Binding.make_bindings(Bench.BINDINGS))


def _pane_bindings() -> Iterator[Binding]:
    """What a focused pane takes before the bench does."""
    from workbench.tui.widgets.checkpoints import CheckpointList
    from workbench.tui.widgets.image_grid import ImageGrid
    from workbench.tui.widgets.recipe import RecipeList
    from workbench.tui.widgets.sheet import ContactSheet

    for pane in (CheckpointList, ImageGrid, ContactSheet, RecipeList):
        for part in pane.__mro__:
            if part.__module__.startswith("workbench."):
                yield from Binding.make_bindings(vars(part).get("BINDINGS", ()))


@cache
def _default_keys() -> dict[str, list[str]]:
    """The keys of each action that can be remapped."""
    keys: dict[str, list[str]] = {}
    for binding in _bindings():
        if binding.id:
            keys.setdefault(binding.id, []).append(binding.key)
    return keys


def _keys(action: str, keymap: Keymap, default: list[str]) -> list[str]:
    return keymap[action].split(",") if action in keymap else default


def _owners(without: Keymap) -> dict[str, str]:
    """What each key does, but for the actions that are remapped."""
    owners = dict(FIXED)
    for binding in _pane_bindings():
        owners.setdefault(binding.key, f"{binding.description!r} in a pane")
    for binding in _bindings():
        if binding.id not in without:
            owners.setdefault(binding.key, binding.id or repr(binding.description))
    return owners


def _name(action: str) -> str:
    return action.rpartition(".")[2]


def _parse(text: str) -> Iterator[str]:
    """Keys with commas between as Textual calls them; raises ValueError."""
    try:
        made = list(Binding.make_bindings([Binding(text, "")]))
    except InvalidBinding:
        raise ValueError(f"{text!r} is no key") from None
    for binding in made:
        *modifiers, last = binding.key.split("+")
        modifiers = [modifier.lower() for modifier in modifiers]
        known = len(last) == 1 or last in _NAMES or key_to_character(last) is not None
        if not known or not set(modifiers) <= set(_MODIFIERS):
            raise ValueError(f"{spell(binding.key)!r} is no key")
        if len(last) == 1 and modifiers == ["shift"]:
            modifiers, last = [], last.upper()  # terminals send the capital
        elif len(last) == 1 and modifiers:
            last = last.lower()
        key = "+".join([*modifiers, last])
        yield _SAME.get(key, key)
