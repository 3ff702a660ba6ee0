"""Keys as Textual names them, as the configuration file has them, and as the screen shows them."""

from __future__ import annotations

from collections.abc import Iterator

from textual.binding import Binding, InvalidBinding
from textual.keys import KEY_ALIASES, Keys, format_key, key_to_character

_MODIFIERS = ("ctrl", "alt", "shift")
_NAMES = frozenset(key.value for key in Keys)
_SAME = {alias: key for key, aliases in KEY_ALIASES.items() for alias in aliases}


def parse(text: str) -> Iterator[str]:
    """Keys with commas between, as Textual names them; raises ValueError for what is no key."""
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


def spell(key: str) -> str:
    """A key as the configuration file has it: `?`, not `question_mark`."""
    character = key_to_character(key)
    return character if character and character.isprintable() and character != " " else key


def display(key: str) -> str:
    """A key as the screen shows it: `^h`."""
    *modifiers, last = key.split("+")
    caret = "^" if "ctrl" in modifiers else ""
    return "+".join([*(m for m in modifiers if m != "ctrl"), caret + format_key(last)])
