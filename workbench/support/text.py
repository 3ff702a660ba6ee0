"""Foreign text, such as names and titles, on its way to a console, a widget or the log."""

import re

_OBEYED = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # C0 but tab and newline, DEL, C1
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # marks and overrides of direction
    "\ud800-\udfff]"  # halves of pairs: bytes of a file name that is not UTF-8
)


def clean(text: str) -> str:
    r"""`text` with everything that a terminal obeys rather than shows written as `\u001b`.

    Newlines and tabs stay. The escapes are those of JSON, which stays what it is.
    """
    return _OBEYED.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def clean_line(text: str) -> str:
    """As `clean`, in one line: newlines are written as escapes too."""
    return clean(text).replace("\n", "\\n")
