"""The tensors in a file of weights are read, whoever wrote it, without executing what it holds."""

from __future__ import annotations

import os
import pickle
import pickletools
import zipfile
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from ddib.checkpoints.files import open_file
from ddib.checkpoints.weights import read_tensors
from ddib.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor

_ZIP = b"PK\x03\x04"
_PICKLE_PROTOCOLS = tuple(bytes([0x80, protocol]) for protocol in (2, 3, 4, 5))
_PICKLE_OPENINGS = b"()[]}cl"  # of protocols 0 and 1, which do not say what they are
_WRAPPERS = ("state_dict", "model_state_dict", "ema", "model")
_OPCODES = 8  # read of a file that may be a pickle
_MOST_WRAPPERS = 8  # around each other


def read_weights(path: Path) -> dict[str, Tensor]:
    """Names and tensors of a `.pt` written by torch.save, or of a safetensors file.

    Raises InputError for a file that is missing, damaged, larger when unpacked than it is, that
    holds anything but dense tensors of common numbers, or NaN.
    """
    with open_file(path) as file:
        head = file.read(9)
    if head.startswith(_ZIP):
        state = _read_torch(path)
    elif _is_pickle(path, head):
        raise InputError(
            f"{path}: a plain pickle, which executes code when it is loaded, and is not opened. "
            "Of EDM's networks take the raw tensors: in an environment that you trust, "
            "torch.save(pickle.load(file)['ema'].state_dict(), 'weights.pt'); of a file that torch "
            "wrote before version 1.6, torch.save(torch.load(file), 'weights.pt')"
        )
    else:
        state = read_tensors(path)
    for name, tensor in state.items():
        if problem := _problem(tensor):
            raise InputError(f"{path}: {name[:100]} {problem}; it is not opened")
    return {name: tensor.float() for name, tensor in state.items()}


def _is_pickle(path: Path, head: bytes) -> bool:
    """Whether a file is a pickle of any protocol, and no safetensors file of an odd length."""
    size = path.stat().st_size
    length = int.from_bytes(head[:8], "little")
    if head[8:] == b"{" and length <= size - 8:  # safetensors: the header's length, the header
        return False
    if head.startswith(_PICKLE_PROTOCOLS):
        return True
    if not head or head[0] not in _PICKLE_OPENINGS:
        return False
    with open_file(path) as file:
        try:
            for _, _ in zip(pickletools.genops(file), range(_OPCODES), strict=False):
                pass
        except ValueError:
            return False
        file.seek(-1, os.SEEK_END)
        return file.read(1) == pickle.STOP


def _problem(tensor: Tensor) -> str | None:
    """Why a tensor is none of a network's weights, if it is none."""
    import torch

    if tensor.layout != torch.strided or tensor.is_quantized:
        return "is sparse or quantised, not a dense tensor"
    if tensor.device.type != "cpu":
        return f"has no values: it lies on the device {tensor.device}"
    usual = (torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.bool)
    if tensor.dtype not in (*usual, torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64):
        return f"holds {str(tensor.dtype).removeprefix('torch.')}, which weights are not of here"
    if tensor.numel() * tensor.element_size() > tensor.untyped_storage().nbytes():
        return "is larger than what is there of it"  # few bytes made out to be many, by a stride
    return None if bool(tensor.isfinite().all()) else "holds NaN or infinite values"


def _read_torch(path: Path) -> dict[str, Tensor]:
    import torch

    _check_archive(path)
    try:
        content = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    except pickle.UnpicklingError as error:
        reason = str(error).partition("\n")[0]
        raise InputError(
            f"{path}: holds more than tensors, and is not opened: it could execute code ({reason})"
        ) from error
    except Exception as error:  # whatever the library raises of what a file may hold
        raise InputError(f"{path}: damaged: {str(error).partition(chr(10))[0]}") from error
    for _ in range(_MOST_WRAPPERS):
        inner = _wrapped(content) if isinstance(content, dict) else None
        content = content if inner is None else inner
    if not isinstance(content, dict) or not all(
        isinstance(t, torch.Tensor) for t in content.values()
    ):
        raise InputError(f"{path}: no dictionary of tensors")
    return {str(name).removeprefix("module."): tensor for name, tensor in content.items()}


def _check_archive(path: Path) -> None:
    """Raise InputError for an archive that torch has not written."""
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except (OSError, ValueError, NotImplementedError, zipfile.BadZipFile) as error:
        raise InputError(f"{path}: damaged: {error}") from error
    parts = (part for entry in entries for part in PurePosixPath(entry.filename).parts)
    if any(part in ("..", "/") for part in parts):
        raise InputError(f"{path}: an archive with paths that leave it; it is not opened")
    packed = any(entry.compress_type != zipfile.ZIP_STORED for entry in entries)
    if packed or sum(entry.file_size for entry in entries) > path.stat().st_size:
        raise InputError(f"{path}: a packed archive, which torch does not write; it is not opened")


def _wrapped(content: dict[object, object]) -> object | None:
    """What a training program has put around the weights, if it has."""
    return next((content[key] for key in _WRAPPERS if isinstance(content.get(key), dict)), None)
