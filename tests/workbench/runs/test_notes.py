"""What the user says about a run."""

import pytest
from written_runs import contents, write_run

from ddib.errors import InputError
from workbench.runs.comparison import compare_runs
from workbench.runs.notes import Notes, change_notes, read_notes
from workbench.runs.store import delete_run, list_runs


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
