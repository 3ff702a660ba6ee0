"""Chunks solved by the workers of a Ray cluster: several GPUs, several machines, or one's cores.

This process cuts the work, looks chunks up and keeps what comes back; a worker is an engine in a
process of its own, on the same number of threads, and so gives the same bytes. Ray is an optional
extra and only imported when it is asked for.
"""

import contextlib
import hashlib
import logging
import os
import signal
import socket
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import torch

from ddib.bridge.bridge import Watch
from ddib.bridge.cache import Cache
from ddib.bridge.chunk import Solved
from ddib.checkpoints.fitted_grid import grid_file
from ddib.checkpoints.model import Model
from ddib.denoising.evaluation import Evaluation
from ddib.errors import InputError, RunError
from workbench.engine.cluster.worker import (
    Shipment,
    Worker,
    chunk_on,
    import_ray,
    solved_on,
    surroundings,
)
from workbench.engine.execution.engine import Engine
from workbench.engine.planning.chunks import Task

IN_FLIGHT = 2  # chunks a worker has: one that it solves, one that waits
ATTEMPTS = 4  # at a chunk, or at starting a worker, before it is given up
PATIENCE = 300  # seconds without any worker before a run fails
POLL = 0.1  # seconds between two looks at whether to stop
REACH = 5  # seconds for an address to answer

logger = logging.getLogger(__name__)


@dataclass(eq=False)
class _Hired:
    """A worker as this process sees it; `pid` is None until it has started."""

    actor: Any
    attempt: int = 1  # at starting it
    pid: int | None = None
    busy: int = 0  # chunks that it has


@dataclass(eq=False)
class _Job:
    task: Task
    end: Future[Solved] = field(default_factory=Future)
    sent: Any = None  # the reference to the answer, when a worker has it
    attempts: int = 0


