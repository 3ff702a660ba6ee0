"""The two ways a thing can go wrong, told apart because their exit codes differ."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic import ValidationError


class InputError(ValueError):
    """What the user gave is wrong: a session, a checkpoint, an image, an option (exit code 2).

    The message names the file, the key and what to do. `key` is the session's key that is at
    fault, where there is one: whoever knows the session's file can add the line.
    """

    def __init__(self, message: str, key: str | None = None):
        super().__init__(message)
        self.key = key


class RunError(RuntimeError):
    """The input was right and the run failed all the same: NaN, memory, disk (exit code 1)."""


class Cancelled(Exception):
    """The user stopped the run; what was finished is kept."""


def first_problem(error: "ValidationError") -> str:
    """The first thing that pydantic found, in one line: the key and what is wrong with it."""
    first = error.errors(include_url=False, include_input=False)[0]
    key = ".".join(str(part)[:60] for part in first["loc"])
    message = first["msg"].removeprefix("Value error, ")
    return f"{key}: {message}" if key else message
