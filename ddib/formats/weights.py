"""The tensors in a file of weights are read, whoever wrote it, without executing what it holds."""

from __future__ import annotations

import pickle
import zipfile
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from ddib.checkpoints.weights import read_tensors
from ddib.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor

_ZIP, _PICKLE = b"PK\x03\x04", b"\x80"
_WRAPPERS = ("state_dict", "model_state_dict", "ema", "model")


def read_weights(path: Path) -> dict[str, Tensor]:
    """Names and tensors of a `.pt` written by torch.save, or of a safetensors file.

    Raises InputError for a file that is missing, damaged, larger when unpacked than it is, that
    holds anything but tensors, or NaN.
    """
    try:
        with path.open("rb") as file:
            head = file.read(4)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error
    if head == _ZIP:
        state = _read_torch(path)
    elif head[:1] == _PICKLE:
        raise InputError(
            f"{path}: a plain pickle, which executes code when it is loaded, and is not opened. "
            "Of EDM's networks take the raw tensors: in an environment that you trust, "
            "torch.save(pickle.load(file)['ema'].state_dict(), 'weights.pt'); of a file that torch "
            "wrote before version 1.6, torch.save(torch.load(file), 'weights.pt')"
        )
    else:
        state = read_tensors(path)
    if bad := next((name for name, t in state.items() if _is_more_than_it_holds(t)), None):
        raise InputError(f"{path}: {bad} is larger than what is there of it; it is not opened")
    if bad := next((name for name, t in state.items() if not bool(t.isfinite().all())), None):
        raise InputError(f"{path}: {bad} holds NaN or infinite values")
    return {name: tensor.float() for name, tensor in state.items()}


def _is_more_than_it_holds(tensor: Tensor) -> bool:
    """Whether few bytes are made out to be many, by a stride of zero."""
    return tensor.numel() * tensor.element_size() > tensor.untyped_storage().nbytes()


def _read_torch(path: Path) -> dict[str, Tensor]:
    import torch

    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
        parts = (part for entry in entries for part in PurePosixPath(entry.filename).parts)
        if any(part in ("..", "/") for part in parts):
            raise InputError(f"{path}: an archive with paths that leave it; it is not opened")
        packed = any(entry.compress_type != zipfile.ZIP_STORED for entry in entries)
        if packed or sum(entry.file_size for entry in entries) > path.stat().st_size:
            raise InputError(
                f"{path}: a packed archive, which torch does not write; it is not opened"
            )
        content = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    except pickle.UnpicklingError as error:
        reason = str(error).partition("\n")[0]
        raise InputError(
            f"{path}: holds more than tensors, and is not opened: it could execute code ({reason})"
        ) from error
    except (RuntimeError, OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise InputError(f"{path}: damaged: {str(error).partition(chr(10))[0]}") from error
    while isinstance(content, dict) and (inner := _wrapped(content)) is not None:
        content = inner
    if not isinstance(content, dict) or not all(
        isinstance(t, torch.Tensor) for t in content.values()
    ):
        raise InputError(f"{path}: no dictionary of tensors")
    return {str(name).removeprefix("module."): tensor for name, tensor in content.items()}


def _wrapped(content: dict[object, object]) -> object | None:
    """What a training program has put around the weights, if it has."""
    return next((content[key] for key in _WRAPPERS if isinstance(content.get(key), dict)), None)
