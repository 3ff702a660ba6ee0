"""The engine holds what outlives a run, for `replay` and the screen alike."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import torch
from torch.nn.modules.module import register_module_forward_pre_hook

from ddib.bridge.bridge import CHUNK, Watch, read_cached, solve
from ddib.bridge.cache import DISK_LIMIT, Cache
from ddib.bridge.chunk import Chunk, Solved
from ddib.checkpoints.header import CheckpointFacts
from ddib.checkpoints.loading import load, load_classifier, load_probe
from ddib.checkpoints.model import Model
from ddib.denoising.evaluation import Precision
from ddib.errors import InputError
from ddib.networks.probe import Probe
from ddib.tuning.calibration import choose_evaluation
from workbench.engine.devices.device import memory as device_memory
from workbench.engine.devices.device import pick_device
from workbench.engine.devices.memory import images_within, join, solve_within
from workbench.engine.planning.chunks import Task
from workbench.engine.planning.plan import Plan
from workbench.library.checkpoints import list_checkpoints
from workbench.library.folders import folders

LARGE = 100_000_000  # parameters: an evaluation takes seconds on a CPU
GPU_CHUNK = 256  # images solved together on a GPU, which small batches leave idle


class Engine:
    """What outlives a run: the device, the loaded models, the probe and the cache.

    chunk: images solved together; None: what is best on the device.
    memory: bytes that a network evaluation may take; None: half of the device's.
    precision: of network evaluations; auto: the fastest within `ddib.tuning.calibration`'s bound.
    """

    encodes_all_first = False  # True where chunks are solved in parallel

    def __init__(
        self,
        device: str = "auto",
        *,
        cache_folder: Path | None = None,
        cache_limit: int = DISK_LIMIT,
        checkpoints: Sequence[Path] = (),
        chunk: int | None = None,
        memory: int | None = None,
        precision: Precision | Literal["auto"] = "float32",
    ):
        self.device = pick_device(device)
        self.cache = Cache(cache_folder, disk_limit=cache_limit)
        self.chunk = chunk or (GPU_CHUNK if self.device.type == "cuda" else CHUNK)
        self.memory = memory or device_memory(self.device) // 2
        self.precision = precision
        self.checkpoints = tuple(checkpoints)
        self._models: dict[tuple[Path, int], Model] = {}
        self._limits: dict[str, int] = {}
        self._probes: dict[Path, Probe] = {}
        torch.backends.cudnn.deterministic = True
        torch.backends.cudnn.allow_tf32 = False

    def model(self, path: Path) -> Model:
        """The checkpoint in a file, loaded once for as long as the file stays the same.

        Raises InputError when it is damaged.
        """
        try:
            key = (path, path.stat().st_mtime_ns)
        except OSError as error:
            raise InputError(f"{path}: cannot be read ({error.strerror})") from error
        if key not in self._models:
            device, folder = str(self.device), folders().cache / "calibration"
            evaluation = choose_evaluation(path, device, self.precision, folder)
            self._models[key] = load(path, device, evaluation, folder / "compiled")
        return self._models[key]

    def solve(self, chunk: Chunk, model: Model, cache: Cache, watch: Watch | None = None) -> Solved:
        """Solve a chunk, in smaller batches where memory requires them."""
        solved, limit = solve_within(
            chunk,
            self._limit(chunk, model),
            lambda part: solve(part, model, cache=cache, watch=watch),
        )
        self._limits[model.sha256] = limit * reference_images_per_sample(chunk, model)
        return solved

    def solve_all(
        self,
        work: Iterable[Task],
        cache: Cache,
        watcher: Callable[[Task], Watch],
        check: Callable[[], None],
    ) -> Iterator[tuple[Task, Solved]]:
        """Tasks and their chunks' ends, in order, each taken from `work` when there is room for it.

        `watcher` gives what watches a chunk that is solved in this process; `check` raises
        Cancelled when it is time to stop.
        """
        for task in work:
            check()
            with _stopped_by(check, task.model):
                solved = self.solve(task.chunk, task.model, cache, watcher(task))
            yield task, solved

    def read_cached(self, chunk: Chunk, model: Model, cache: Cache) -> Solved | None:
        """What `solve` would find in the cache without an evaluation, or None."""
        parts = [read_cached(part, model, cache) for part in chunk.split(self._limit(chunk, model))]
        found = [part for part in parts if part is not None]
        return join(found) if len(found) == len(parts) else None

    def batch_limit(self, model: Model, points: int = 1) -> int:
        """Images that memory has let through at once so far, or clouds of so many points."""
        return min(
            self.chunk, max(1, self._limits.get(model.sha256, self.chunk * points) // points)
        )

    def notes(self) -> list[str]:
        """What happened since the last call that belongs in a run's notes."""
        return []

    def _limit(self, chunk: Chunk, model: Model) -> int:
        if model.sha256 not in self._limits:
            self._limits[model.sha256] = images_within(self.memory, model, self.device)
        return max(1, self._limits[model.sha256] // reference_images_per_sample(chunk, model))

    def probe_for(self, facts: CheckpointFacts) -> tuple[Path, Probe] | None:
        """A classifier of the library for a model's kind of pictures, if there is one."""
        family = facts.domain.split(" ")[0]
        for listed in list_checkpoints(self.checkpoints):
            probe = listed.facts
            if (
                probe is not None
                and probe.kind == "probe"
                and probe.domain.split(" ")[0] == family
                and (probe.image_size, probe.channels) == (facts.image_size, facts.channels)
                and set(facts.labels) <= set(probe.labels)
            ):
                if listed.path not in self._probes:
                    self._probes[listed.path] = load_probe(listed.path, str(self.device))
                return listed.path, self._probes[listed.path]
        return None

    def models(self, plan: Plan) -> dict[Path, Model]:
        """What a plan needs, loaded; raises InputError for damaged checkpoints."""
        for one in plan.classifiers.values():
            load_classifier(one.path, str(self.device))
        return {one.path: self.model(one.path) for one in plan.checkpoints.values()}


@contextmanager
def _stopped_by(check: Callable[[], None], model: Model) -> Iterator[None]:
    """Have a large network ask `check` before each of its layers, not only after an evaluation."""
    if model.facts.parameters < LARGE or model.evaluation.compiled:
        yield
        return
    hook = register_module_forward_pre_hook(lambda *_: check())
    try:
        yield
    finally:
        hook.remove()


def reference_images_per_sample(chunk: Chunk, model: Model) -> int:
    """How many images of the model's size take as much memory as one sample of the chunk: as many
    as a cloud has points, 1 for pictures."""
    return max(1, chunk.start[0, 0].numel() // model.facts.image_size**2)
