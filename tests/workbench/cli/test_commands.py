"""The command line as people meet it: exit codes, messages, data on stdout."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from safetensors.torch import load_file, save_file

from ddib.checkpoints.files import ZOO
from ddib.checkpoints.header import HEADER_KEY, read_facts
from ddib.checkpoints.writing import write_checkpoint
from workbench.runs.manifest import read_manifest
from workbench.runs.notes import Notes, read_notes
from workbench.runs.store import list_runs

pytestmark = pytest.mark.slow

COMMAND = [sys.executable, "-m", "workbench"]


def cli(*arguments: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *map(str, arguments)], capture_output=True, text=True, cwd=cwd, check=False
    )


def lines(done: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in done.stdout.splitlines()]


# ---- replay


def test_replay_of_two_sessions_and_of_what_they_left(small_file: Path, tmp_path: Path) -> None:
    other = small_file.with_name("other.yaml")
    other.write_text(small_file.read_text().replace("[0.0, 0.1]", "[0.1, 0.2]"))
    out = tmp_path / "out"
    rows = ("--chunk", "3")  # of three images, each decoded by itself
    done = cli("replay", small_file, other, "--out", out, "--json", *rows)
    assert done.returncode == 0, done.stderr
    first, second = lines(done)
    assert first["session"] == "small"
    assert first["nfe"] == {"encode": 4, "decode": 8}
    assert second["nfe"] == {"encode": 0, "decode": 4}
    assert second["cache"] == {"encode": "hit", "decode": "miss"}
    assert [v["values"] for v in second["variants"]] == [
        {"latent.0.proportion": 0.1},
        {"latent.0.proportion": 0.2},
    ]
    assert Path(str(first["sheet"])) == out / "small" / "sheet.png"

    sheet = out / "small" / "sheet.png"
    done = cli("replay", sheet, "--out", out, "--json", "--check", out / "small", *rows)
    assert done.returncode == 0, done.stderr
    assert "same bytes" in done.stderr
    (again,) = lines(done)
    assert again["run"] == str(out / "small-2")
    assert again["nfe"] == {"encode": 0, "decode": 0}

    done = cli(
        "replay", out / "small", "--out", out, "--no-cache", "--json",
        "--set", "recipe.latent.0.proportion=[0.0, 0.3]", "--check", out / "small",
    )  # fmt: skip
    assert done.returncode == 1
    assert "above the tolerance" in done.stderr
    assert lines(done)[0]["nfe"] == {"encode": 4, "decode": 8}


def test_dry_run_leaves_nothing_behind(small_file: Path, tmp_path: Path) -> None:
    done = cli("replay", small_file, "--out", tmp_path / "out", "--dry-run")
    assert done.returncode == 0, done.stderr
    assert "3 images, 2 variants" in done.stdout
    assert "encode 4 (4 to make), decode 8 (8 to make)" in done.stdout
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_keeps_what_is_finished(
    small_file: Path, tmp_path: Path, number: signal.Signals, code: int, once: Callable[..., None]
) -> None:
    out = tmp_path / "out"
    done_by = [f"{0.01 * n:.2f}" for n in range(1, 60)]
    child = subprocess.Popen(
        [*COMMAND, "replay", str(small_file), "--out", str(out), "--json",
         "--set", f"recipe.latent.0.proportion=[{', '.join(done_by)}]"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    cache = Path(os.environ["XDG_CACHE_HOME"])
    once(child, lambda: len(list(cache.rglob("*.safetensors"))) >= 4)  # three decodings
    child.send_signal(number)
    stdout, stderr = child.communicate(timeout=60)
    assert child.returncode == code, stderr
    line = json.loads(stdout)
    assert line["status"] == "cancelled"
    assert 1 <= len(line["variants"]) < 59
    assert read_manifest(Path(line["run"])).status == "cancelled"


def test_a_failed_session_does_not_stop_the_rest(small_file: Path, tmp_path: Path) -> None:
    wild = small_file.with_name("wild.yaml")
    tower = "\n".join(["    - {op: scale, factor: 1000}"] * 14)
    wild.write_text(
        small_file.read_text().replace("    - {op: blend, proportion: [0.0, 0.1]}", tower)
    )
    done = cli("replay", wild, small_file, "--out", tmp_path / "out", "--json")
    assert done.returncode == 1
    assert [line["status"] for line in lines(done)] == ["failed", "done"]
    assert "NaN or infinite" in done.stderr


# ---- inputs that are wrong: exit 2, one clear message, no traceback, nothing run


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1000])


def reshaped(path: Path) -> None:
    facts = read_facts(path)
    state = load_file(path)
    state["out.2.bias"] = state["out.2.bias"][:5]
    write_checkpoint(path, state, facts)


def enlarged(path: Path) -> None:
    facts = read_facts(path).model_copy(update={"image_size": 64})
    save_file(load_file(path), path, metadata={HEADER_KEY: facts.model_dump_json()})


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (cut, "cut off: 1,000 bytes are missing"),
        (reshaped, "do not fit the architecture"),
        (enlarged, "both ends must have the same size"),
    ],
)
def test_bad_checkpoints(
    small_file: Path, tmp_path: Path, damage: Callable[[Path], None], message: str
) -> None:
    bad = tmp_path / "bad.safetensors"
    shutil.copy(ZOO / "cmnist-sevens.safetensors", bad)
    damage(bad)
    small_file.write_text(small_file.read_text().replace("cmnist-sevens", "bad.safetensors"))
    assert_refused(cli("replay", small_file, "--out", tmp_path / "out"), message, tmp_path)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("steps: 4", "stpes: 4", "small.yaml:9: solver.stpes: "),
        ("op: blend", "op: blned", "small.yaml:12: recipe.latent.0.op: blned"),
        ("title: A", "title: !!python/object/apply:os.system [id]", "small.yaml:2"),
        ("cmnist-fives", "cmnist-fivse", "small.yaml:4: source.checkpoint: no checkpoint named"),
        ("count: 3", "count: 3000", "small.yaml:6: source.images.0: count 3000 is more than"),
        ("count: 3", "count: -3", "small.yaml:6: source.images.0.count: "),
        ("cmnist-sevens", "cmnist-probe", "cmnist-probe is a probe"),
        ("{dataset: colored-mnist, digit: 5, count: 3, seed: 0}", "{path: text.png}", "text.png"),
        ("{dataset: colored-mnist, digit: 5, count: 3, seed: 0}", "{path: empty/}", "no image"),
        ("steps: 4", "steps: 4, clip: ", "small.yaml"),
    ],
)
def test_bad_sessions(small_file: Path, tmp_path: Path, old: str, new: str, message: str) -> None:
    (tmp_path / "text.png").write_text("no image at all")
    (tmp_path / "empty").mkdir()
    text = small_file.read_text()
    assert old in text
    small_file.write_text(text.replace(old, new, 1))
    assert_refused(cli("replay", small_file, "--out", tmp_path / "out"), message, tmp_path)


@pytest.mark.parametrize("content", ["", "version: 1\nsource: {checkpoint: cmni", "- 1\n", "\0"])
def test_files_that_are_no_sessions(small_file: Path, tmp_path: Path, content: str) -> None:
    small_file.write_text(content)
    assert_refused(cli("replay", small_file, "--out", tmp_path / "out"), "small.yaml", tmp_path)


def test_a_wrong_session_stops_the_right_ones_before_they_run(
    small_file: Path, tmp_path: Path
) -> None:
    done = cli("replay", small_file, tmp_path / "none.yaml", "--out", tmp_path / "out")
    assert_refused(done, "none.yaml: no such file", tmp_path)


def test_a_png_without_a_session_and_an_unusable_folder(small_file: Path, tmp_path: Path) -> None:
    Image.new("RGB", (4, 4)).save(tmp_path / "plain.png")
    assert_refused(cli("replay", tmp_path / "plain.png"), "carries no session", tmp_path)
    (tmp_path / "file").write_text("in the way")
    done = cli("replay", small_file, "--out", tmp_path / "file")
    assert_refused(done, "file", tmp_path)


def assert_refused(done: subprocess.CompletedProcess[str], message: str, tmp_path: Path) -> None:
    assert done.returncode == 2, done.stderr
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    assert not (tmp_path / "out").exists()


# ---- the rest


def test_checkpoints_are_listed_and_imported(tmp_path: Path) -> None:
    shutil.copy(ZOO / "cmnist-sevens.safetensors", tmp_path / "mine.safetensors")
    done = cli("checkpoints", "import", tmp_path / "mine.safetensors")
    assert done.returncode == 0, done.stderr
    listed = cli("checkpoints", "list").stdout
    assert "mine" in listed
    assert "cmnist-digits" in listed
    assert cli("checkpoints", "import", tmp_path / "mine.safetensors").returncode == 2
    facts = json.loads(cli("checkpoints", "show", "mine").stdout)
    assert facts["labels"] == [7]


def test_runs_are_listed_shown_exported_and_deleted(small_file: Path, tmp_path: Path) -> None:
    done = cli("replay", small_file, "--json")
    run = Path(str(lines(done)[0]["run"]))
    assert run.name in cli("runs", "list").stdout.replace("\n", "")
    assert json.loads(cli("runs", "show", run.name).stdout)["session"] == "small"
    assert cli("runs", "pin", run.name).returncode == 0
    assert cli("runs", "rename", run.name, "best").returncode == 0
    assert cli("runs", "annotate", run.name, "of all").returncode == 0
    assert cli("runs", "pin", "no-such-run").returncode == 2
    assert read_notes(run) == Notes(pinned=True, name="best", note="of all")
    listed = cli("runs", "list").stdout
    assert "best" in listed and "*" in listed
    assert cli("runs", "unpin", run.name).returncode == 0
    assert "*" not in cli("runs", "list").stdout
    assert cli("runs", "export", run.name, tmp_path / "a.zip").returncode == 0
    assert cli("runs", "export", run.name, tmp_path / "a.zip").returncode == 2
    assert cli("runs", "delete", run.name, "--yes").returncode == 0
    assert not list_runs(run.parent)
    assert (tmp_path / "a.zip").exists()


@pytest.mark.parametrize("command", ["operations", "solvers"])
def test_catalogues_name_everything(command: str) -> None:
    from ddib.operations.operation import OPERATIONS
    from ddib.solvers.scheme import SOLVERS

    text = cli(command).stdout
    for name in OPERATIONS if command == "operations" else SOLVERS:
        assert name in text


@pytest.mark.parametrize("arguments", [[], ["session.yaml"], ["open", "session.yaml"]])
def test_without_a_terminal_there_is_no_screen(arguments: list[str]) -> None:
    done = cli(*arguments)
    assert done.returncode == 2
    assert "the screen needs a terminal" in done.stderr


def test_schema_is_json() -> None:
    assert json.loads(cli("schema").stdout)["title"] == "Session"


def test_train_writes_a_checkpoint_and_resumes_after_a_signal(
    tmp_path: Path, once: Callable[..., None]
) -> None:
    root = ZOO / "mnist"
    for name in root.glob("*.gz"):
        shutil.copy(name, tmp_path / name.name.replace("t10k", "train"))
    arguments = [
        "train", "--name", "tiny", "--digit", "7", "--root", str(tmp_path),
        "--out", str(tmp_path), "--batch", "2", "--patch-size", "4",
    ]  # fmt: skip
    child = subprocess.Popen([*COMMAND, *arguments, "--steps", "100000"], stderr=subprocess.PIPE)
    assert child.stderr is not None
    once(child, lambda: _is_training(child.pid))
    child.send_signal(signal.SIGTERM)
    stderr = child.communicate(timeout=60)[1].decode()
    assert child.returncode == 143, stderr
    assert (tmp_path / "tiny.training.pt").exists()
    done = cli(*arguments, "--steps", "3")
    assert done.returncode == 0, done.stderr
    assert read_facts(tmp_path / "tiny.safetensors").labels == (7,)
    assert cli(*arguments, "--steps", "3").returncode == 2


def _is_training(pid: int) -> bool:
    """Whether the process has taken over SIGTERM, as it does when steps begin."""
    status = Path(f"/proc/{pid}/status").read_text()
    caught = int(status.split("SigCgt:")[1].split()[0], 16)
    return bool(caught >> (signal.SIGTERM - 1) & 1)


def test_the_demo_takes_no_session(small_file: Path) -> None:
    assert cli("--demo", small_file).returncode == 2
    assert "needs a terminal" in cli("--demo").stderr
