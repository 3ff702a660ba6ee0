"""A path as somebody wrote it is checked here for what no file can be called."""

import os
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field

from ddib.errors import InputError

MAX_NAME, MAX_PATH = 255, 4095  # bytes that Linux allows; nobody allows more
_SHOWN = 60  # characters of a path in a message about it


def check_path(text: str) -> str:
    """The text itself, where a file could be called so; raises InputError, which shows it."""
    shown = f"{text[:_SHOWN]!r}{'…' if len(text) > _SHOWN else ''}"
    if "\0" in text:
        raise InputError(f"{shown}: no path holds the character NUL")
    try:
        encoded = os.fsencode(text)
    except UnicodeEncodeError as error:
        raise InputError(
            f"{shown}: no file name can hold {text[error.start]!a} here; write another name"
        ) from None
    if len(encoded) > MAX_PATH:
        raise InputError(f"{shown}: a path of {len(encoded):,} bytes; at most {MAX_PATH:,} can be")
    longest = max(map(len, encoded.split(b"/")))
    if longest > MAX_NAME:
        raise InputError(f"{shown}: a name of {longest} bytes in it; at most {MAX_NAME} can be")
    return text


PathText = Annotated[str, Field(min_length=1), AfterValidator(check_path)]
"""A field that holds a path, or a name that becomes one."""


def user_path(text: str | Path, base: Path = Path()) -> Path:
    """The path that a text means: `~` is a home folder, a relative one starts from `base`.

    Raises InputError for what no file can be called, and for the home of nobody.
    """
    path = Path(check_path(str(text)))
    try:
        return base / path.expanduser()
    except RuntimeError:
        raise InputError(
            f"{path}: there is no user {path.parts[0][1:]!r} here, whose home that would be; "
            f"a folder of that name is ./{path.parts[0]}"
        ) from None
