"""The engine's conversation: one answer to each request, whatever its id and texts are (25)."""

import json
import math
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import making

FIVES = {"dataset": "colored-mnist", "digit": 5, "count": 1, "seed": 0}


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[making.Engine]:
    with making.engine(tmp_path_factory.mktemp("engine")) as started:
        yield started


def request(engine: making.Engine, id_: str, steps: int = 1, **more: Any) -> dict[str, Any]:
    said = making.as_mapping([FIVES])
    said["solver"]["steps"] = steps
    base = str(engine.folder)
    return {"type": "run", "id": id_, "session": said, "base": base, "keep": False} | more


def test_two_waiting_requests_of_one_id_are_both_answered(engine: making.Engine) -> None:
    """The first is done; the second is refused at once, saying that its id is taken."""
    engine.ask(**request(engine, "long", 100))
    engine.hear("progress", id="long")
    engine.ask(**request(engine, "twice"))
    engine.ask(**request(engine, "twice"))
    engine.ask(**request(engine, "last"))
    heard = engine.hear("finished", id="last")
    endings = [e for e in heard if e["type"] == "finished" and e["id"] == "twice"]
    assert sorted(ending["status"] for ending in endings) == ["done", "failed"]
    assert any("twice" in (ending["error"] or "") for ending in endings)


def test_the_id_of_a_run_under_way_is_taken(engine: making.Engine) -> None:
    engine.ask(**request(engine, "busy", 100))
    engine.hear("progress", id="busy")
    engine.ask(**request(engine, "busy"))
    refused = engine.hear("finished", id="busy")[-1]
    done = engine.hear("finished", id="busy")[-1]
    assert (refused["status"], done["status"]) == ("failed", "done")


@pytest.mark.parametrize("when", ["before", "waiting", "running"])
def test_an_id_that_was_once_cancelled_can_be_used_again(engine: making.Engine, when: str) -> None:
    if when == "before":
        engine.ask(type="cancel", id=when)
    else:
        engine.ask(**request(engine, "first" if when == "waiting" else when, 500))
        engine.hear("progress")
        if when == "waiting":
            engine.ask(**request(engine, when))
        engine.ask(type="cancel", id=when)
        assert engine.hear("finished", id=when)[-1]["status"] == "cancelled"
        engine.ask(type="cancel", id="first")
    engine.ask(**request(engine, when))
    assert engine.hear("finished", id=when)[-1]["status"] == "done"


@pytest.mark.parametrize("text", ["a\0b", "x" * 300, "~nobody-of-that-name/x"])
@pytest.mark.parametrize("place", ["store", "base", "name"])
def test_texts_that_no_path_can_have_are_refused_in_words(
    engine: making.Engine, place: str, text: str
) -> None:
    """A long name is cut and a tilde means nothing in a name, so these may be done."""
    where = engine.folder / "kept"
    asked = request(engine, "text", keep=True, store=str(where)) | {place: text}
    if place == "base":
        asked["session"]["source"]["images"] = [{"path": "x.png"}]
    engine.ask(**asked)
    ending = engine.hear("finished", id="text")[-1]
    assert "details are in" not in (ending["error"] or "")
    if place != "name":
        assert ending["status"] == "failed"
        assert place in ending["error"] or text[:20] in ending["error"].replace("\\x00", "\0")


def test_an_id_and_a_name_with_lone_surrogates_are_survived(engine: making.Engine) -> None:
    assert engine.child.stdin is not None
    odd = json.dumps(request(engine, "odd", keep=True, store="kept", name="\ud800"))
    engine.child.stdin.write(odd.encode() + b"\n")
    engine.ask(**request(engine, "after"))
    heard = engine.hear("finished", id="after")
    assert [e["id"] for e in heard if e["type"] == "finished"] == ["odd", "after"]


def test_figures_are_finite_numbers_or_are_not_there(engine: making.Engine) -> None:
    """A latent blown up until float32 ends: what cannot be measured is left out, never null."""
    said = making.as_mapping([FIVES])
    said["recipe"] = {"latent": [{"op": "scale", "factor": 1000}] * 12}
    events = engine.run("huge", said)
    assert events[-1]["type"] == "finished"
    for event in events:
        for figures in event.get("metrics") or []:
            if isinstance(figures, dict):
                assert all(
                    isinstance(value, int | float) and math.isfinite(value)
                    for value in figures.values()
                ), figures


def test_a_ray_that_does_not_answer_is_said_at_once(tmp_path: Path) -> None:
    pytest.importorskip("ray")
    (tmp_path / "a.yaml").write_text(making.session(json.dumps(FIVES)))
    begun = time.monotonic()
    command = ("replay", "a.yaml", "--out", "out", "--ray", "127.0.0.1:1")
    said = making.watched(tmp_path, *command, seconds=40).said
    assert said.refuses("127.0.0.1:1"), said
    assert time.monotonic() - begun < 30


def test_an_engine_that_is_interrupted_ends_without_a_traceback(tmp_path: Path) -> None:
    engine = subprocess.Popen(
        [sys.executable, "-P", "-m", "workbench.engine", "--device", "cpu"],
        cwd=tmp_path, env=making.places(tmp_path), stdin=subprocess.PIPE,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert engine.stdout is not None
    assert "ready" in engine.stdout.readline()
    engine.send_signal(signal.SIGINT)
    _, errors = engine.communicate(timeout=60)
    assert "Traceback" not in errors
    assert engine.returncode == 0
