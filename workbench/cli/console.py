"""The consoles of the command line: stdout carries data, stderr narration.

They print text as text: nothing in it is markup or an emoji's name, and nothing that a terminal
would obey arrives there.
"""

import codecs
import io
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import IO, Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

from workbench.support.text import clean

_WHOLE = 1_000_000  # columns of what is no terminal: nothing is cut or wrapped there


class CleanConsole(Console):
    """A console that shows foreign text, and never cuts or wraps what is not on a terminal."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(highlight=False, markup=False, emoji=False, **settings)

    @property
    def options(self) -> ConsoleOptions:
        """As wide as the terminal, or as anything where there is none."""
        found = super().options
        return found if is_terminal(self.file) else found.update(max_width=_WHOLE)

    def print(self, *objects: Any, **settings: Any) -> None:
        """Whole where there is no terminal whose edge would crop it."""
        super().print(*objects, **{"crop": is_terminal(self.file)} | settings)

    def render_str(self, text: str, **settings: Any) -> Text:
        """Cleaned first, so that columns are as wide as what they show."""
        return super().render_str(clean(text), **settings)

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        """Whatever a renderable is made of, its text is cleaned."""
        for segment in super().render(renderable, options):
            text, style, control = segment
            yield segment if control else Segment(clean(text), style)


data = CleanConsole()
narrate = CleanConsole(stderr=True)


def print_path(path: Path | str) -> None:
    """A path on stdout, exact for scripts and clean for people."""
    text = str(path)
    print(clean(text) if is_terminal(sys.stdout) else text)


def print_json(text: str) -> None:
    """A JSON document on stdout, in escapes where the character set lacks something."""
    encoding = codecs.lookup(sys.stdout.encoding or "utf-8").name
    data.print_json(text, ensure_ascii=encoding != "utf-8")


def show_every_character() -> None:
    """Let stdout and stderr write `?` for what their character set lacks, rather than fail.

    Bytes of file names that are not UTF-8 arrive as they were.
    """
    codecs.register_error("shown", _as_bytes)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="shown")


def let_readers_go() -> None:
    """Say nothing where whoever read stdout has gone, as `head` does."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _as_bytes(error: UnicodeError) -> tuple[bytes, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lacking = error.object[error.start : error.end]
    return b"".join(
        bytes([ord(character) - 0xDC00]) if "\udc80" <= character <= "\udcff" else b"?"
        for character in lacking
    ), error.end


def is_terminal(stream: IO[str]) -> bool:
    """Whether a person looks at it; a closed stream shows nothing to anybody."""
    return not stream.closed and stream.isatty()
