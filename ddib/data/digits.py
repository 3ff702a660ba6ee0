"""The names of the digits, for labels and for the names of domains."""

from __future__ import annotations

DIGIT_WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def digit_word(label: int | None) -> str:
    """A digit in words, any other label as it is; empty for none."""
    if label is None:
        return ""
    return DIGIT_WORDS[label] if 0 <= label < len(DIGIT_WORDS) else str(label)


def digits_word(label: int | None) -> str:
    """A digit in the plural: fives, sixes, sevens."""
    word = digit_word(label)
    return word + ("es" if word == "six" else "s") if word.isalpha() else word
