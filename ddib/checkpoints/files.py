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
