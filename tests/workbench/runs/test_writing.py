"""Writing a run: whole, marked as unfinished, or not at all."""

import errno
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from written_runs import contents, manifest, refuse, write_run

from ddib.errors import Cancelled, InputError, RunError
from ddib.files import temporary_name
from workbench.runs import leftovers, writing
from workbench.runs.manifest import VariantResult, read_manifest
from workbench.runs.store import list_runs
from workbench.runs.writing import new_run, safe_name, stamped_name
from workbench.support import files


def test_a_run_appears_when_it_is_complete(tmp_path):
    folder = tmp_path / "deep" / "runs"
    with new_run(folder, "noise") as run:
        assert run.path.is_dir()
        assert run.path.parent == folder
        assert list_runs(folder) == []
        (run.path / "session.yaml").write_text("version: 1\n")
        run.write_manifest(manifest())
        assert list_runs(folder) == []
    assert run.path == folder / "noise"
    assert contents(run.path) == ["manifest.json", "session.yaml"]
    assert contents(folder) == ["noise"]


def test_a_name_that_is_taken_gets_a_number(tmp_path):
    (tmp_path / "noise-2").write_text("a file of the user's")
    (tmp_path / "noise-3").symlink_to(tmp_path / "nowhere")
    (tmp_path / "noise-4").mkdir()
    made = [write_run(tmp_path).name for _ in range(3)]
    assert made == ["noise", "noise-5", "noise-6"]
    assert (tmp_path / "noise-2").read_text() == "a file of the user's"
    assert contents(tmp_path / "noise-4") == []


@pytest.mark.parametrize(
    ("given", "name"),
    [("noise", "noise"), ("my session", "my session"), ("v1.5", "v1.5"), ("Köln", "Köln")],
)
def test_a_sessions_stem_is_the_runs_name(tmp_path, given, name):
    assert write_run(tmp_path, given).name == name


@pytest.mark.parametrize(
    "name", ["", ".", "..", ".hidden", "a/b", "../up", "x" * 300, "a\nb", "🙂"]
)
def test_a_run_never_leaves_its_folder(tmp_path, name):
    folder = tmp_path / "runs"
    path = write_run(folder, name)
    assert path.parent == folder
    assert not path.name.startswith(".")
    assert contents(tmp_path) == ["runs"]


def test_names():
    at = datetime(2026, 11, 23, 20, 15, 0, tzinfo=UTC)
    assert stamped_name("my noise", at) == "20261123-201500-my-noise"
    assert safe_name("  c = 0.1 / x\t") == "c-=-0.1-x"
    assert safe_name("///") == "untitled"
    assert len(safe_name("数" * 300).encode()) <= 200


def test_a_body_that_fails_before_a_manifest_leaves_nothing(tmp_path):
    with pytest.raises(RunError, match="NaN"), new_run(tmp_path, "noise") as run:
        (run.path / "images").mkdir()
        raise RunError("NaN after 3 steps")
    assert contents(tmp_path) == []


def test_a_run_without_a_manifest_leaves_nothing(tmp_path):
    with new_run(tmp_path, "noise") as run:
        (run.path / "half.png").write_bytes(b"half")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("error", "status"),
    [(Cancelled(), "cancelled"), (KeyboardInterrupt(), "cancelled"), (RunError("NaN"), "failed")],
)
def test_what_was_finished_is_kept_and_marked(tmp_path, error, status):
    with pytest.raises(type(error)), new_run(tmp_path, "noise") as run:
        run.write_manifest(manifest(variants=[VariantResult(label="c = 0.1")]))
        raise error
    kept = read_manifest(tmp_path / "noise")
    assert kept.status == status
    assert kept.error
    assert kept.variants[0].label == "c = 0.1"
    assert run.path == tmp_path / "noise"


def test_a_status_that_says_so_already_is_left_alone(tmp_path):
    with pytest.raises(RunError), new_run(tmp_path, "noise") as run:
        run.write_manifest(manifest(status="cancelled", error="stopped after 1 of 4 variants"))
        raise RunError("something else")
    assert read_manifest(tmp_path / "noise").error == "stopped after 1 of 4 variants"


@pytest.mark.parametrize(
    "error",
    [OSError(errno.ENOSPC, "No space left on device"), Exception("I/O (os error 28)")],
)
def test_a_full_disk(tmp_path, error):
    with pytest.raises(RunError, match="disk is full"), new_run(tmp_path, "noise") as run:
        (run.path / "half").touch()
        raise error
    assert contents(tmp_path) == []