class ClusterEngine(Engine):
    """An engine whose chunks are solved by workers: one for each GPU, or for as many CPUs as this
    process has threads. Use `cluster_engine` to have one.
    """

    encodes_all_first = True

    def __init__(self, ray: Any, device: str = "auto", *, memory: int | None = None, **others: Any):
        super().__init__(device, memory=memory, **others)
        self._ray = ray
        self._threads = torch.get_num_threads()
        places = _places(ray, self.device, self._threads)
        if memory is None and self.device.type != "cuda":
            self.memory //= max(places)  # workers share their machine's
        self._awaited: dict[Any, Callable[[Any], None]] = {}  # what to do when a reference is there
        self._shipments: dict[tuple[str, Evaluation], Shipment] = {}
        self._retried = 0
        self._left_out: list[str] = []
        self.workers = [self._hire() for _ in range(sum(places))]

    def solve_all(
        self,
        work: Iterable[Task],
        cache: Cache,
        watcher: Callable[[Task], Watch],
        check: Callable[[], None],
    ) -> Iterator[tuple[Task, Solved]]:
        """As for one process, but the workers solve what the cache does not hold, at most two
        chunks each ahead. Raises RunError when workers die again and again.
        """
        coming, window = iter(work), deque[_Job]()
        stopped: Exception | None = None  # by the end of the work or by a failure in making it
        seen = time.monotonic()
        try:
            while True:
                seen = self._alive_since(seen)
                while stopped is None and len(window) < IN_FLIGHT * len(self.workers):
                    try:
                        job = _Job(next(coming))
                    except (StopIteration, InputError, RunError) as error:
                        stopped = error
                        break
                    found = self.read_cached(job.task.chunk, job.task.model, cache)
                    if found is not None:
                        job.end.set_result(found)
                    window.append(job)
                if not window:
                    break
                self._send(window, cache)
                ready = window[0].end.done()
                self._hear(timeout=0 if ready else POLL)
                check()
                if ready:
                    job = window.popleft()
                    yield job.task, job.end.result()
        finally:
            self._call_off(window)
        if isinstance(stopped, InputError | RunError):
            raise stopped

    def notes(self) -> list[str]:
        """How many chunks were lost and solved again, and which workers were left out."""
        notes, self._left_out = self._left_out, []
        if self._retried:
            notes.append(f"chunks solved again, as their worker died: {self._retried}")
            self._retried = 0
        return notes

    def _alive_since(self, seen: float) -> float:
        """When there was a worker; raises RunError when that is too long ago, or there is none."""
        now = time.monotonic()
        if any(worker.pid for worker in self.workers):
            return now
        if self.workers and now - seen < PATIENCE:
            self._check_machines()
            return seen
        why = "; ".join(self._left_out) or "are the cluster's resources taken?"
        raise RunError(f"the cluster has no worker: {why}")

    def _check_machines(self) -> None:
        """Raise RunError when no machine of the cluster is left that could start a worker."""
        try:
            left = sum(_places(self._ray, self.device, self._threads))
        except InputError:
            left = 0
        except (OSError, RuntimeError, self._ray.exceptions.RayError) as error:
            raise RunError(f"the cluster no longer answers ({error}); start it again") from error
        if not left:
            raise RunError(
                "the cluster has lost the machines that had room for a worker; start it again, "
                "or replay without --ray"
            )

    def _hire(self, attempt: int = 1) -> _Hired:
        gpu = self.device.type == "cuda"
        needs = {"num_gpus": 1, "num_cpus": 0} if gpu else {"num_cpus": self._threads}
        settings = self.device.type, self._threads, self.chunk, self.memory
        worker = _Hired(self._ray.remote(Worker).options(**needs).remote(*settings), attempt)
        self._awaited[worker.actor.greet.remote()] = partial(self._greeted, worker)
        return worker

    def _greeted(self, worker: _Hired, reference: Any) -> None:
        try:
            greeting = self._ray.get(reference)
        except self._ray.exceptions.RayError as error:
            self._lost(worker, str(error).strip().splitlines()[-1])
            return
        here, there = surroundings(self.device), greeting.surroundings
        unlike = [
            f"{name} {there[name]}, here {here[name]}" for name in here if there[name] != here[name]
        ]
        if unlike:
            worker.attempt = ATTEMPTS
            self._lost(worker, f"{greeting.host} would round differently: {', '.join(unlike)}")
        else:
            worker.pid, worker.attempt = greeting.pid, 0

    def _lost(self, worker: _Hired, why: str) -> None:
        """Have another worker in the place of one, unless none will start there."""
        if worker not in self.workers:
            return
        logger.warning("a worker is lost: %s", why)
        self.workers.remove(worker)
        self._ray.kill(worker.actor)
        if worker.attempt < ATTEMPTS:
            self.workers.append(self._hire(worker.attempt + 1))
        else:
            self._left_out.append(f"a worker was left out: {why}")

    def _send(self, window: Iterable[_Job], cache: Cache) -> None:
        """Give chunks, first ones first, to the workers that have fewest."""
        ready = [worker for worker in self.workers if worker.pid]
        for job in window:
            worker = min(ready, key=lambda worker: worker.busy, default=None)
            if worker is None or worker.busy == IN_FLIGHT:
                return
            if job.sent is None and not job.end.done():
                chunk = chunk_on(job.task.chunk, torch.device("cpu"))
                job.sent = worker.actor.solve.remote(chunk, self.shipment(job.task.model))
                job.attempts += 1
                worker.busy += 1
                self._awaited[job.sent] = partial(self._answered, worker, job, cache)

    def _hear(self, timeout: float) -> None:
        """Take in an answer, if one comes within the time."""
        done, _ = self._ray.wait(list(self._awaited), timeout=timeout)
        for reference in done:
            self._awaited.pop(reference)(reference)

    def _answered(self, worker: _Hired, job: _Job, cache: Cache, reference: Any) -> None:
        worker.busy -= 1
        job.sent = None
        try:
            answer = self._ray.get(reference)
        except self._ray.exceptions.RayTaskError as error:
            job.end.set_exception(error.cause)
        except self._ray.exceptions.TaskCancelledError:
            pass  # it was called off
        except self._ray.exceptions.RayError as error:
            self._lost(worker, type(error).__name__)
            self._retried += 1
            if job.attempts == ATTEMPTS:
                why = f"workers died {ATTEMPTS} times at the same images; is their memory enough?"
                job.end.set_exception(RunError(why))
        else:
            for entry in answer.entries:
                cache.put(*entry)
            sha256 = job.task.model.sha256
            self._limits[sha256] = min(self._limits[sha256], answer.limit)
            job.end.set_result(solved_on(answer.solved, self.device))

    def _call_off(self, jobs: Iterable[_Job]) -> None:
        for job in jobs:
            if job.sent is not None:
                with contextlib.suppress(self._ray.exceptions.RayError):
                    self._ray.cancel(job.sent)

    def shipment(self, model: Model) -> Shipment:
        """A model as it is sent, put where workers can fetch it once.

        Raises RunError when its file is no longer the one that was loaded.
        """
        key = model.sha256, model.evaluation
        if key not in self._shipments:
            self._shipments[key] = self._packed(model)
        return self._shipments[key]

    def _packed(self, model: Model) -> Shipment:
        paths = [path for path in (model.path, grid_file(model.path)) if path.exists()]
        content = {path.name: path.read_bytes() for path in paths}
        files = {name: hashlib.sha256(data).hexdigest() for name, data in content.items()}
        if files[model.path.name] != model.sha256:
            raise RunError(f"{model.path}: changed since it was loaded")
        return Shipment(model.path, files, model.evaluation, [self._ray.put(content)])


