"""Settings that do nothing, contradict or cannot be: refused in words (13, 14, 18, 22)."""

import json
import os
import pty
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PIL import Image

import making

FIVES = "{dataset: colored-mnist, digit: 5, count: 1, seed: 0}"


def checked(folder: Path, **sessions: str) -> dict[str, making.Said]:
    """What a dry run says of each of these sessions, without carrying one out."""
    for name, text in sessions.items():
        (folder / f"{name}.yaml").write_text(text)
    commands = (["replay", f"{name}.yaml", "--dry-run"] for name in sessions)
    return dict(zip(sessions, making.run(folder, *commands, seconds=30), strict=True))


# ---- 13


def conditional(**lines: str) -> str:
    return making.session(FIVES, 1, **lines).replace("cmnist-fives", "told")


def test_a_model_that_never_learnt_to_do_without_asks_for_the_label(tmp_path: Path) -> None:
    """At every end; with `label_dropout` in its training facts it may run without."""
    training = making.facts_of("cmnist-digits")["training"]
    there = making.library(tmp_path)
    making.changed(there / "told.safetensors", "cmnist-digits", training=training | {
        "label_dropout": 0
    })  # fmt: skip
    making.changed(there / "free.safetensors", "cmnist-digits", training=training)
    source = "source: {checkpoint: told, label: 5, images: [" + FIVES + "]}"
    said = checked(
        tmp_path,
        source=conditional(),
        target=conditional(source=source, target="target: {checkpoint: told}"),
        swept=conditional(source=source, target="target: {checkpoint: [cmnist-sevens, told]}"),
        chain=making.session(FIVES, chain="chain: [{checkpoint: told}]"),
        whole=conditional(source=source),
        free=making.session(FIVES).replace("cmnist-fives", "free"),
    )
    assert said["whole"].code == said["free"].code == 0
    for name, key in (
        ("source", "source.label"),
        ("target", "target.label"),
        ("swept", "target.label"),
        ("chain", "chain.0.label"),
    ):
        assert said[name].refuses(f"{name}.yaml:", key), (name, said[name])


# ---- 14


def recipe(operations: str, stage: str = "latent") -> str:
    return making.session(FIVES, recipe=f"recipe: {{{stage}: [{operations}]}}")


def test_limits_the_wrong_way_round_are_refused(tmp_path: Path) -> None:
    """Also where only one combination of a sweep is so; with the file, line and key."""
    said = checked(
        tmp_path,
        plain=recipe("{op: clamp, low: 2, high: -2}"),
        image=recipe("{op: clamp, low: 0.9, high: 0.1}", "image"),
        default=recipe("{op: clamp, low: 4}"),
        swept=recipe("{op: clamp, low: [-1, 5], high: 3}"),
        right=recipe("{op: clamp, low: -1, high: -1}"),
    )
    assert said["right"].code == 0
    for name in ("plain", "image", "default", "swept"):
        stage = "image" if name == "image" else "latent"
        assert said[name].refuses(f"{name}.yaml:", f"recipe.{stage}.0", "low", "high"), said[name]


def test_limits_set_from_outside_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(recipe("{op: clamp, low: -1, high: 1}"))
    (said,) = making.run(
        tmp_path, ["replay", "a.yaml", "--dry-run", "--set", "recipe.latent.0.low=3"]
    )
    assert said.refuses("low", "high")


