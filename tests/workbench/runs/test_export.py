"""Exporting a run overwrites nothing and leaves nothing half done."""

import os
import shutil
import zipfile

import pytest
from written_runs import contents, refuse, write_run

from ddib.errors import InputError, RunError
from workbench.runs import export, writing
from workbench.runs.comparison import compare_runs
from workbench.runs.export import export_run
from workbench.runs.manifest import read_manifest


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
