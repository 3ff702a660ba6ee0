"""Solved chunks by the content of everything they depend on, in memory and on disk."""

import contextlib
import hashlib
import json
import os
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

MEMORY_LIMIT = 512 * 2**20  # bytes
DISK_LIMIT = 4 * 2**30  # bytes
SUFFIX = ".safetensors"


def content_key(settings: Mapping[str, object], start: Tensor) -> str:
    """A digest of settings, of the tensor's bytes, and of what else decides the rounding: the
    shape, the device, the number of threads and torch's version.
    """
    surroundings = {
        "shape": list(start.shape),
        "dtype": str(start.dtype),
        "device": _device_name(start.device),
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
        memory_limit: int = MEMORY_LIMIT,
        disk_limit: int = DISK_LIMIT,
    ):
        self.folder = folder
        self._memory: OrderedDict[str, Tensor] = OrderedDict()
        self._memory_limit = memory_limit
        self._disk_limit = disk_limit
        self._disk_size: int | None = None

    def get(self, key: str) -> Tensor | None:
        """What was put under a key, on the CPU, or None."""
        if key in self._memory:
            self._memory.move_to_end(key)
            return self._memory[key]
        if self.folder is None:
            return None
        path = self.folder / f"{key}{SUFFIX}"
        try:
            value = load_file(path)["z"]
            os.utime(path)
        except (OSError, SafetensorError, KeyError):
            return None
        self._remember(key, value)
        return value

    def put(self, key: str, value: Tensor) -> None:
        """Keep a tensor under its key."""
        value = value.detach().cpu().contiguous()
        self._remember(key, value)
        if self.folder is None:
            return
        path = self.folder / f"{key}{SUFFIX}"
        temporary = path.with_name(f".{key}.{os.getpid()}")
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            save_file({"z": value}, temporary)
            temporary.replace(path)
            self._make_room(path.stat().st_size)
        except (OSError, SafetensorError):
            with contextlib.suppress(OSError):
                temporary.unlink()

    def _remember(self, key: str, value: Tensor) -> None:
        self._memory[key] = value
        self._memory.move_to_end(key)
        while sum(t.nbytes for t in self._memory.values()) > self._memory_limit:
            self._memory.popitem(last=False)

    def _make_room(self, added: int) -> None:
        """Drop the oldest files beyond the limit; the folder is only listed when it may be full."""
        if self.folder is None:
            return
        if self._disk_size is not None and self._disk_size + added <= self._disk_limit:
            self._disk_size += added
            return
        entries = []
        for path in self.folder.glob(f"*{SUFFIX}"):
            with contextlib.suppress(OSError):
                entries.append((path.stat().st_mtime, path.stat().st_size, path))
        self._disk_size = sum(size for _, size, _ in entries)
        for _, size, path in sorted(entries):
            if self._disk_size <= self._disk_limit:
                break
            with contextlib.suppress(OSError):
                path.unlink()
            self._disk_size -= size


def _device_name(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else device.type
