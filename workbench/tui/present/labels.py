"""Labels as words."""

from __future__ import annotations

NUMBERS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def in_word(label: int | None) -> str:
    """A digit in words, any other label as it is."""
    if label is None:
        return ""
    return NUMBERS[label] if 0 <= label < len(NUMBERS) else str(label)


def in_words_plural(label: int | None) -> str:
    """Fives, sixes, sevens."""
    word = in_word(label)
    return word + ("es" if word == "six" else "s") if word.isalpha() else word
