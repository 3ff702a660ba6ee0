r"""File names as text: bytes that are not UTF-8 are written as `\udce9`, and found again.

Python reads such a byte as half a pair of code units, which no JSON or YAML file can hold.
"""

import os
import re

_BYTE = re.compile("[\udc80-\udcff]")
_WRITTEN = re.compile(r"\\u(005c|dc[89a-f][0-9a-f])")


def escape_name(name: str | os.PathLike[str]) -> str:
    """A name or path as text that `unescape_name` turns back; most stay what they are."""
    plain = _WRITTEN.sub(r"\\u005cu\1", os.fspath(name))
    return _BYTE.sub(lambda match: f"\\u{ord(match[0]):04x}", plain)


def unescape_name(text: str) -> str:
    """The name or path that `escape_name` made a text of."""
    return _WRITTEN.sub(lambda match: chr(int(match[1], 16)), text)