@contextmanager
def cluster_engine(address: str, device: str = "auto", **settings: Any) -> Iterator[ClusterEngine]:
    """An engine on the Ray cluster at an address, `auto` (the one that this machine belongs to, or
    RAY_ADDRESS), or `local` (one of this machine's cores and GPUs, for as long as it is used).

    settings: those of `Engine`. Raises InputError when there is no Ray or no cluster.
    """
    ray = import_ray()
    before = signal.getsignal(signal.SIGTERM)
    _connect(ray, address)
    signal.signal(signal.SIGTERM, before)  # Ray's own would end the process at once
    try:
        yield ClusterEngine(ray, device, **settings)
    finally:
        ray.shutdown()


def _connect(ray: Any, address: str) -> None:
    """Join a cluster from the program's folder: workers look for modules where this is called."""
    with contextlib.chdir(Path(__file__).parents[3]):
        _join(ray, address)


def _join(ray: Any, address: str) -> None:
    quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
    if address == "local":
        ray.init(address="local", include_dashboard=False, **quiet)
        return
    found = os.environ.get("RAY_ADDRESS", "auto") if address == "auto" else address
    remedy = "start one with `ray start --head`, or give --ray local"
    try:
        if found != "auto":
            host, _, port = found.rpartition("://")[2].rpartition(":")
            socket.create_connection((host, int(port)), REACH).close()  # Ray tries for minutes
    except ValueError as error:
        raise InputError(f"--ray {found}: expected HOST:PORT, auto or local") from error
    except (OSError, OverflowError) as error:
        raise InputError(f"--ray {address}: no cluster at {found} ({error}); {remedy}") from error
    try:
        ray.init(address=found, **quiet)
    except (OSError, ValueError, RuntimeError, ImportError, ray.exceptions.RayError) as error:
        why = f"no cluster found; {remedy}"
        if found != "auto":
            why = f"{error}; does it need RAY_AUTH_MODE=token, another version of Ray?"
        raise InputError(f"--ray {address}: {why}") from error


def _places(ray: Any, device: torch.device, threads: int) -> list[int]:
    """How many workers each machine of the cluster has room for."""
    unit = ("GPU", 1) if device.type == "cuda" else ("CPU", threads)
    nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    places = [int(node.get(unit[0], 0) // unit[1]) for node in nodes]
    if not sum(places):
        raise InputError(
            f"--ray: no machine of the cluster has {unit[1]} × {unit[0]} for a worker; "
            "OMP_NUM_THREADS is the number of CPUs a worker takes, --device says on what it runs"
        )
    return places
