"""The engine as a process of its own: what it says on its pipes, and how it ends."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from workbench.engine.protocol.messages import (
    Cancel,
    Event,
    Finished,
    Message,
    Progress,
    Ready,
    RunSession,
    read_event,
    to_line,
)
from workbench.library.folders import Folders
from workbench.runs.store import list_runs
from workbench.session.overrides import set_value
from workbench.session.schema import Session

pytestmark = pytest.mark.slow

COMMAND = [sys.executable, "-m", "workbench.engine", "--device", "cpu"]


class Process:
    def __init__(self) -> None:
        self.child = subprocess.Popen(
            COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )

    def say(self, message: Message) -> None:
        assert self.child.stdin is not None
        self.child.stdin.write(to_line(message))
        self.child.stdin.flush()

    def until(self, kind: type[Event], **fields: object) -> list[Event]:
        """Everything it says up to an event of this kind with these fields."""
        assert self.child.stdout is not None
        heard: list[Event] = []
        for line in self.child.stdout:
            heard.append(read_event(line))
            if isinstance(heard[-1], kind) and all(
                getattr(heard[-1], name) == value for name, value in fields.items()
            ):
                return heard
        raise AssertionError(f"ended after {heard}")


@pytest.fixture
def engine() -> Iterator[Process]:
    process = Process()
    yield process
    process.child.kill()
    process.child.wait()
    for pipe in (process.child.stdin, process.child.stdout, process.child.stderr):
        assert pipe is not None
        with suppress(BrokenPipeError):
            pipe.close()


def request(session: Session, store: Path, run_id: str = "1") -> RunSession:
    return RunSession(
        id=run_id,
        session=session.model_dump(mode="json"),
        base=str(store),
        name="small",
        store=str(store),
    )


def test_a_run_and_a_wrong_one_and_another(engine: Process, small: Session, tmp_path: Path) -> None:
    (ready,) = engine.until(Ready)
    assert isinstance(ready, Ready)
    assert ready.device == "cpu"
    engine.say(request(small, tmp_path))
    (*_, ending) = engine.until(Finished)
    assert isinstance(ending, Finished)
    assert ending.status == "done", ending.error
    assert Path(ending.run or "").parent == tmp_path

    engine.say(request(set_value(small, "source.checkpoint", "cmnist-fivers"), tmp_path, "2"))
    (ending,) = engine.until(Finished)
    assert isinstance(ending, Finished)
    assert ending.id == "2"
    assert ending.status == "failed"
    assert "did you mean cmnist-fives" in str(ending.error)

    engine.say(request(small, tmp_path, "3").model_copy(update={"keep": False}))
    (*_, ending) = engine.until(Finished, id="3")
    assert isinstance(ending, Finished)
    assert (ending.status, ending.run) == ("done", None)
    assert ending.nfe == {"encode": 0, "decode": 0}
    assert len(list_runs(tmp_path)) == 1


def test_cancel_stops_a_run_and_a_waiting_one(
    engine: Process, small: Session, tmp_path: Path
) -> None:
    long = set_value(small, "solver.steps", "10000")
    engine.say(request(long, tmp_path, "1"))
    engine.say(request(small, tmp_path, "2"))
    engine.say(request(small, tmp_path, "3"))
    engine.until(Progress, id="1", stage="encode")
    engine.say(Cancel(id="2"))
    engine.say(Cancel(id="1"))
    heard = [event for event in engine.until(Finished, id="3") if isinstance(event, Finished)]
    assert [(event.id, event.status) for event in heard] == [
        ("2", "cancelled"),
        ("1", "cancelled"),
        ("3", "done"),
    ]


def test_closing_stdin_ends_it_and_keeps_what_is_finished(
    engine: Process, small: Session, tmp_path: Path
) -> None:
    swept = set_value(small, "recipe.latent.0.proportion", "[0.1, 0.2, 0.3, 0.4, 0.5, 0.6]")
    swept = set_value(swept, "solver.steps", "60")
    swept = set_value(swept, "source.images.0.count", "9")  # too many for two rows in a chunk
    engine.say(request(swept, tmp_path))
    engine.until(Progress, stage="decode", variant=2)
    assert engine.child.stdin is not None
    engine.child.stdin.close()
    assert engine.child.wait(timeout=60) == 0
    (stored,) = list_runs(tmp_path)
    assert stored.manifest is not None
    assert stored.manifest.status == "cancelled"
    assert 2 <= len(stored.manifest.variants) < 6


def test_nonsense_on_stdin_is_survived(engine: Process, small: Session, tmp_path: Path) -> None:
    assert engine.child.stdin is not None
    engine.child.stdin.write(b'not json\n{"type": "run"}\n{"type": "dance", "id": "odd"}\n')
    engine.say(request(small, tmp_path))
    (*_, refused) = engine.until(Finished)
    assert isinstance(refused, Finished)
    assert (refused.id, refused.status) == ("odd", "failed")
    (*_, ending) = engine.until(Finished)
    assert isinstance(ending, Finished)
    assert ending.status == "done"


def test_a_wrong_configuration_is_said_while_stdin_is_open(
    places: Folders, write_config: Callable[[str], Path]
) -> None:
    config = write_config("nonsense: 1\n")
    child = subprocess.Popen(COMMAND, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert child.stdin is not None and child.stderr is not None
    with child:
        assert child.wait(timeout=60) == 2
        said = child.stderr.read()
    assert said.startswith(f"error: {config}:1: nonsense: no such key")
