"""Runs of small sessions on the shipped checkpoints, in this process."""

import base64
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file

from ddib.bridge.chunk import Chunk
from ddib.checkpoints.files import ZOO
from ddib.data.pictures import open_image
from ddib.errors import Cancelled
from ddib.solvers.solver import Solver
from workbench.engine.execution import engine as execute
from workbench.engine.execution.engine import Engine
from workbench.engine.execution.order import Order
from workbench.engine.execution.run import run_plan
from workbench.engine.inspection.forecast import forecast
from workbench.engine.planning.chunks import Task
from workbench.engine.planning.plan import Plan, make_plan
from workbench.engine.protocol.messages import Finished, Message, Progress, Row, Started, to_line
from workbench.runs.manifest import read_manifest
from workbench.runs.sheet_file import read_session_from_sheet
from workbench.runs.strips import split_strip
from workbench.session.overrides import set_value
from workbench.session.reading import parse_session
from workbench.session.schema import Session


def plan(session: Session, **values: str) -> Plan:
    for path, value in values.items():
        session = set_value(session, path.replace("__", "."), value)
    return make_plan(session, Path(), "small")


def run(engine: Engine, made: Plan, store: Path | None = None) -> tuple[Finished, list[Message]]:
    heard: list[Message] = []
    ending = run_plan(engine, made, Order(id="1", store=store, run_name="small"), heard.append)
    return ending, heard


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine("cpu")


def test_a_run_from_start_to_end(small: Session, tmp_path: Path) -> None:
    ending, heard = run(Engine("cpu"), plan(small), tmp_path)
    assert ending.status == "done", ending.error
    assert ending.nfe == {"encode": 4, "decode": 8}
    assert ending.cache == {"encode": "miss", "decode": "miss"}
    started = heard[0]
    assert isinstance(started, Started)
    assert [variant.label for variant in started.variants] == ["p = 0", "p = 0.1"]
    assert started.evaluations == 12
    rows = [m for m in heard if isinstance(m, Row) and not m.partial]
    assert [(row.kind, row.variant) for row in rows] == [
        ("source", None),
        ("latent", None),
        ("edited_latent", 0),
        ("edited_latent", 1),  # both are decoded together
        ("result", 0),
        ("result", 1),
    ]
    progress = [m for m in heard if isinstance(m, Progress)]
    assert [p.evaluations for p in progress] == sorted(p.evaluations for p in progress)
    assert progress[-1].evaluations == progress[-1].total == 12

    directory = tmp_path / "small"
    manifest = read_manifest(directory)
    assert manifest.status == "done"
    assert manifest.chunk_size == 16
    assert {name: used.name for name, used in manifest.checkpoints.items()} == {
        "source": "cmnist-fives",
        "target": "cmnist-sevens",
        "probe": "cmnist-probe",
    }
    assert all(len(used.sha256) == 64 for used in manifest.checkpoints.values())
    for variant, metrics in zip(manifest.variants, ending.metrics, strict=True):
        assert variant.metrics == metrics
        assert {"target_accuracy", "hue_error_median", "latent_std", "edited_latent_std"} <= set(
            metrics
        )
        assert "cycle_psnr" not in metrics
        assert len(variant.per_image["hue_error"]) == 3
    latents = load_file(directory / "latents.safetensors")
    assert set(latents) == {"latent", "edited_latent.000", "edited_latent.001"}
    assert np.array_equal(latents["latent"], latents["edited_latent.000"])
    blended = 0.9 * latents["latent"] + 0.1 * (plan(small).images.pixels / 127.5 - 1).transpose(
        0, 3, 1, 2
    )
    assert np.abs(latents["edited_latent.001"] - blended).max() < 1e-5
    results = split_strip(rows[-1].png, rows[-1].columns)
    for name, shown in zip(manifest.variants[1].images, results, strict=True):
        assert " " not in name
        assert np.array_equal(np.asarray(open_image(directory / "images" / name)), shown)
    replayed = parse_session(read_session_from_sheet(directory / "sheet.png"))
    assert replayed == parse_session((directory / "session.yaml").read_text())


def test_every_message_fits_a_line(small: Session) -> None:
    for message in run(Engine("cpu"), plan(small))[1]:
        line = to_line(message)
        assert line.count(b"\n") == 1
        data = json.loads(line)
        if data["type"] == "row":
            assert base64.b64decode(data["png"]).startswith(b"\x89PNG")


def test_only_what_changed_is_computed(small: Session) -> None:
    engine = Engine("cpu")
    first = run(engine, plan(small))[0]
    again = run(engine, plan(small))[0]
    assert again.nfe == {"encode": 0, "decode": 0}
    assert again.cache == {"encode": "hit", "decode": "hit"}
    assert again.metrics == first.metrics
    edited = run(engine, plan(small, recipe__latent__0__proportion="0.2"))[0]
    assert edited.nfe == {"encode": 0, "decode": 4}
    assert edited.cache == {"encode": "hit", "decode": "miss"}
    other = run(engine, plan(small, solver__start_noise="0.1"))[0]
    assert other.cache == {"encode": "miss", "decode": "miss"}


