"""Checkpoints are found by name or path, and their files hashed."""

import hashlib
import os
import stat
from pathlib import Path
from typing import BinaryIO

from platformdirs import user_data_path

from ddib.errors import InputError
from ddib.paths import user_path

ZOO = Path(__file__).parents[1] / "zoo"
USER_CHECKPOINTS = user_data_path("ddib-workbench") / "checkpoints"
SUFFIX = ".safetensors"


def resolve(name_or_path: str | Path) -> Path:
    """The file of a checkpoint by name in the user's data folder or the zoo, or by path.

    Raises InputError when there is none.
    """
    path = user_path(name_or_path)
    if isinstance(name_or_path, str) and not is_path(name_or_path):
        named = (folder / f"{name_or_path}{SUFFIX}" for folder in (USER_CHECKPOINTS, ZOO))
        path = next((file for file in named if file.is_file()), path)
    if not path.is_file():
        raise InputError(
            f"no checkpoint {str(name_or_path)!r}: there is neither a file of that path nor a "
            "checkpoint of that name; `ddib-workbench checkpoints list` lists the names"
        )
    return path


def is_path(name: str) -> bool:
    """Whether a checkpoint is meant by its path: with a separator, or ending in `.safetensors`.

    All else, dots included, is a name in the library.
    """
    return "/" in name or os.sep in name or name.endswith(SUFFIX)


def open_file(path: Path) -> BinaryIO:
    """Open a file of weights for reading.

    Raises InputError where there is none, for a pipe, which would keep the reader waiting, and for
    what downloads leave in place of weights.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise InputError(
                f"{path}: a {'folder' if path.is_dir() else 'pipe or device'}; expected a file"
            )
        with path.open("rb") as file:
            _check_is_no_page(path, file.read(100))
        return path.open("rb")
    except FileNotFoundError:
        raise InputError(f"{path}: no such checkpoint") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error


def file_sha256(path: Path) -> str:
    """Return the sha256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _check_is_no_page(path: Path, head: bytes) -> None:
    """Raise InputError for what downloads leave in place of weights: a pointer, or a web page.

    head: how the file begins.
    """
    head = head.lstrip().lower()
    if head.startswith(b"version https://git-lfs"):
        raise InputError(
            f"{path}: a Git LFS pointer, not the file itself: run `git lfs pull` in its repository"
        )
    if head.startswith((b"<!doctype html", b"<html", b"<?xml")):
        raise InputError(
            f"{path}: an HTML page, not weights: open the address that it was downloaded from in a "
            "browser, which shows what to do, such as to sign in"
        )
