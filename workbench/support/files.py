"""Writing files so that a reader never meets half of one, and nothing is overwritten by chance."""

import contextlib
import errno
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ddib.errors import InputError
from ddib.files import host_name, replaced, temporary_name
from ddib.paths import check_path

_FULL = (errno.ENOSPC, errno.EDQUOT)


def atomic_write(path: Path, content: bytes) -> None:
    """Put `content` at `path` in one step: a reader sees the old file or the new one.

    A symbolic link stays a link and an existing file keeps its mode. Raises OSError.
    """
    target = path.resolve()
    with replaced(target) as temporary:
        with temporary.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileNotFoundError):
            shutil.copymode(target, temporary)


@contextmanager
def new_file(path: Path) -> Iterator[Path]:
    """A temporary file beside `path`, which becomes `path` at the end unless that exists by then.

    Raises FileExistsError rather than overwrite; a body that fails leaves nothing behind.
    """
    temporary = path.with_name(temporary_name(path.name, "tmp"))
    try:
        yield temporary
        try:
            os.link(temporary, path)  # unlike a rename, a link never replaces a file
        except FileExistsError:
            raise
        except OSError:  # a file system without hard links
            if os.path.lexists(path):
                raise FileExistsError(errno.EEXIST, "already there", str(path)) from None
            temporary.rename(path)
    finally:
        temporary.unlink(missing_ok=True)


def owner_is_gone(name: str, kind: str) -> bool:
    """Whether `name` is a `temporary_name` of this kind whose process on this machine has ended.

    A process of another machine (a shared home) cannot be asked and counts as alive.
    """
    _, marker, owner = name.rpartition(f".{kind}-")
    host, _, rest = owner.rpartition("-")[0].rpartition("-")
    if not (name.startswith(".") and marker and host == host_name() and rest.isdecimal()):
        return False
    return not is_alive(int(rest))


def is_temporary(name: str, kind: str) -> bool:
    """Whether `name` is a `temporary_name` of this kind, whoever made it."""
    return name.startswith(".") and f".{kind}-" in name


def is_alive(process: int) -> bool:
    """Whether a process of this machine goes on; one that has ended unwaited for does not."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    with contextlib.suppress(OSError):  # where there is no /proc, what can be signalled goes on
        state = Path(f"/proc/{process}/stat").read_text("utf-8").rpartition(")")[2].split()[0]
        return state not in ("Z", "X")
    return True


def is_full(error: BaseException) -> bool:
    """Whether the disk or the quota ran out; safetensors says so in its text alone."""
    if isinstance(error, OSError):
        return error.errno in _FULL
    return any(f"(os error {number})" in str(error) for number in _FULL)


def why(error: OSError) -> str:
    """What the operating system says, in a few words and without the path."""
    return (error.strerror or str(error)).lower()


def check_folder(folder: Path, purpose: str) -> None:
    """See that `folder` could be written to, without making it; raises InputError."""
    check_path(str(folder))
    existing = folder
    while not os.path.lexists(existing) and existing != existing.parent:
        existing = existing.parent
    if not existing.is_dir():
        raise InputError(f"{folder}: cannot hold {purpose}: {existing} is not a folder")
    if not os.access(existing, os.W_OK | os.X_OK):
        raise InputError(f"{folder}: cannot hold {purpose}: no permission to write in {existing}")


_UNITS = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}


def parse_size(text: str) -> int:
    """Bytes of a text such as 800M, 2G or 1.5 GiB; raises InputError."""
    match = re.fullmatch(r"\s*(\d+(?:\.\d*)?)\s*([KMGT]?)(?:i?B)?\s*", text, re.IGNORECASE)
    if match is None:
        raise InputError(f"{text!r} is no size; expected one such as 800M or 2G")
    return int(float(match[1]) * _UNITS[match[2].upper()])


def readable_size(count: float) -> str:
    """Bytes in the largest unit that leaves a number of at least one: 1.5 GiB."""
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if count < 1024:
            return f"{count:.0f} {unit}" if unit == "bytes" else f"{count:.1f} {unit}"
        count /= 1024
    return f"{count:.1f} TiB"
