import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from safetensors.numpy import save_file

from ddib.errors import Cancelled, InputError, RunError
from workbench.runs import comparison as comparing
from workbench.runs import export, leftovers, writing
from workbench.runs.comparison import compare_runs
from workbench.runs.export import export_run
from workbench.runs.manifest import Manifest, VariantResult, read_manifest
from workbench.runs.notes import Notes, change_notes, read_notes
from workbench.runs.store import delete_run, find_run, list_runs
from workbench.runs.writing import new_run, safe_name, stamped_name
from workbench.support import files


def manifest(**changes):
    known = {"session": "noise", "status": "done", "device": "cpu", "threads": 2, "chunk_size": 16}
    return Manifest(**known | changes)


def write_run(folder, name="noise", latents=None, images=None, **changes):
    """A complete run directory with two images and two tensors."""
    if latents is None:
        latents = {"source": np.zeros((2, 3, 4, 4), np.float32)}
    if images is None:
        images = {"a.png": np.zeros((4, 4, 3), np.uint8), "b.png": np.full((4, 4, 3), 9, np.uint8)}
    with new_run(folder, name) as run:
        (run.path / "images").mkdir()
        for file, pixels in images.items():
            Image.fromarray(pixels).save(run.path / "images" / file)
        save_file(latents, run.path / "latents.safetensors")
        (run.path / "session.yaml").write_text("version: 1\n")
        run.write_manifest(manifest(**changes))
    return run.path


def contents(folder):
    return sorted(path.name for path in folder.iterdir())


# ---- writing


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


def refuse(*_, **__):
    raise OSError(errno.EROFS, "Read-only file system")


# ---- other processes

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
    mine = files.temporary_name("noise", "partial")
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


# ---- reading


def test_a_manifest_comes_back_as_it_was_written(tmp_path):
    written = manifest(
        title="Köln",
        created=datetime(2026, 11, 23, 20, 15, tzinfo=UTC),
        checkpoints={"source": {"name": "fives", "path": "/x.safetensors", "sha256": "00"}},
        inputs=[{"name": "five-0", "sha256": "11"}],
        nfe={"encode": 20, "decode": 80},
        cache={"encode": "hit"},
        variants=[
            VariantResult(
                values={"latent.1.coefficient": 0.1},
                metrics={"cycle_psnr": float("inf")},
                per_image={"hue_error": [1.5, None]},
            )
        ],
    )
    with new_run(tmp_path, "noise") as run:
        run.write_manifest(written)
    assert read_manifest(run.path) == written
    json.loads((run.path / "manifest.json").read_text(), parse_constant=pytest.fail)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{}", "session"),
        ("", "damaged"),
        ('{"version": 2, "new": 1}', "newer than this program"),
        ('{"session": "x", "status": "happy"}', "status"),
    ],
)
def test_a_damaged_manifest(tmp_path, content, message):
    path = write_run(tmp_path)
    (path / "manifest.json").write_text(content)
    with pytest.raises(InputError, match=message) as caught:
        read_manifest(path)
    assert str(path) in str(caught.value)


def test_a_directory_that_is_no_run(tmp_path):
    for path in (tmp_path, tmp_path / "missing"):
        with pytest.raises(InputError, match="not a run directory"):
            read_manifest(path)
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="not a run directory"):
        read_manifest(tmp_path / "file")
    (tmp_path / "manifest.json").mkdir()
    with pytest.raises(InputError, match="cannot be read"):
        read_manifest(tmp_path)


def test_runs_are_listed_newest_first_with_the_broken_ones_marked(tmp_path):
    write_run(tmp_path, "b", created=datetime(2026, 1, 2, tzinfo=UTC))
    write_run(tmp_path, "a", created=datetime(2026, 1, 3))  # from elsewhere
    broken = write_run(tmp_path, "c")
    (broken / "manifest.json").write_text("{")
    os.utime(broken / "manifest.json", (0, 0))
    (tmp_path / "no-run").mkdir()
    (tmp_path / "file").touch()
    listed = list_runs(tmp_path)
    assert [run.name for run in listed] == ["a", "b", "c"]
    assert [run.problem is None for run in listed] == [True, True, False]
    assert list_runs(tmp_path / "missing") == []
    with pytest.raises(InputError, match="cannot be read"):
        list_runs(tmp_path / "file")


def test_a_run_is_found_by_name_and_by_path(tmp_path, monkeypatch):
    path = write_run(tmp_path / "runs", "20261123-noise")
    assert find_run(tmp_path / "runs", "20261123-noise") == path
    assert find_run(tmp_path / "elsewhere", str(path)) == path
    monkeypatch.chdir(tmp_path)
    assert find_run(tmp_path, "runs/20261123-noise").samefile(path)
    with pytest.raises(InputError, match="did you mean 20261123-noise"):
        find_run(tmp_path / "runs", "20261123-nose")
    with pytest.raises(InputError, match="there are none"):
        find_run(tmp_path / "elsewhere", "noise")


# ---- deleting and exporting


