"""A training that was stopped goes on as itself or not at all."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ENTRY = str(Path(sys.executable).with_name("ddib-workbench"))
SMALL = ("--batch", "16", "--width", "64")


@pytest.fixture
def stopped(home: Path) -> Path:
    """The state of a training of moons that was interrupted."""
    out = home / "models"
    command = [ENTRY, "train", "--name", "a", "--out", str(out), "--dataset", "moons"]
    child = subprocess.Popen([*command, "--steps", "1000000", *SMALL], stderr=subprocess.PIPE)
    assert child.stderr is not None
    os.set_blocking(child.stderr.fileno(), False)
    time.sleep(6)
    child.send_signal(signal.SIGINT)
    child.wait(60)
    (state,) = out.glob("a*.pt")
    return state


@pytest.mark.parametrize(
    ("option", "value", "word"),
    [
        ("--dataset", "checkerboards", "dataset"),
        ("--learning-rate", "0.02", "learning"),
        ("--seed", "5", "seed"),
        ("--batch", "8", "batch"),
        ("--parameterisation", "epsilon", "parameterisation"),
        ("--noise-levels", "time", "noise"),
    ],
)
def test_another_setting_under_the_same_name_is_refused_and_named(
    run_each: Callable[..., Any], stopped: Path, option: str, value: str, word: str
) -> None:
    """Exit code 2 before the first step; the message names the setting and the state's file."""
    settings = {"--dataset": "moons", "--batch": "16", "--width": "64", "--steps": "1000000"}
    words = [part for pair in (settings | {option: value, "--steps": "1"}).items() for part in pair]
    (answer,) = run_each([("train", "--name", "a", "--out", stopped.parent, *words)])
    assert answer.code == 2, answer.err
    assert word in answer.err and stopped.name in answer.err.replace("\n", "")


def test_a_damaged_state_is_refused_before_the_first_step(
    run_each: Callable[..., Any], home: Path
) -> None:
    command = ("train", "--out", home, "--dataset", "moons", "--steps", "1", *SMALL)
    damaged = {"garbage": b"garbage", "empty": b"", "zip": b"PK\x03\x04" + bytes(100)}
    for name, content in damaged.items():
        (home / f"{name}.training.pt").write_bytes(content)
    answers = run_each([(*command, "--name", name) for name in damaged])
    for name, answer in zip(damaged, answers, strict=True):
        assert answer.code == 2, (name, answer.err)
        assert f"{name}.training.pt" in answer.err.replace("\n", "")
        assert "Traceback" not in answer.err and "step" not in answer.out


def test_a_folder_that_cannot_be_written_is_met_before_the_first_step(
    run_each: Callable[..., Any], home: Path
) -> None:
    (home / "file").write_text("")
    command = ("train", "--name", "a", "--dataset", "moons", "--steps", "1", *SMALL, "--out")
    answers = run_each([(*command, home / "file" / "x"), (*command, "/proc/nowhere")])
    for answer in answers:
        assert answer.code == 2, answer.err
        assert "step 1" not in answer.err and "Traceback" not in answer.err
