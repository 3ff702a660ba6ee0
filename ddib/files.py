"""A file is written whole or not at all: a reader sees the old one or the new one."""

import os
import secrets
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def replaced(path: Path) -> Iterator[Path]:
    """Yield a temporary file beside `path`, which takes its place when the body ends.

    A body that fails leaves the file that was there, and nothing beside it. Raises OSError, which
    names the file.
    """
    temporary = path.with_name(temporary_name(path.name, "tmp"))
    try:
        yield temporary
        temporary.replace(path)
    except BaseException as error:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.filename is None:
            error.filename = str(path)  # a full disk does not say for which file
        raise


def temporary_name(name: str, kind: str) -> str:
    """A hidden name that says which process of which machine made it."""
    short = name[:40]  # a file system gives a name 255 bytes
    return f".{short}.{kind}-{host_name()}-{os.getpid()}-{secrets.token_hex(3)}"


def host_name() -> str:
    """This machine's name; its hyphens would be taken for separators."""
    return socket.gethostname().partition(".")[0].replace("-", "_") or "localhost"
