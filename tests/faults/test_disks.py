"""Files that cannot be written: one line that says which, and nothing half-made stays (18)."""

import subprocess
import sys
from pathlib import Path

import pytest

import making


def limited(folder: Path, kilobytes: int, *arguments: str | Path) -> making.Said:
    """A command that may write files of so many kilobytes, as on a disk with so much room."""
    shell = f'ulimit -f {kilobytes}; exec "$@"'
    command = [sys.executable, "-P", "-m", "workbench", *map(str, arguments)]
    done = subprocess.run(
        ["bash", "-c", shell, "bash", *command], check=False, cwd=folder, timeout=120,
        env=making.places(folder), stdin=subprocess.DEVNULL, capture_output=True, text=True,
    )  # fmt: skip
    return making.Said(done.returncode, done.stdout, done.stderr)


def test_an_import_that_does_not_fit_on_the_disk_is_one_line(tmp_path: Path) -> None:
    path = making.ZOO / "cmnist-fives.safetensors"
    said = limited(tmp_path, 64, "checkpoints", "import", path)
    assert said.code == 1
    assert "Traceback" not in said.err
    assert "cmnist-fives.safetensors: file too large" in " ".join(said.err.split())
    assert not list(making.library(tmp_path).iterdir())


def test_a_training_whose_checkpoint_does_not_fit_is_one_line(tmp_path: Path) -> None:
    train = ("train", "--name", "a", "--dataset", "moons", "--steps", "1", "--out", "made")
    said = limited(tmp_path, 16, *train, "--batch", "2")
    assert said.code == 1
    assert "Traceback" not in said.err
    assert "a.safetensors: cannot be written" in " ".join(said.err.split())
    assert not list((tmp_path / "made").iterdir())


@pytest.mark.parametrize(
    "arguments",
    [
        ("train", "--name", "a", "--dataset", "moons", "--steps", "1", "--out", "file/made"),
        ("replay", "a.yaml", "--out", "file/made"),
    ],
    ids=["train", "replay"],
)
def test_a_folder_below_a_file_is_refused_before_anything_runs(
    tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "a.yaml").write_text(
        making.session("{dataset: colored-mnist, digit: 5, count: 1, seed: 0}")
    )
    (said,) = making.run(tmp_path, arguments, seconds=30)
    assert said.refuses("file/made", "is not a folder"), said