def test_deleting_a_run(tmp_path):
    write_run(tmp_path, "a")
    write_run(tmp_path, "b")
    delete_run(tmp_path, "a")
    assert contents(tmp_path) == ["b"]
    with pytest.raises(InputError, match="no run 'a'"):
        delete_run(tmp_path, "a")


def test_nothing_but_a_run_of_the_folder_is_deleted(tmp_path):
    folder = tmp_path / "runs"
    outside = write_run(tmp_path, "outside")
    inside = write_run(folder, "inside")
    (folder / "photos").mkdir()
    (folder / "link").symlink_to(outside)
    write_run(inside, "nested")
    names = ("../outside", str(outside), "link", "photos", "inside/nested", "", ".", "..", "x")
    for name in names:
        with pytest.raises(InputError):
            delete_run(folder, name)
    (tmp_path / "manifest.json").touch()  # even where the parent looks like a run
    for name in ("", ".", ".."):
        with pytest.raises(InputError):
            delete_run(folder, name)
    assert contents(folder) == ["inside", "link", "photos"]
    assert outside.is_dir()
    assert (inside / "nested").is_dir()


def test_a_run_that_cannot_be_deleted(tmp_path, monkeypatch):
    write_run(tmp_path)
    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(RunError, match="read-only"):
        delete_run(tmp_path, "noise")


def test_exporting_to_a_zip(tmp_path):
    run = write_run(tmp_path / "runs")
    made = export_run(run, tmp_path / "new" / "noise.zip")
    assert contents(made.parent) == ["noise.zip"]
    with zipfile.ZipFile(made) as archive:
        assert archive.testzip() is None
        archive.extractall(tmp_path / "unpacked")
    assert compare_runs(run, tmp_path / "unpacked" / "noise").same_bytes
    assert read_manifest(tmp_path / "unpacked" / "noise") == read_manifest(run)


def test_exporting_to_a_folder(tmp_path):
    run = write_run(tmp_path / "runs")
    (tmp_path / "there").mkdir()
    assert export_run(run, tmp_path / "new") == tmp_path / "new"
    assert export_run(run, tmp_path / "there") == tmp_path / "there" / "noise"
    for made in (tmp_path / "new", tmp_path / "there" / "noise"):
        assert contents(made) == contents(run)
    assert contents(tmp_path / "there") == ["noise"]


def test_exporting_overwrites_nothing(tmp_path):
    run = write_run(tmp_path / "runs")
    (tmp_path / "file.zip").write_text("mine")
    (tmp_path / "there" / "noise").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    for destination in ("file.zip", "there", "link", "runs/"):
        with pytest.raises(InputError, match="already there"):
            export_run(run, tmp_path / destination)
    assert (tmp_path / "file.zip").read_text() == "mine"
    with pytest.raises(InputError, match="inside the run"):
        export_run(run, run / "copy")
    with pytest.raises(InputError, match="is not a folder"):
        export_run(run, tmp_path / "file.zip" / "x")
    with pytest.raises(InputError, match="not a run directory"):
        export_run(tmp_path, tmp_path / "new")


@pytest.mark.parametrize("name", ["new", "new.zip"])
def test_an_export_that_fails_leaves_nothing(tmp_path, monkeypatch, name):
    run = write_run(tmp_path / "runs")
    monkeypatch.setattr(export, "_zip", refuse)
    monkeypatch.setattr(shutil, "copytree", refuse)
    with pytest.raises(RunError, match="read-only"):
        export_run(run, tmp_path / name)
    assert contents(tmp_path) == ["runs"]


def test_an_export_to_a_folder_that_is_overtaken_overwrites_nothing(tmp_path, monkeypatch):
    run = write_run(tmp_path / "runs")
    publish = writing.claim_name

    def overtaken(partial, path):
        monkeypatch.setattr(export, "claim_name", publish)
        write_run(tmp_path, "new", title="the other's")
        monkeypatch.setattr(os.path, "lexists", lambda path: False)
        publish(partial, path)

    monkeypatch.setattr(export, "claim_name", overtaken)
    with pytest.raises(InputError, match="already there"):
        export_run(run, tmp_path / "new")
    assert contents(tmp_path) == ["new", "runs"]
    assert read_manifest(tmp_path / "new").title == "the other's"


def test_an_export_to_a_zip_that_is_overtaken_overwrites_nothing(tmp_path, monkeypatch):
    run = write_run(tmp_path / "runs")
    zip_run = export._zip

    def overtaken(source, target):
        zip_run(source, target)
        (tmp_path / "new.zip").write_text("mine")

    monkeypatch.setattr(export, "_zip", overtaken)
    with pytest.raises(InputError, match="already there"):
        export_run(run, tmp_path / "new.zip")
    assert contents(tmp_path) == ["new.zip", "runs"]
    assert (tmp_path / "new.zip").read_text() == "mine"


# ---- comparing


def test_equal_runs_have_the_same_bytes(tmp_path):
    first, second = write_run(tmp_path), write_run(tmp_path, title="of another day")
    found = compare_runs(first, second)
    assert found.same_bytes
    assert found.within(0, 0)