USELESS = {
    "--digit": ("--dataset moons --digit 3", "--dataset folder --digit 3"),
    "--size": ("--dataset moons --size 16", "--dataset colored-mnist --root mnist --size 16"),
    "--patch-size": (
        "--dataset moons --patch-size 4",
        "--dataset colours --root x.png --patch-size 4",
        "--probe --root mnist --patch-size 4",
    ),
    "--width": ("--probe --root mnist --width 128",),
    "--root": ("--dataset moons --root mnist", "--dataset folder --root mnist"),
    "--class-conditional": ("--probe --root mnist --class-conditional",),
    "--parameterisation": ("--probe --root mnist --parameterisation epsilon",),
}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A folder with MNIST files of threes and fives, and one of pictures."""
    making.write_mnist(tmp_path / "mnist", [3, 5] * 10)
    making.write_mnist(tmp_path / "mnist", [3, 5] * 10, "t10k")
    (tmp_path / "folder").mkdir()
    for place in ("x.png", "folder/x.png"):
        Image.new("RGB", (32, 32), (200, 10, 90)).save(tmp_path / place)
    return tmp_path


def trained(folder: Path, *options: str) -> list[making.Said]:
    """What `train` says; anything that gets as far as a step makes few of them."""
    fixed = "train --name made --out made --batch 2 --force"
    commands = [f"{fixed} {one}" for one in options]
    commands = [c if "--minutes" in c else f"{c} --steps 1" for c in commands]
    return making.run(folder, *(command.split() for command in commands), seconds=60)


def all_refused(folder: Path, flag: str, options: tuple[str, ...], *words: str) -> None:
    for option, said in zip(options, trained(folder, *options), strict=True):
        assert said.refuses(flag, *words), (option, said)
    assert not list(folder.glob("made/*"))


@pytest.mark.parametrize("flag", USELESS)
def test_a_flag_that_would_do_nothing_is_refused(data: Path, flag: str) -> None:
    all_refused(data, flag, USELESS[flag])


# ---- 18


PATHS = {"tilde": "~alice/photos/*.png", "nul": "a\\0b", "long": "x" * 300, "half": "\\uD800"}


@pytest.mark.parametrize("path", PATHS)
def test_a_path_that_no_system_has_is_one_error_with_line_and_key(
    tmp_path: Path, path: str
) -> None:
    """In every field that is a path or a name; in one command, which names them all."""
    quoted = f'"{PATHS[path]}"'
    fields = {
        "images": (making.session(f"{{path: {quoted}}}"), "source.images.0"),
        "root": (making.session(f"{{dataset: colored-mnist, root: {quoted}}}"), "source.images.0"),
        "source": (
            making.session(FIVES).replace("checkpoint: cmnist-fives", f"checkpoint: {quoted}"),
            "source.checkpoint",
        ),
        "target": (
            making.session(FIVES, target=f"target: {{checkpoint: {quoted}}}"), "target.checkpoint",
        ),
        "classifier": (
            making.session(
                FIVES, target=f"target: {{checkpoint: cmnist-sevens, classifier: {quoted}}}"
            ),
            "target.classifier",
        ),
        "chain": (
            making.session(FIVES, chain=f"chain: [{{checkpoint: {quoted}}}]"), "chain.0.checkpoint",
        ),
    }  # fmt: skip
    for name, (text, _) in fields.items():
        (tmp_path / f"{name}.yaml").write_text(text)
    (said,) = making.run(tmp_path, ["replay", *(f"{name}.yaml" for name in fields), "--dry-run"])
    for name, (_, key) in fields.items():
        where = "" if path == "half" else key  # a half character is no YAML, wherever it stands
        assert said.refuses(f"{name}.yaml:", where), (name, said)


def test_paths_on_the_command_line_are_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(making.session(FIVES))
    long = "x" * 300
    options = [f"--{name}={long}/{long}" for name in ("out", "checkpoints", "check")]
    for said in making.run(tmp_path, ["replay", long], *(["replay", "a.yaml", o] for o in options)):
        assert said.refuses("xxx"), said


def in_a_terminal(folder: Path, *command: str, seconds: float = 30) -> tuple[int, str]:
    """The exit code of a command that draws on a terminal, and what it drew; `q` ends it."""
    main, other = pty.openpty()
    child = subprocess.Popen(
        command, cwd=folder, env=making.places(folder) | {"TERM": "xterm-256color"},
        stdin=other, stdout=other, stderr=other,
    )  # fmt: skip
    os.close(other)
    drawn, begun, asked = b"", time.monotonic(), 0.0
    os.set_blocking(main, False)
    while child.poll() is None and time.monotonic() - begun < seconds:
        time.sleep(0.05)
        try:
            drawn += os.read(main, 1 << 20)
        except BlockingIOError:
            if drawn and time.monotonic() - asked > 2:
                asked = time.monotonic()
                os.write(main, b"q")
        except OSError:
            break
    child.kill() if time.monotonic() - begun >= seconds else None
    code = child.wait(10)
    os.close(main)
    return code, drawn.decode(errors="replace")


def test_a_crash_of_the_screen_does_not_exit_with_0(tmp_path: Path) -> None:
    crash = (
        "import sys, runpy; from workbench.tui.app import WorkbenchApp\n"
        "async def broken(self, event): raise RuntimeError('broken on purpose')\n"
        "WorkbenchApp.on_key = broken; sys.argv = ['workbench']\n"
        "runpy.run_module('workbench', run_name='__main__', alter_sys=True)"
    )
    code, drawn = in_a_terminal(tmp_path, sys.executable, "-P", "-c", crash)
    assert "broken on purpose" in drawn
    assert code > 0


@pytest.mark.parametrize("path", ["tilde", "nul", "long"])
def test_the_screen_opens_a_session_with_such_a_path(tmp_path: Path, path: str) -> None:
    (tmp_path / "a.yaml").write_text(making.session(f'{{path: "{PATHS[path]}"}}'))
    code, drawn = in_a_terminal(tmp_path, sys.executable, "-P", "-m", "workbench", "a.yaml")
    assert "Traceback" not in drawn
    assert code == 0


# ---- 22


IMPOSSIBLE = {
    "--size": ("--dataset folder --size 30", "--dataset folder --size 12 --patch-size 2"),
    "--patch-size": ("--dataset folder --patch-size 5", "--root mnist --patch-size 64"),
    "--minutes": ("--dataset moons --minutes 0", "--dataset moons --minutes nan"),
    "--learning-rate": tuple(
        f"--dataset moons --learning-rate={rate}" for rate in ("0", "-1", "nan", "inf", "1e30")
    ),
    "--seed": (f"--dataset moons --seed {2**64}", f"--dataset moons --seed {10**30}"),
    "--digit": ("--root mnist --digit 7", "--root mnist --digit 3 --digit 7"),
    "--batch": ("--dataset moons --batch 1000000000",),
    "--width": ("--root mnist --width 64000000",),
}


@pytest.mark.parametrize("flag", IMPOSSIBLE)
def test_a_training_that_cannot_be_is_refused_before_its_first_step(data: Path, flag: str) -> None:
    all_refused(data, flag, IMPOSSIBLE[flag])


def test_empty_data_are_refused_before_the_first_step(data: Path) -> None:
    making.write_mnist(data / "none", [])
    making.write_mnist(data / "none", [], "t10k")
    (data / "bare").mkdir()
    (data / "hollow").mkdir()
    (data / "hollow/x.png").touch()
    (data / "zero").mkdir()
    (data / "zero/train-images-idx3-ubyte").touch()
    cases = {
        "none": ("--root none", "--root none --probe"),
        "bare": ("--dataset bare", "--root bare"),
        "hollow": ("--dataset hollow", "--dataset colours --root hollow/x.png"),
        "zero": ("--root zero",),
    }
    for name, options in cases.items():
        for option, said in zip(options, trained(data, *options), strict=True):
            assert said.refuses(name), (option, said)
    assert not list(data.glob("made/*"))


def test_flags_of_import_that_cannot_be_are_refused(tmp_path: Path) -> None:
    """Labels that are no classes, and flags that do nothing for a checkpoint of this program."""
    own = making.changed(tmp_path / "own.safetensors", "cmnist-fives")
    foreign = making.write_safetensors(
        tmp_path / "foreign.safetensors",
        json.dumps({"x": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}), bytes(4),
    )  # fmt: skip
    cases = [
        (foreign, "--labels", "seven"),
        (foreign, "--labels", "-1"),
        (foreign, "--labels", "1 1"),
        (foreign, "--labels", str(2**70)),
        (foreign, "--images", "*.png"),
        (foreign, "--flags", "--num_heads 'open"),
        (own, "--labels", "7"),
        (own, "--domain", "faces"),
        (own, "--name", "other"),
        (own, "--flags", "--num_heads 4"),
    ]
    commands: list[list[str | Path]] = [["checkpoints", "import", *case] for case in cases]
    for case, said in zip(cases, making.run(tmp_path, *commands, seconds=30), strict=True):
        if case[:2] == (own, "--name"):  # what it can do, it does
            assert said.code == 0 and (making.library(tmp_path) / "other.safetensors").exists()
        else:
            assert said.refuses(case[1]), (case, said)
    assert [path.name for path in making.library(tmp_path).iterdir()] == ["other.safetensors"]
