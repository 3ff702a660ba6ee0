"""A session's text as it comes back from an editor: a session, or what is wrong and where."""

from __future__ import annotations

from dataclasses import dataclass
from textwrap import wrap

from workbench.session.errors import SessionError
from workbench.session.reading import parse_session
from workbench.session.schema import Session

WIDTH = 80  # of the messages between the lines of the text


@dataclass(frozen=True)
class WrongLine:
    """A line of a text that cannot be read, or words about the line above."""

    number: int | None  # None for words
    text: str
    wrong: bool = False


def read_edited(text: str) -> Session | tuple[WrongLine, ...]:
    """The session, or the text with each problem below the line that has it."""
    try:
        return parse_session(text, file="")
    except SessionError as error:
        return _annotated(text, error)


def _annotated(text: str, error: SessionError) -> tuple[WrongLine, ...]:
    lines = text.splitlines() or [""]
    words: dict[int, list[str]] = {}
    for problem in error.problems:
        at = min(max(problem.line or 1, 1), len(lines))
        message = ": ".join(part for part in (problem.key, problem.message) if part)
        words.setdefault(at, []).extend(wrap(message, WIDTH))
    shown: list[WrongLine] = []
    for number, line in enumerate(lines, 1):
        shown.append(WrongLine(number, line, number in words))
        shown += [WrongLine(None, line, wrong=True) for line in words.get(number, ())]
    return tuple(shown)