def test_the_largest_difference_is_found(tmp_path):
    latents = {"source": np.zeros((2, 3, 4, 4), np.float32)}
    pixels = np.zeros((4, 4, 3), np.uint8)
    first = write_run(tmp_path, latents=latents, images={"a.png": pixels, "b.png": pixels})
    latents["source"][1, 2, 3, 0] = -0.25
    changed = pixels.copy()
    changed[1, 1] = (3, 200, 0)
    second = write_run(tmp_path, latents=latents, images={"a.png": pixels, "b.png": changed})
    for comparison in (compare_runs(first, second), compare_runs(second, first)):
        assert (comparison.latents, comparison.pixels) == (0.25, 200)
        assert comparison.differing == ("images/b.png", "latents.safetensors")
        assert not comparison.same_bytes
        assert comparison.within(0.25, 200)
        assert not comparison.within(0.2, 200)
        assert not comparison.within(0.25, 199)


def test_other_bytes_of_the_same_pixels_do_not_differ(tmp_path):
    first, second = write_run(tmp_path), write_run(tmp_path)
    with Image.open(second / "images" / "b.png") as image:
        image.save(second / "images" / "b.png", compress_level=0)
    comparison = compare_runs(first, second)
    assert not comparison.same_bytes
    assert comparison.within(0, 0)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_nan_and_infinity_differ_from_numbers_only(tmp_path, bad):
    good, odd = np.ones(4, np.float32), np.array([1, bad, 1, 1], np.float32)
    first, second = (
        write_run(tmp_path, latents={"a": good}),
        write_run(tmp_path, latents={"a": odd}),
    )
    third = write_run(tmp_path, latents={"a": odd, "b": good})
    assert compare_runs(first, second).latents == np.inf
    assert comparing._largest(odd, odd) == 0
    assert compare_runs(second, third).missing == ("latents.safetensors: b",)


def test_runs_of_different_parts_are_not_within_any_tolerance(tmp_path):
    pixels = np.zeros((4, 4, 3), np.uint8)
    first = write_run(tmp_path, images={"a.png": pixels, "b.png": pixels})
    fewer = write_run(tmp_path, images={"a.png": pixels})
    larger = write_run(tmp_path, images={"a.png": pixels, "b.png": pixels.repeat(2, axis=0)})
    without = write_run(tmp_path, images={"a.png": pixels, "b.png": pixels})
    (without / "latents.safetensors").unlink()
    reshaped = write_run(
        tmp_path,
        images={"a.png": pixels, "b.png": pixels},
        latents={"source": np.zeros((1, 3, 4, 4), np.float32)},
    )
    assert compare_runs(first, fewer).missing == ("images/b.png",)
    assert compare_runs(first, larger).missing == ("images/b.png",)
    assert compare_runs(first, without).missing == ("latents.safetensors",)
    assert compare_runs(first, reshaped).missing == ("latents.safetensors: source",)
    for other in (fewer, larger, without, reshaped):
        assert not compare_runs(first, other).within(np.inf, 255)
        assert not compare_runs(first, other).same_bytes


def test_comparing_with_what_is_no_run(tmp_path):
    run, other = write_run(tmp_path), write_run(tmp_path)
    with pytest.raises(InputError, match="not a run directory"):
        compare_runs(run, tmp_path)
    (other / "latents.safetensors").write_bytes(b"cut")
    with pytest.raises(InputError, match="cannot be read"):
        compare_runs(run, other)
    (other / "images" / "a.png").write_bytes(b"cut")
    with pytest.raises(InputError, match="cannot be read"):
        compare_runs(run, other)


# ---- what the user says about a run


def test_notes_are_kept_beside_the_manifest(tmp_path):
    run = write_run(tmp_path)
    assert read_notes(run) == Notes()
    change_notes(run, pinned=True)
    change_notes(run, name="the good one", note="after σ = 0.03")
    assert read_notes(run) == Notes(pinned=True, name="the good one", note="after σ = 0.03")
    (listed,) = list_runs(tmp_path)
    assert listed.notes == read_notes(run) and listed.notes_problem is None
    assert compare_runs(run, write_run(tmp_path)).same_bytes
    delete_run(tmp_path, run.name)
    assert not run.exists()


@pytest.mark.parametrize("content", [b"", b"{", b'{"pinned": "often"}', b'{"stars": 5}', b"\xff"])
def test_damaged_notes_are_as_good_as_none(tmp_path, content):
    run = write_run(tmp_path)
    (run / "notes.json").write_bytes(content)
    with pytest.raises(InputError, match=r"notes\.json: damaged"):
        read_notes(run)
    (listed,) = list_runs(tmp_path)
    assert listed.manifest is not None and listed.notes == Notes()
    assert "notes.json: damaged" in (listed.notes_problem or "")
    change_notes(run, name="mended")
    assert read_notes(run) == Notes(name="mended")


def test_only_a_run_takes_notes(tmp_path):
    with pytest.raises(InputError, match="not a run directory"):
        change_notes(tmp_path, pinned=True)
    assert contents(tmp_path) == []


def test_a_process_that_nobody_waited_for_is_gone() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    assert files.is_alive(child.pid)
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # ended, and left unwaited for
    assert not files.is_alive(child.pid)
    child.wait()
    assert not files.is_alive(child.pid)
