"""Runs that are long, or larger than memory, or killed on the way."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file
from torch import Tensor

from ddib.bridge.chunk import Chunk, Solved
from ddib.errors import InputError
from ddib.solvers.solver import Solver
from workbench.engine.devices.memory import images_within, solve_within
from workbench.engine.execution.engine import Engine
from workbench.engine.execution.order import Order
from workbench.engine.execution.run import run_plan
from workbench.engine.inspection.forecast import forecast
from workbench.engine.planning.plan import Plan, make_plan
from workbench.engine.protocol.messages import Finished, Message, Progress, Row
from workbench.engine.results import files
from workbench.runs.comparison import compare_runs
from workbench.runs.manifest import read_manifest
from workbench.session.overrides import set_value
from workbench.session.schema import Session
from workbench.support.files import parse_size, readable_size

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[3]


def plan(session: Session, **values: str) -> Plan:
    for path, value in values.items():
        session = set_value(session, path.replace("__", "."), value)
    return make_plan(session, Path(), "small")


def run(engine: Engine, made: Plan, out: Path, heard: list[Message] | None = None) -> Finished:
    order = Order(store=out, run_name="small", unfinished=out / ".small.unfinished")
    listen = [] if heard is None else heard
    return run_plan(engine, made, order, listen.append)


# ---- files


def test_latents_in_shards_are_those_of_one_file(
    small: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = plan(small, source__images__0__count="7", solver__steps="1")
    engine = Engine("cpu", chunk=3)
    run(engine, made, tmp_path / "whole")
    monkeypatch.setattr(files, "WHOLE", 0)
    monkeypatch.setattr(files, "SHARD", 4 * 3 * 32 * 32 * 4)  # of four images
    run(engine, made, tmp_path / "shards")
    whole = load_file(tmp_path / "whole" / "small" / "latents.safetensors")
    shards = sorted((tmp_path / "shards" / "small" / "latents").iterdir())
    assert [path.name for path in shards if path.name.startswith("latent.")] == [
        "latent.0000000.safetensors",
        "latent.0000004.safetensors",
    ]
    for name, tensor in whole.items():
        parts = [loaded[name] for path in shards if name in (loaded := load_file(path))]
        assert np.array_equal(np.concatenate(parts), tensor), name
    assert compare_runs(tmp_path / "shards" / "small", tmp_path / "whole" / "small").missing
    run(engine, made, tmp_path / "again")
    assert compare_runs(tmp_path / "shards" / "small", tmp_path / "again" / "small").same_bytes


def test_rows_longer_than_what_is_shown(small: Session, tmp_path: Path) -> None:
    made = plan(small, source__images__0__count="70", solver__steps="1", recipe__latent="[]")
    heard: list[Message] = []
    run(Engine("cpu"), made, tmp_path, heard)
    rows = [message for message in heard if isinstance(message, Row) and not message.partial]
    assert [(row.kind, row.columns) for row in rows] == [
        ("source", 64), ("latent", 64), ("result", 64),
    ]  # fmt: skip
    (variant,) = read_manifest(tmp_path / "small").variants
    assert len(variant.images) == len(variant.per_image["latent_std"]) == 70
    assert len(list((tmp_path / "small" / "images").iterdir())) == 70


# ---- taken up again


def test_a_killed_run_is_taken_up_at_the_last_finished_chunk(
    small_file: Path, small: Session, tmp_path: Path, once: Callable[..., None]
) -> None:
    settings = ("--set", "source.images.0.count=12", "--chunk", "2", "--no-cache")
    command = [sys.executable, "-m", "workbench", "replay", str(small_file), *settings]
    threads = {"OMP_NUM_THREADS": str(torch.get_num_threads())}  # they are part of a chunk's key
    environment = os.environ | {"PYTHONPATH": str(ROOT)} | threads
    undisturbed, killed = tmp_path / "undisturbed", tmp_path / "killed"
    subprocess.run([*command, "--out", str(undisturbed)], env=environment, check=True)
    process = subprocess.Popen([*command, "--out", str(killed)], env=environment)
    chunks = killed / ".small.unfinished"
    once(process, lambda: len(list(chunks.glob("[0-9a-f]*"))) >= 8)  # all encoded, some decoded
    process.send_signal(signal.SIGKILL)
    process.wait()
    kept = len(list(chunks.glob("[0-9a-f]*.safetensors")))

    engine = Engine("cpu", chunk=2)
    made = plan(small, source__images__0__count="12")
    solved: list[int] = []
    original = engine.solve

    def counted(chunk: Chunk, *arguments: Any, **named: Any) -> Solved:
        done = original(chunk, *arguments, **named)
        solved.append(done.evaluations)
        return done

    engine.solve = counted  # type: ignore[method-assign]
    ending = run(engine, made, killed)
    assert ending.status == "done"
    assert sum(spent > 0 for spent in solved) == 18 - kept  # six chunks, encoded and twice decoded
    assert compare_runs(undisturbed / "small", killed / "small").same_bytes
    assert not chunks.exists()


def test_a_cancelled_run_keeps_its_chunks_for_the_next(small: Session, tmp_path: Path) -> None:
    made = plan(small, source__images__0__count="6")
    heard: list[Message] = []

    def cancelled() -> bool:
        return any(isinstance(message, Row) and message.kind == "latent" for message in heard)

    order = Order(store=tmp_path, run_name="small", unfinished=tmp_path / ".small.unfinished")
    ending = run_plan(Engine("cpu", chunk=3), made, order, heard.append, cancelled)
    assert (ending.status, ending.run) == ("cancelled", None)
    ending = run(Engine("cpu", chunk=3), made, tmp_path)
    assert ending.nfe == {"encode": 0, "decode": 8}
    assert [path.name for path in tmp_path.iterdir()] == ["small"]


# ---- memory


def out_of_memory_above(limit: int) -> tuple[list[int], Callable[[Chunk], Solved]]:
    sizes: list[int] = []

    def solve(chunk: Chunk) -> Solved:
        sizes.append(len(chunk.start))
        if len(chunk.start) > limit:
            raise RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: …")
        return Solved(chunk.start + 1, None, 3)

    return sizes, solve


def numbered(count: int) -> Tensor:
    return torch.arange(float(count)).reshape(count, 1, 1, 1)


def test_batches_are_halved_until_they_fit() -> None:
    chunk = Chunk("encode", numbered(11), Solver(), places=tuple(range(11)))
    sizes, solve = out_of_memory_above(3)
    solved, limit = solve_within(chunk, 8, solve)
    assert torch.equal(solved.z, numbered(11) + 1)
    assert solved.evaluations == 3
    assert limit == 2
    assert sizes == [8, 4, 2, 2, 2, 2, 2, 1]
    with pytest.raises(RuntimeError, match="allocate"):
        solve_within(chunk, 8, out_of_memory_above(0)[1])


def test_other_errors_are_not_taken_for_a_lack_of_memory() -> None:
    def solve(chunk: Chunk) -> Solved:
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")

    with pytest.raises(RuntimeError, match="shapes"):
        solve_within(Chunk("encode", numbered(4), Solver()), 4, solve)


def test_a_budget_cuts_the_batches_and_the_run_says_so(small: Session, tmp_path: Path) -> None:
    engine = Engine("cpu")
    made = plan(small, source__images__0__count="4", recipe__latent="[]")
    model = engine.model(made.ends(made.variants[0])[0].path)
    each = 2**30 // images_within(2**30, model, engine.device)
    z = model.facts.channels * model.facts.image_size**2 * 4
    assert 10 * z < each < 1000 * z
    ending = run(Engine("cpu", memory=2 * each + each // 2), made, tmp_path)
    assert ending.notes == [
        "cmnist-fives: batches of 2 images, to fit the memory",
        "cmnist-sevens: batches of 2 images, to fit the memory",
    ]
    assert read_manifest(tmp_path / "small").notes == ending.notes
    pairs = run(Engine("cpu", chunk=2), made, tmp_path / "pairs")
    assert compare_runs(Path(str(pairs.run)), tmp_path / "small").same_bytes


@pytest.mark.parametrize(
    ("text", "size"), [("512", 512), ("800M", 800 * 2**20), ("1.5 GiB", 3 * 2**29), ("2gb", 2**31)]
)
def test_sizes(text: str, size: int) -> None:
    assert parse_size(text) == size
    assert parse_size(readable_size(size).replace("bytes", "")) == size


@pytest.mark.parametrize("text", ["", "much", "-2G", "2X"])
def test_what_is_no_size(text: str) -> None:
    with pytest.raises(InputError, match="expected one such as"):
        parse_size(text)


# ---- nothing twice


def test_a_sweep_encodes_once(small: Session, tmp_path: Path) -> None:
    values = "[" + ", ".join(f"0.{i}" for i in range(1, 9)) + "]"
    made = plan(
        small, recipe__latent__0__proportion=values, solver__steps="2", source__images__0__count="4"
    )
    engine = Engine("cpu", cache_folder=tmp_path / "cache")
    ending = run(engine, made, tmp_path)
    assert ending.nfe == {"encode": 2, "decode": 16}
    ends = made.ends(made.variants[0])
    evaluations = [engine.model(end.path).denoiser.evaluations for end in ends]
    assert evaluations == [2, 2 * 2]  # eight rows of four images are two chunks of sixteen
    run(engine, made, tmp_path)
    assert [engine.model(end.path).denoiser.evaluations for end in ends] == evaluations


# ---- promises


def test_an_exact_cycle_is_promised_and_kept(small: Session, tmp_path: Path) -> None:
    exact = {"solver": "{name: obelm, steps: 3, cycle: exact}", "recipe__latent": "[]"}
    made = plan(small, target__checkpoint="cmnist-fives", **exact)
    ending = run(Engine("cpu", chunk=2), made, tmp_path)
    assert ending.metrics[0]["cycle_identical"] == 1
    assert 100 < ending.metrics[0]["cycle_psnr"] <= 200  # finite, so that JSON can say it
    assert read_manifest(tmp_path / "small").variants[0].cycle == "exact"
    assert ending.notes == []

    other = run(Engine("cpu", chunk=2), plan(small, **exact), tmp_path)
    assert read_manifest(Path(str(other.run))).variants[0].cycle == "free"
    assert other.notes == ["result: no exact inverse: another model, label or guidance decodes"]
    edited = plan(small, target__checkpoint="cmnist-fives", solver=exact["solver"])
    notes = run(Engine("cpu", chunk=2), edited, tmp_path).notes
    assert notes[0] == "p = 0: no exact inverse: the latent is edited"


def test_a_tolerance_that_no_number_of_steps_keeps_fails_the_run(
    small: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ddib.tuning.auto_steps.MOST_STEPS", 4)
    strict = "{name: ddim, steps: auto, tolerance: 0.00001}"
    ending = run(Engine("cpu"), plan(small, solver=strict, source__images__0__count="1"), tmp_path)
    assert (ending.status, ending.run) == ("failed", None)
    assert "choose another solver or a larger tolerance" in str(ending.error)


def test_a_folder_that_holds_no_runs_fails_the_run(small: Session, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    ending = run_plan(Engine("cpu"), plan(small), Order(store=blocked / "runs"))
    assert (ending.status, ending.run) == ("failed", None)
    assert str(blocked) in str(ending.error)


def test_a_forecast_knows_exact_and_automatic_settings(small: Session, tmp_path: Path) -> None:
    engine = Engine("cpu", cache_folder=tmp_path / "cache")
    for solver in (
        "{name: obelm, steps: 3, cycle: exact}",
        "{name: unipc, steps: auto, tolerance: 0.3}",
    ):
        made = plan(small, target__checkpoint="cmnist-fives", solver=solver, recipe__latent="[]")
        before = forecast(engine, made)
        assert before.decode_left == before.decode > 0
        ending = run(engine, made, tmp_path)
        assert ending.nfe["decode"] == before.decode
        after = forecast(engine, made)
        assert (after.encode_left, after.decode_left, after.seconds) == (0, 0, 0)


def test_auto_steps_are_said(small: Session, tmp_path: Path) -> None:
    loose = "{name: unipc, steps: auto, tolerance: 0.3}"
    heard: list[Message] = []
    made = plan(small, solver=loose, recipe__latent="[]")
    ending = run(Engine("cpu"), made, tmp_path, heard)
    (last,) = [m for m in heard if isinstance(m, Progress)][-1:]
    assert last.evaluations == last.total == 2 * ending.nfe["decode"]
    (note,) = ending.notes
    steps = ending.nfe["decode"]
    assert ending.cache["encode"] == "hit"  # the search has encoded these very images
    assert note.startswith(f"steps: auto chose {steps}, which leave a latent RMSE of 0.")
    assert 1 <= steps <= 10
