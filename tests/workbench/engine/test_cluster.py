"""Runs on a local Ray cluster of two workers, one of which is killed."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from ddib.bridge.bridge import solve
from ddib.bridge.chunk import Chunk, Problem
from ddib.errors import InputError
from ddib.solvers.solver import Solver
from workbench.engine.execution.engine import Engine
from workbench.engine.execution.order import Order
from workbench.engine.execution.run import run_plan
from workbench.engine.planning.plan import Plan, make_plan
from workbench.engine.protocol.messages import Message, Progress
from workbench.runs.comparison import compare_runs
from workbench.runs.manifest import read_manifest
from workbench.session.overrides import set_value
from workbench.session.schema import Session

pytest.importorskip("ray", reason="Ray is not installed: pip install 'ddib-workbench[ray]'")

from workbench.engine.cluster.ray import ClusterEngine, cluster_engine
from workbench.engine.cluster.worker import Worker

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """So that a machine of two cores has room for two workers."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def made(small: Session) -> Plan:
    several = set_value(small, "source.images.0.count", "16")
    towards = "{op: slerp, fraction: 0.3, other: image, offset: 3}"  # in another chunk
    recipe = f"[{{op: blend, proportion: [0, 0.1]}}, {towards}]"
    return make_plan(set_value(several, "recipe.latent", recipe), Path(), "small")


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClusterEngine]:
    if (os.cpu_count() or 1) < 2:
        pytest.skip("two workers need two cores")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(tmp_path_factory.mktemp("home")))  # Ray writes a token there
        with cluster_engine("local", "cpu", chunk=2) as engine:
            yield engine


def kill_a_busy_worker(cluster: ClusterEngine) -> list[int]:
    """The process that was killed, if one had a chunk."""
    pids = [worker.pid for worker in cluster.workers if worker.pid and worker.busy][:1]
    for pid in pids:
        with suppress(ProcessLookupError):  # it is dead and this process has not yet heard
            os.kill(pid, signal.SIGKILL)
    return pids


def test_a_worker_that_is_killed_changes_no_byte(
    cluster: ClusterEngine, made: Plan, tmp_path: Path
) -> None:
    killed: list[int] = []
    heard: list[Message] = []

    def listen(message: Message) -> None:
        heard.append(message)
        if not killed and isinstance(message, Progress) and message.evaluations:
            killed.extend(kill_a_busy_worker(cluster))

    ending = run_plan(cluster, made, Order(store=tmp_path / "cluster", run_name="small"), listen)
    assert ending.status == "done", ending.error
    assert ending.nfe == {"encode": 4, "decode": 8}
    assert len(killed) == 1
    notes = read_manifest(tmp_path / "cluster" / "small").notes
    assert any("solved again, as their worker died" in note for note in notes)
    progress = [m.evaluations for m in heard if isinstance(m, Progress)]
    assert progress == sorted(progress)

    engine = Engine("cpu", chunk=2)
    run_plan(engine, made, Order(store=tmp_path / "alone", run_name="small"))
    runs = tmp_path / "cluster" / "small", tmp_path / "alone" / "small"
    assert compare_runs(*runs).same_bytes


def test_workers_that_die_again_and_again_fail_the_run(
    cluster: ClusterEngine, small: Session, tmp_path: Path
) -> None:
    def cancelled() -> bool:
        kill_a_busy_worker(cluster)
        return False

    plan = make_plan(set_value(small, "solver.steps", "200"), Path(), "small")
    ending = run_plan(cluster, plan, Order(store=tmp_path), cancelled=cancelled)
    assert ending.status == "failed"
    assert "workers died 4 times at the same images" in str(ending.error)
    assert run_plan(cluster, make_plan(small, Path(), "small"), Order()).status == "done"


def test_files_that_a_worker_lacks_are_sent(
    cluster: ClusterEngine, made: Plan, tmp_path: Path
) -> None:
    here = cluster.model(made.ends(made.variants[0])[0].path)
    elsewhere = replace(cluster.shipment(here), path=tmp_path / here.path.name)
    chunk = Chunk("encode", torch.zeros(2, 3, 32, 32), Solver(grid="adapted", steps=2))
    answer = Worker("cpu", 1, 2, 2**30).solve(chunk, elsewhere)
    assert torch.equal(answer.solved.z, solve(chunk, here).z)
    assert [entry.key for entry in answer.entries] == [Problem(chunk, here).key]
    assert not list(tmp_path.iterdir())


def test_what_is_cached_is_not_sent(cluster: ClusterEngine, made: Plan) -> None:
    assert run_plan(cluster, made, Order()).status == "done"
    again = run_plan(cluster, made, Order())
    assert again.nfe == {"encode": 0, "decode": 0}


def test_a_chain_over_workers_has_the_same_bytes(
    cluster: ClusterEngine, small: Session, tmp_path: Path
) -> None:
    for path, value in (
        ("target.checkpoint", "[cmnist-sevens, cmnist-digits]"),
        ("chain", "[{checkpoint: cmnist-fives}]"),
        ("recipe.latent", "[]"),
        ("solver.steps", "2"),
    ):
        small = set_value(small, path, value)
    plan = make_plan(small, Path(), "chain")
    for name, engine in (("cluster", cluster), ("alone", Engine("cpu", chunk=2))):
        ending = run_plan(engine, plan, Order(store=tmp_path / name, run_name="chain"))
        assert ending.status == "done", ending.error
        assert ending.nfe == {"encode": 2 + 2 * 2, "decode": 2 * 2 * 2}
    runs = tmp_path / "cluster" / "chain", tmp_path / "alone" / "chain"
    assert compare_runs(*runs).same_bytes


def test_a_cancel_stops_the_workers(cluster: ClusterEngine, small: Session) -> None:
    long = set_value(set_value(small, "source.images.0.count", "16"), "solver.steps", "9")
    heard: list[Message] = []

    def cancelled() -> bool:
        return any(isinstance(m, Progress) and m.evaluations for m in heard)

    plan = make_plan(long, Path(), "long")
    ending = run_plan(cluster, plan, Order(), heard.append, cancelled)
    assert ending.status == "cancelled"
    assert run_plan(cluster, plan, Order()).status == "done"


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("ray://127.0.0.1:1", r"no cluster at .*ray start --head.*--ray local"),
        ("127.0.0.1:1", r"no cluster at .*ray start --head.*--ray local"),
        ("nonsense", "expected HOST:PORT"),
    ],
)
def test_a_cluster_that_is_not_there(address: str, said: str) -> None:
    with (
        pytest.raises(InputError, match=said),
        cluster_engine(address, "cpu"),
    ):
        pass


LOSES_ITS_MACHINE = """
import os, signal, time
from pathlib import Path
from ddib.errors import RunError
from workbench.engine.cluster.ray import cluster_engine

with cluster_engine("local", "cpu") as engine:
    children = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split()
    for child in children:
        if Path(f"/proc/{child}/comm").read_text().strip() == "raylet":
            os.kill(int(child), signal.SIGKILL)
    begun = time.monotonic()
    try:
        while time.monotonic() - begun < 100:
            engine._alive_since(begun)
            time.sleep(0.2)
        print("waits and waits")
    except RunError as error:
        print(error)
"""


def test_a_cluster_whose_machine_is_gone_is_said_soon(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOSES_ITS_MACHINE], check=False, capture_output=True, text=True,
        timeout=200, env=os.environ | {"HOME": str(tmp_path)},
    )  # fmt: skip
    assert "the cluster has lost the machines" in done.stdout
