"""Checkpoints are found by name or path, and their files hashed."""

import hashlib
from pathlib import Path

from platformdirs import user_data_path

from ddib.errors import InputError

ZOO = Path(__file__).parents[1] / "zoo"
USER_CHECKPOINTS = user_data_path("ddib-workbench") / "checkpoints"
SUFFIX = ".safetensors"


def resolve(name_or_path: str | Path) -> Path:
    """The file of a checkpoint by path, or by name in the zoo or the user's data folder.

    Raises InputError when there is none.
    """
    candidates = [
        Path(name_or_path).expanduser(),
        *(folder / f"{name_or_path}{SUFFIX}" for folder in (USER_CHECKPOINTS, ZOO)),
    ]
    for path in candidates:
        if path.is_file():
            return path
    raise InputError(f"no checkpoint {str(name_or_path)!r}: neither a file nor a name in the zoo")


def file_sha256(path: Path) -> str:
    """Hex digest of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check_is_no_page(path: Path) -> None:
    """Raise InputError for what downloads leave in place of weights: a pointer, or a web page.

    Raises OSError where the file cannot be read.
    """
    with path.open("rb") as file:
        head = file.read(100).lstrip().lower()
    if head.startswith(b"version https://git-lfs"):
        raise InputError(
            f"{path}: a Git LFS pointer, not the file itself: run `git lfs pull` in its repository"
        )
    if head.startswith((b"<!doctype html", b"<html", b"<?xml")):
        raise InputError(
            f"{path}: an HTML page, not weights: open the address that it was downloaded from in a "
            "browser, which shows what to do, such as to sign in"
        )
