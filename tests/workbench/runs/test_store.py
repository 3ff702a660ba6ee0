"""The store: listing, finding and deleting runs."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from written_runs import contents, manifest, refuse, write_run

from ddib.errors import InputError, RunError
from workbench.runs.manifest import VariantResult, read_manifest
from workbench.runs.store import delete_run, find_run, list_runs
from workbench.runs.writing import new_run


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
