"""The cache keeps solved chunks by a hash of all they depend on, in memory and on disk."""

import contextlib
import hashlib
import json
import os
import time
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from ddib.files import replaced

MEMORY_LIMIT = 512 * 2**20  # bytes, where nothing lies on a disk
MEMORY_BEFORE_DISK = 16 * 2**20  # bytes; the system keeps what was read of a disk in memory too
DISK_LIMIT = 4 * 2**30  # bytes
ABANDONED = 3600.0  # seconds after which nobody finishes writing a chunk
SUFFIX = ".safetensors"

Chunk = Mapping[str, Tensor]


def content_key(settings: Mapping[str, object], start: Tensor) -> str:
    """Return a digest of settings, of the tensor's bytes, and of all that decides its rounding.

    That is the shape, the device, the number of threads and torch's version.
    """
    surroundings = {
        "shape": list(start.shape),
        "dtype": str(start.dtype),
        "device": device_name(start.device),
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
    }
    digest = hashlib.sha256(json.dumps([dict(settings), surroundings], sort_keys=True).encode())
    digest.update(start.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


class Cache:
    """Least recently used chunks are dropped first, in memory and in the folder.

    folder: where they are kept between programs; None: in memory only. A folder that cannot be
    written, or an entry that is damaged, is as good as an empty one: a cache may never fail a run.
    Several programs may use one folder.
    """

    def __init__(
        self,
        folder: Path | None = None,
        memory_limit: int | None = None,
        disk_limit: float = DISK_LIMIT,
    ):
        self.folder = folder
        self.disk_limit = disk_limit
        self._memory: OrderedDict[str, Chunk] = OrderedDict()
        in_all = MEMORY_LIMIT if folder is None else MEMORY_BEFORE_DISK
        self._memory_limit = in_all if memory_limit is None else memory_limit
        self._memory_size = 0
        self._disk_size: int | None = None

    def get(self, key: str) -> Chunk | None:
        """Return the named tensors kept under a key, on the CPU; None where there are none."""
        if key in self._memory:
            self._memory.move_to_end(key)
            return self._memory[key]
        if self.folder is None:
            return None
        path = self.folder / f"{key}{SUFFIX}"
        try:
            value = load_file(path)
            os.utime(path)
        except (OSError, SafetensorError):
            return None
        self._remember(key, value)
        return value

    def put(self, key: str, chunk: Chunk, facts: Mapping[str, str] | None = None) -> None:
        """Keep named tensors under a key; `facts` describe them in the file's header."""
        value = {name: tensor.detach().cpu().contiguous() for name, tensor in chunk.items()}
        self._remember(key, value)
        if self.folder is None:
            return
        path = self.folder / f"{key}{SUFFIX}"
        with contextlib.suppress(OSError, SafetensorError):
            self.folder.mkdir(parents=True, exist_ok=True)
            with replaced(path) as temporary:
                save_file(value, temporary, dict(facts or {}))
            self._make_room(path.stat().st_size)

    def _remember(self, key: str, chunk: Chunk) -> None:
        self._memory_size += _size(chunk) - _size(self._memory.get(key, {}))
        self._memory[key] = chunk
        self._memory.move_to_end(key)
        while self._memory_size > self._memory_limit:
            self._memory_size -= _size(self._memory.popitem(last=False)[1])

    def _make_room(self, added: int) -> None:
        """Drop the oldest files beyond the limit; the folder is only listed when it may be full."""
        if self.folder is None:
            return
        if self._disk_size is not None and self._disk_size + added <= self.disk_limit:
            self._disk_size += added
            return
        entries = []
        for path in self.folder.glob(f"*{SUFFIX}"):
            with contextlib.suppress(OSError):
                entries.append((path.stat().st_mtime, path.stat().st_size, path))
        self._disk_size = sum(size for _, size, _ in entries)
        self._remove_leftovers()
        for _, size, path in sorted(entries):
            if self._disk_size <= self.disk_limit:
                break
            with contextlib.suppress(OSError):
                path.unlink()
            self._disk_size -= size

    def _remove_leftovers(self) -> None:
        """Delete what programs that were killed left half written: nobody writes for an hour."""
        assert self.folder is not None
        for path in self.folder.glob(".*"):
            with contextlib.suppress(OSError):
                if time.time() - path.stat().st_mtime > ABANDONED:
                    path.unlink()


def _size(chunk: Chunk) -> int:
    return sum(tensor.nbytes for tensor in chunk.values())


def device_name(device: torch.device) -> str:
    """Return a device's name: `cpu`, or the model of a GPU."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else device.type
