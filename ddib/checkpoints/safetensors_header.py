"""The header of a safetensors file says which tensors follow; it is read and checked alone."""

import os
import struct
from math import prod
from pathlib import Path
from typing import Annotated, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ddib.checkpoints.files import open_file
from ddib.errors import InputError, first_problem

MAX_HEADER = 16 * 2**20  # bytes; a header that claims more is not ours
BYTES_PER_ELEMENT = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2}
"""Bytes per element of each safetensors dtype that is accepted."""

IMPORT = "`ddib-workbench checkpoints import` turns other programs' weights into a checkpoint"

Size = Annotated[int, Field(ge=0, lt=2**48)]


class TensorEntry(BaseModel):
    """Where a tensor lies: its bytes from and up to, counted from the end of the header."""

    model_config = ConfigDict(strict=True, frozen=True)

    dtype: str
    shape: tuple[Size, ...] = Field(max_length=16)
    data_offsets: tuple[Size, Size]


class _Header(BaseModel):
    """An entry for each tensor by name, and texts about all of them."""

    model_config = ConfigDict(strict=True, frozen=True, extra="allow")
    __pydantic_extra__: dict[str, TensorEntry]

    metadata: dict[str, str] = Field({}, alias="__metadata__")


class TensorLayout(NamedTuple):
    """What a header says: where each tensor lies, and texts about all of them.

    held: bytes that follow the header.
    """

    tensors: dict[str, TensorEntry]
    metadata: dict[str, str]
    held: int


def read_tensor_layout(path: Path) -> TensorLayout:
    """The header of a safetensors file; raises InputError for a file that has none."""
    with open_file(path) as file:
        size = os.fstat(file.fileno()).st_size
        prefix = file.read(8)
        length = struct.unpack("<Q", prefix)[0] if len(prefix) == 8 else 0
        if not 2 <= length <= min(MAX_HEADER, size - 8):
            raise InputError(f"{path}: not a safetensors file, or cut off in its header; {IMPORT}")
        content = file.read(length)
    try:
        header = _Header.model_validate_json(content)
    except ValidationError as error:
        raise InputError(
            f"{path}: not a safetensors file: its header is wrong: {first_problem(error)}; {IMPORT}"
        ) from None
    return TensorLayout(header.__pydantic_extra__, header.metadata, size - 8 - length)


def check_tensors(path: Path, layout: TensorLayout) -> None:
    """Raise InputError unless a file holds what its header says, in numbers that weights are of."""
    ends = [entry.data_offsets[1] for entry in layout.tensors.values()]
    if (missing := max(ends, default=0) - layout.held) > 0:
        raise InputError(f"{path}: cut off: {missing:,} bytes are missing; copy the file again")
    for name, entry in layout.tensors.items():
        if entry.dtype not in BYTES_PER_ELEMENT:
            known = ", ".join(BYTES_PER_ELEMENT)
            raise InputError(f"{path}: {name[:60]} holds {entry.dtype[:20]}; expected {known}")
        first, last = entry.data_offsets
        if last - first != prod(entry.shape) * BYTES_PER_ELEMENT[entry.dtype]:
            raise InputError(
                f"{path}: damaged: {name[:60]} has {last - first:,} bytes for a shape of "
                f"{list(entry.shape)}"
            )