def test_variants_share_an_encoding_even_without_a_cache(small: Session) -> None:
    swept = plan(small, target__checkpoint="cmnist-sevens", solver__start_noise="[0.03, 0.1]")
    ending = run(Engine("cpu"), swept)[0]
    assert ending.nfe == {"encode": 8, "decode": 16}


def test_a_new_process_finds_what_an_old_one_left(small: Session, tmp_path: Path) -> None:
    run(Engine("cpu", cache_folder=tmp_path), plan(small))
    ending = run(Engine("cpu", cache_folder=tmp_path), plan(small))[0]
    assert ending.nfe == {"encode": 0, "decode": 0}


def test_two_runs_from_nothing_give_the_same_bytes(small: Session, tmp_path: Path) -> None:
    for name in ("a", "b"):
        run(Engine("cpu"), plan(small), tmp_path / name)
    one, other = (
        {p.name: p.read_bytes() for p in (tmp_path / n / "small").rglob("*") if p.is_file()}
        for n in ("a", "b")
    )
    assert set(one) == set(other)
    differing = {name for name in one if one[name] != other[name]}
    assert differing == {"manifest.json"}  # it holds the time


def test_chunks_do_not_depend_on_how_many_images_follow(small: Session, tmp_path: Path) -> None:
    engine = Engine("cpu", chunk=2)
    few = plan(small, source__images__0__count="2")
    many = plan(small, source__images__0__count="4")
    run(engine, few, tmp_path / "few")
    ending = run(engine, many, tmp_path / "many")[0]
    assert ending.nfe == {"encode": 4, "decode": 8}
    a = load_file(tmp_path / "few" / "small" / "latents.safetensors")
    b = load_file(tmp_path / "many" / "small" / "latents.safetensors")
    assert np.array_equal(a["latent"], b["latent"][:2])


def test_cycle_of_one_model_is_measured(small: Session) -> None:
    made = plan(
        small,
        source__checkpoint="cmnist-sevens",
        solver__start_noise="0",
        solver__steps="20",
        recipe__latent="[]",
    )
    (metrics,) = run(Engine("cpu"), made)[0].metrics
    assert metrics["cycle_psnr"] > 42
    assert metrics["cycle_psnr_p5"] <= metrics["cycle_psnr"]


def test_cancel_keeps_whole_rows(small: Session, tmp_path: Path) -> None:
    heard: list[Message] = []

    def cancelled() -> bool:
        return any(isinstance(m, Row) and m.variant == 1 for m in heard)

    ending = run_plan(
        Engine("cpu", chunk=3),
        plan(small),
        Order(store=tmp_path, run_name="small"),
        heard.append,
        cancelled,
    )
    assert ending.status == "cancelled"
    manifest = read_manifest(tmp_path / "small")
    assert manifest.status == "cancelled"
    assert [variant.label for variant in manifest.variants] == ["p = 0"]
    assert len(list((tmp_path / "small" / "images").iterdir())) == 3


def test_cancel_before_anything_is_finished_leaves_nothing(small: Session, tmp_path: Path) -> None:
    ending = run_plan(Engine("cpu"), plan(small), Order(store=tmp_path), cancelled=lambda: True)
    assert (ending.status, ending.run) == ("cancelled", None)
    assert not list(tmp_path.iterdir())


def test_values_that_are_not_finite_fail_the_run_and_not_the_next(
    small: Session, tmp_path: Path
) -> None:
    engine = Engine("cpu")
    tower = "[" + ", ".join(["{op: scale, factor: 1000}"] * 14) + "]"
    ending = run(engine, plan(small, recipe__latent=tower), tmp_path)[0]
    assert ending.status == "failed"
    assert "NaN or infinite" in str(ending.error)
    assert run(engine, plan(small))[0].status == "done"


def test_forecast_counts_without_running(small: Session) -> None:
    engine, made = Engine("cpu", chunk=3), plan(small)
    before = forecast(engine, made)
    assert (before.encode, before.decode) == (4, 8)
    assert (before.encode_left, before.decode_left) == (4, 8)
    assert before.seconds > 0
    run(engine, made)
    after = forecast(engine, made)
    assert (after.encode_left, after.decode_left, after.seconds) == (0, 0, 0)
    changed = forecast(engine, plan(small, recipe__latent__0__proportion="[0, 0.3]"))
    assert (changed.encode_left, changed.decode_left) == (0, 4)


def test_a_cancel_does_not_wait_for_an_evaluation_of_a_large_network(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(execute, "LARGE", 1)
    engine, asked = Engine("cpu"), 0
    model = engine.model(ZOO / "cmnist-fives.safetensors")

    def solve(value: float, check: Callable[[], None]) -> None:
        image = torch.full((1, 3, 32, 32), value)
        chunk = Chunk("encode", image, Solver(steps=2), places=(0,))
        next(
            engine.solve_all(
                [Task([], chunk, model)], engine.cache, lambda _: lambda _: None, check
            )
        )

    def check() -> None:
        nonlocal asked
        asked += 1
        if asked == 20:  # amid the layers of an evaluation
            raise Cancelled

    solve(0.0, lambda: None)
    before = model.denoiser.evaluations
    with pytest.raises(Cancelled):
        solve(0.1, check)
    assert model.denoiser.evaluations == before + 1
    solve(0.1, lambda: None)
    assert asked == 20  # nothing is left behind that asks