def test_a_disk_that_is_full_before_the_manifest_can_be_marked(tmp_path, monkeypatch):
    def full(path, content):
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(RunError, match="disk is full"), new_run(tmp_path, "noise") as run:
        run.write_manifest(manifest())
        monkeypatch.setattr(writing, "atomic_write", full)
        raise OSError(errno.ENOSPC, "No space left on device")
    assert contents(tmp_path) == []


def test_a_file_that_cannot_be_written(tmp_path):
    with pytest.raises(RunError, match="cannot be written"), new_run(tmp_path, "noise") as run:
        (run.path / "missing" / "file").touch()
    with pytest.raises(FileNotFoundError), new_run(tmp_path, "noise"):
        (tmp_path / "elsewhere" / "file").read_text()


def test_a_folder_that_cannot_hold_runs(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="is not a folder"), new_run(tmp_path / "file", "noise"):
        pass
    with pytest.raises(InputError, match="not a folder"), new_run(tmp_path / "file" / "x", "noise"):
        pass
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(InputError, match="no permission"), new_run(tmp_path / "x", "noise"):
        pass
    monkeypatch.undo()
    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(InputError, match="read-only"), new_run(tmp_path / "x", "noise"):
        pass


WRITER = """
import signal, sys
from pathlib import Path
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
from workbench.runs.manifest import Manifest
from workbench.runs.writing import new_run
folder, count = Path(sys.argv[1]), int(sys.argv[2])
print("ready", flush=True)
sys.stdin.readline()
for _ in range(count):
    with new_run(folder, "noise") as run:
        (run.path / "session.yaml").write_text("version: 1")
        run.write_manifest(
            Manifest(session="noise", status="done", device="cpu", threads=1, chunk_size=16)
        )
        if sys.argv[3] == "wait":
            print(run.path, flush=True)
            sys.stdin.readline()
    print(run.path.name, flush=True)
"""


def writer(folder, count=1, wait=""):
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(folder), str(count), wait],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None and process.stdout.readline() == "ready\n"
    return process


def test_two_programs_use_one_folder_at_once(tmp_path):
    count = 40
    writers = [writer(tmp_path, count) for _ in range(2)]
    for process in writers:
        process.stdin.write("go\n")
        process.stdin.flush()
    names = [name for process in writers for name in process.communicate()[0].split()]
    assert sorted(names) == contents(tmp_path)
    assert set(names) == {"noise", *(f"noise-{n}" for n in range(2, 2 * count + 1))}
    for name in names:
        assert contents(tmp_path / name) == ["manifest.json", "session.yaml"]
    assert all(process.returncode == 0 for process in writers)


def test_what_a_killed_program_left_is_cleaned_and_a_living_ones_is_not(tmp_path):
    killed, alive = writer(tmp_path, wait="wait"), writer(tmp_path, wait="wait")
    for process in (killed, alive):
        process.stdin.write("go\n")
        process.stdin.flush()
    left, living = (Path(p.stdout.readline().strip()) for p in (killed, alive))
    killed.kill()
    killed.communicate()
    assert left.is_dir()
    assert list_runs(tmp_path) == []
    write_run(tmp_path, "other")
    assert not left.exists()
    assert living.is_dir()
    assert alive.communicate("go\n")[0] == "noise\n"
    assert contents(tmp_path) == ["noise", "other"]


def test_an_interrupted_program_keeps_what_it_finished(tmp_path):
    process = writer(tmp_path, wait="wait")
    process.stdin.write("go\n")
    process.stdin.flush()
    process.stdout.readline()
    process.send_signal(signal.SIGINT)
    process.communicate()
    assert contents(tmp_path) == ["noise"]
    assert read_manifest(tmp_path / "noise").status == "cancelled"


def test_only_dead_processes_of_this_machine_are_cleaned_after(tmp_path):
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    mine = temporary_name("noise", "partial")
    kept = [
        mine,
        mine.replace(str(os.getpid()), str(dead.pid)).replace("partial-", "partial-other_"),
        ".noise.partial-what",
        ".partial-notes",
        ".config",
    ]
    gone = [
        mine.replace(f"-{os.getpid()}-", f"-{dead.pid}-"),
        mine.replace(f"-{os.getpid()}-", f"-{dead.pid}-").replace("partial", "deleted"),
    ]
    for name in (*kept, *gone):
        (tmp_path / name).mkdir()
    leftovers.clear_dead(tmp_path)
    assert contents(tmp_path) == sorted(kept)


def test_a_process_that_nobody_waited_for_is_gone() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    assert files.is_alive(child.pid)
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # ended, and left unwaited for
    assert not files.is_alive(child.pid)
    child.wait()
    assert not files.is_alive(child.pid)
