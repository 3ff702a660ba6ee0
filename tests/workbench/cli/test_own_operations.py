"""A user's own operation from file to result, and a session that needs one that is not here."""

import hashlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from ddib.operations.operation import OPERATIONS
from ddib.registry import Origin, Skipped
from workbench.cli import checks as doctor
from workbench.library.folders import folders
from workbench.runs.manifest import read_manifest
from workbench.session.errors import SessionError
from workbench.session.reading import parse_session
from workbench.session.schema import schema
from workbench.session.writing import dump_session

MANUAL = Path(__file__).parents[3] / "workbench" / "manual" / "extending.md"
SESSION = """\
version: 1
title: In steps  # coarse
source: {checkpoint: cmnist-fives, images: [{dataset: colored-mnist, count: 1}]}
target: {checkpoint: cmnist-sevens}
solver: {steps: 1}
recipe:
  latent:
    - {op: quantize, step: [0.5, 2]}
"""
NEEDS = "needs: {quantize: quantize.py}\n"


def cli(*arguments: str | Path, code: int = 0) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "workbench", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ)
    assert done.returncode == code, done.stderr
    return done


def example() -> str:
    (found,) = re.findall(
        r"<!-- operation example -->\n```python\n(.*?)^```$",
        MANUAL.read_text("utf-8"),
        re.MULTILINE | re.DOTALL,
    )
    return str(found)


@pytest.mark.slow
def test_the_manual_s_operation_runs_as_it_stands_there(tmp_path: Path) -> None:
    folder = folders().operations
    folder.mkdir(parents=True)
    file = folder / "quantize.py"
    file.write_text(example())
    (folder / "broken.py").write_text("import nowhere")
    session = tmp_path / "steps.yaml"
    session.write_text(SESSION)

    listed = cli("operations")
    assert "quantize  Round every value to a multiple of a step.  (quantize.py)" in listed.stdout
    assert "broken.py" in listed.stderr
    told = cli("schema")
    assert "Quantize" in json.loads(told.stdout)["$defs"]
    assert "broken.py" in told.stderr

    done = cli("replay", session, "--json", "--out", tmp_path / "runs")
    line = json.loads(done.stdout)
    assert [v["values"] for v in line["variants"]] == [{"latent.0.step": s} for s in (0.5, 2)]
    manifest = read_manifest(Path(line["run"]))
    (used,) = manifest.operations.values()
    assert used.source == "quantize.py"
    assert used.sha256 == hashlib.sha256(file.read_bytes()).hexdigest()
    kept = (Path(line["run"]) / "session.yaml").read_text()
    assert "needs:\n  quantize: quantize.py\n" in kept

    file.write_text(example().replace("round()", "floor()"))
    again = json.loads(cli("replay", line["run"], "--json").stdout)
    assert again["cache"] == {"encode": "hit", "decode": "miss"}, "the code is another"

    file.unlink()
    refused = cli("replay", line["run"], code=2)
    assert "recipe.latent.0.op: quantize is not ddib's own operation" in refused.stderr
    assert str(folder) in refused.stderr.replace("\n", "")


def message(text: str) -> str:
    with pytest.raises(SessionError) as error:
        parse_session(text, "steps.yaml")
    return str(error.value)


def test_a_session_says_what_is_missing_and_where_to_put_it() -> None:
    folder = folders().operations
    assert message(SESSION + NEEDS) == (
        "steps.yaml:8: recipe.latent.0.op: quantize is not ddib's own operation, it comes with "
        f"quantize.py; put that file, if you trust it, into {folder}"
    )
    assert "pip install 'ddib-q==1.2', if you trust it" in message(
        SESSION + "needs: {quantize: ddib-q 1.2}\n"
    )
    assert "'quantize' is not known" in message(SESSION).replace("quantize is", "'quantize' is")
    assert "steps.yaml:9: needs: is [quantize]; expected names" in message(
        SESSION + "needs: [quantize]\n"
    )


def test_a_file_that_is_there_and_broken_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(OPERATIONS, "skipped", [Skipped("quantize.py", "line 3: oh")])
    assert "comes with quantize.py, which cannot be loaded: line 3: oh" in message(SESSION + NEEDS)


def test_what_a_session_needs_follows_from_its_recipe(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(OPERATIONS.origins, "blur", Origin("ddib-blur 2", ""))
    text = SESSION.replace("{op: quantize, step: [0.5, 2]}", "{op: blur}")
    session = parse_session(text)
    assert "needs:\n  blur: ddib-blur 2\n" in dump_session(session)
    kept = dump_session(session, text)
    assert kept == text + "needs:\n  blur: ddib-blur 2\n"
    assert parse_session(kept) == session
    assert dump_session(session, kept) == kept
    monkeypatch.delitem(OPERATIONS.origins, "blur")
    assert "needs" not in dump_session(session)
    without = dump_session(session, kept)
    assert "title: In steps  # coarse\n" in without
    assert "ddib-blur" not in without
    assert parse_session(without) == session


def test_the_schema_knows_what_a_session_may_need() -> None:
    assert schema()["properties"]["needs"]["additionalProperties"] == {"type": "string"}


def test_doctor_tells_what_is_there_and_what_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    assert doctor.check_operations().status == "ok"
    assert str(folders().operations) in doctor.check_operations().found
    monkeypatch.setitem(OPERATIONS.origins, "blur", Origin("ddib-blur 2", ""))
    monkeypatch.setattr(OPERATIONS, "skipped", [Skipped("mine.py", "line 3: oh")])
    check = doctor.check_operations()
    assert check.status == "warn"
    assert check.found == "blur (ddib-blur 2)"
    assert check.advice == "mine.py is left out: line 3: oh"


def test_no_operation_of_the_tests_is_anybody_s_own() -> None:
    assert not OPERATIONS.origins
    assert not OPERATIONS.skipped
