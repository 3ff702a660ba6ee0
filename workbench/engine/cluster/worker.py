"""A worker of the cluster: an engine in a process of its own, and what is sent to and from it."""

import os
import platform
import socket
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

import ddib
from ddib.bridge.cache import Cache
from ddib.bridge.chunk import Chunk, Solved
from ddib.checkpoints.files import file_sha256
from ddib.checkpoints.fitted_grid import grid_file
from ddib.checkpoints.loading import load
from ddib.checkpoints.model import Model
from ddib.denoising.evaluation import Evaluation
from ddib.errors import InputError
from workbench.engine.execution.engine import Engine
from workbench.library.folders import folders
from workbench.own_files import load_own_files


@dataclass(frozen=True)
class Shipment:
    """A model's files, for machines that may share no disk.

    files: sha256 of the checkpoint and of the grid fitted to it, by name.
    content: a reference to their bytes by name; in a list, as Ray fetches a bare one at once.
    """

    path: Path
    files: dict[str, str]
    evaluation: Evaluation
    content: list[Any]

    @property
    def is_here(self) -> bool:
        """Whether the files lie at the same place on this machine."""
        paths = {self.path.with_name(name): sha256 for name, sha256 in self.files.items()}
        return all(path.is_file() and file_sha256(path) == sha for path, sha in paths.items())


class Entry(NamedTuple):
    """What goes into a cache."""

    key: str
    tensors: dict[str, Tensor]
    facts: Mapping[str, str] | None


class Answer(NamedTuple):
    """A chunk's end, what of it is to be kept, and how many images memory let through at once."""

    solved: Solved
    entries: list[Entry]
    limit: int


class Greeting(NamedTuple):
    """A worker that has started, and whatever decides its rounding."""

    pid: int
    host: str
    surroundings: dict[str, str]


class _Record(Cache):
    """A cache that knows nothing and remembers what it was given."""

    def __init__(self) -> None:
        super().__init__(memory_limit=0)
        self.entries: list[Entry] = []

    def put(self, key: str, chunk: Mapping[str, Tensor], facts: Any = None) -> None:
        tensors = {name: tensor.detach().cpu() for name, tensor in chunk.items()}
        self.entries.append(Entry(key, tensors, facts))


class Worker:
    """An engine in a process of the cluster; Ray sets OMP_NUM_THREADS, which is set back here."""

    def __init__(self, device: str, threads: int, chunk: int, memory: int):
        os.environ["OMP_NUM_THREADS"] = str(threads)
        torch.set_num_threads(threads)
        load_own_files()
        self._engine = Engine(device, chunk=chunk, memory=memory)
        self._models: dict[tuple[str, Evaluation], Model] = {}

    def greet(self) -> Greeting:
        """Say that the worker has started."""
        return Greeting(os.getpid(), socket.gethostname(), surroundings(self._engine.device))

    def solve(self, chunk: Chunk, shipment: Shipment) -> Answer:
        """Take a chunk on the CPU to its end, on the CPU; raises what `Engine.solve` does."""
        model, record = self._model(shipment), _Record()
        solved = self._engine.solve(chunk_on(chunk, self._engine.device), model, record)
        limit = self._engine.batch_limit(model)
        return Answer(solved_on(solved, torch.device("cpu")), record.entries, limit)

    def _model(self, shipment: Shipment) -> Model:
        key = shipment.files[shipment.path.name], shipment.evaluation
        if key not in self._models:
            how = (
                str(self._engine.device),
                shipment.evaluation,
                folders().cache / "calibration" / "compiled",
            )
            if shipment.is_here:
                self._models[key] = load(shipment.path, *how)
            else:
                with tempfile.TemporaryDirectory(prefix="ddib-") as folder:
                    for name, content in import_ray().get(shipment.content[0]).items():
                        (Path(folder) / name).write_bytes(content)
                    path = Path(folder) / shipment.path.name
                    model = load(path, *how)
                    if grid_file(path).exists():
                        _ = model.curve  # read before its file is gone
                    self._models[key] = model
        return self._models[key]


def surroundings(device: torch.device) -> dict[str, str]:
    """What has to be alike for two processes to give the same bytes."""
    on_gpu = device.type == "cuda"
    return {
        "ddib-workbench": ddib.__version__,
        "torch": torch.__version__,
        "device": torch.cuda.get_device_name(device) if on_gpu else platform.machine(),
        "instructions": "" if on_gpu else torch.backends.cpu.get_cpu_capability(),
    }


def import_ray() -> Any:
    """Import Ray without its usage statistics; raises InputError where it is missing."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")  # else it warns of a change
    try:
        import ray
    except ImportError as error:
        raise InputError(
            f"--ray: Ray cannot be imported ({error}); pip install 'ddib-workbench[ray]'"
        ) from error
    return ray


def chunk_on(chunk: Chunk, device: torch.device) -> Chunk:
    """The chunk with its tensors on a device."""
    carried = None if chunk.carried is None else chunk.carried.to(device)
    return replace(chunk, start=chunk.start.to(device), carried=carried)


def solved_on(solved: Solved, device: torch.device) -> Solved:
    """The solved chunk with its tensors on a device."""
    carried = None if solved.carried is None else solved.carried.to(device)
    return solved._replace(z=solved.z.to(device), carried=carried)
