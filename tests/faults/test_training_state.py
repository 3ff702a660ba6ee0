"""A training that was stopped goes on as itself or not at all."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

ENTRY = str(Path(sys.executable).with_name("ddib-workbench"))
SMALL = ("--batch", "16", "--width", "64")


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The state of a training of moons that was interrupted."""
    out = tmp_path_factory.mktemp("models")
    command = [ENTRY, "train", "--name", "a", "--out", str(out), "--dataset", "moons", *SMALL]
    settings = ["--steps", "1000000"]
    environment = os.environ | {"FORCE_COLOR": "1"}  # progress is drawn as on a terminal
    child = subprocess.Popen([*command, *settings], stderr=subprocess.PIPE, env=environment)
    assert child.stderr is not None
    said = b""
    while b"step" not in said:
        said += (more := os.read(child.stderr.fileno(), 2**16))
        assert more, said
    child.send_signal(signal.SIGINT)
    child.communicate(timeout=60)
    (state,) = out.glob("a*.pt")
    return state


OTHERS = {
    "--dataset": ("checkerboards", "dataset"),
    "--learning-rate": ("0.02", "learning"),
    "--seed": ("5", "seed"),
    "--batch": ("8", "batch"),
    "--width": ("128", "width"),
    "--parameterisation": ("epsilon", "parameterisation"),
    "--noise-levels": ("time", "noise"),
}


def test_other_settings_under_the_same_name_are_refused_and_named(
    run_each: Callable[..., Any], stopped: Path, home: Path
) -> None:
    """Exit code 2 before the first step; the message names the setting and the state's file."""
    same = {"--dataset": "moons", "--batch": "16", "--width": "64"}
    commands = []
    for option, (value, _) in OTHERS.items():
        out = home / option
        out.mkdir()
        shutil.copy(stopped, out)
        words = [part for pair in (same | {option: value}).items() for part in pair]
        commands.append(("train", "--name", "a", "--out", out, "--steps", "1", *words))
    wrong = {
        option: (answer.code, answer.err)
        for (option, (_, word)), answer in zip(OTHERS.items(), run_each(commands), strict=True)
        if answer.code != 2 or word not in answer.err or stopped.name not in _joined(answer.err)
    }
    assert not wrong


def test_a_training_given_more_steps_goes_on(
    run_each: Callable[..., Any], stopped: Path, home: Path
) -> None:
    """The budget is no part of what is compared."""
    shutil.copy(stopped, home)
    command = ("train", "--name", "a", "--out", home, "--dataset", "moons", "--steps", "1", *SMALL)
    (answer,) = run_each([command])
    assert answer.code == 0, answer.err
    assert (home / "a.safetensors").exists()


def test_a_damaged_state_is_refused_before_the_first_step(
    run_each: Callable[..., Any], stopped: Path, home: Path
) -> None:
    command = ("train", "--out", home, "--dataset", "moons", "--steps", "1", *SMALL)
    whole = stopped.read_bytes()
    ending = stopped.name.removeprefix("a")
    damaged: dict[str, Any] = {
        "garbage": b"garbage",
        "empty": b"",
        "cut": whole[: len(whole) // 2],
        "other": {},
        "list": [1, 2],
        "named": {"network": 1, "average": 2, "optimizer": 3, "step": "x"},
    }
    for name, content in damaged.items():
        if isinstance(content, bytes):
            (home / f"{name}{ending}").write_bytes(content)
        else:
            torch.save(content, home / f"{name}{ending}")
    answers = run_each([(*command, "--name", name) for name in damaged])
    wrong = {
        name: (answer.code, answer.err[-300:])
        for name, answer in zip(damaged, answers, strict=True)
        if answer.code != 2 or f"{name}{ending}" not in _joined(answer.err)
        or "Traceback" in answer.err
    }  # fmt: skip
    assert not wrong


def test_a_folder_that_cannot_be_written_is_met_before_the_first_step(
    run_each: Callable[..., Any], home: Path
) -> None:
    (home / "file").write_text("")
    command = ("train", "--name", "a", "--dataset", "moons", "--steps", "1", *SMALL, "--out")
    answers = run_each([(*command, home / "file" / "x"), (*command, "/proc/nowhere")])
    for answer in answers:
        assert answer.code == 2, answer.err
        assert "step 1" not in answer.err and "Traceback" not in answer.err


def _joined(text: str) -> str:
    """Without the breaks of lines, which may fall inside a path."""
    return text.replace("\n", "")
