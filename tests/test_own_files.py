"""A user's own file of each kind, as CONTRIBUTING has it, is found wherever that kind appears."""

import hashlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ddib.data.sources import IMAGE_SOURCES
from ddib.guides.guide import GUIDES
from ddib.operations.operation import OPERATIONS
from ddib.registry import Registry
from ddib.solvers.scheme import SOLVERS
from workbench.library.folders import folders
from workbench.metrics.metric import METRICS
from workbench.own_files import REGISTRIES
from workbench.runs.manifest import read_manifest

CONTRIBUTING = Path(__file__).parent.parent / ".github" / "CONTRIBUTING.md"
PLACES = ("CACHE", "CONFIG", "DATA", "STATE")
SESSION = """\
version: 1
source: {checkpoint: cmnist-fives, images: [{dataset: gratings, count: 2}]}
target: {checkpoint: cmnist-sevens}
solver: {name: euler_in_lambda, steps: 3}
recipe:
  latent:
    - {op: quantize, step: 0.1}
  guide:
    - {guide: mean_colour, scale: 0.5}
"""

FORMS = """
import json, sys
from workbench import own_files
own_files.load_own_files()
from workbench.metrics.metric import captions
from workbench.session.reading import parse_session
from workbench.tui.forms import forms, image_entries
from workbench.tui.state.session.edits import offered_operations

session = parse_session(sys.stdin.read())
(operation,), (guide,) = session.recipe.latent, session.recipe.guide
(entry,) = session.source.images

def fields(form):
    return {field.name: list(field.choices) for field in form.fields}

json.dump({
    "skipped": own_files.skipped_files(),
    "palette": dict(offered_operations()),
    "operation": fields(forms.form_of(operation, "", "")),
    "guide": fields(forms.form_of(guide, "", "")),
    "solver": fields(forms.form_of(session.solver, "", "")),
    "images": fields(image_entries.form_of(entry, 0, 1)),
    "row": captions({"brightness": 0.5}, "row"),
    "heavy": sorted({"torch", "textual"} & sys.modules.keys()),
}, sys.stdout)
"""

CHECKS = """
import sys
from pathlib import Path
from workbench.own_files import load_own_files
load_own_files()
from ddib.data.checks import check_source
from ddib.data.source import IMAGE_SOURCES
from ddib.guides.checks import check_guide
from ddib.guides.guide import GUIDES
from ddib.operations.checks import check_operation
from ddib.operations.operation import OPERATIONS
from ddib.solvers.checks import check_solver
from ddib.solvers.scheme import SOLVERS
from workbench.metrics.checks import check_metric
from workbench.metrics.metric import METRICS

for name in OPERATIONS.origins:
    check_operation(OPERATIONS[name])
for name in GUIDES.origins:
    check_guide(GUIDES[name])
for name in SOLVERS.origins:
    check_solver(name)
for name in METRICS.origins:
    check_metric(name)
for name in IMAGE_SOURCES.origins:
    check_source(IMAGE_SOURCES[name], Path(sys.argv[1]))
for registry in (OPERATIONS, GUIDES, SOLVERS, METRICS, IMAGE_SOURCES):
    print(*registry.origins)
"""


@dataclass(frozen=True)
class Own:
    """A file of the user's: its heading in CONTRIBUTING, its member, the command that lists it."""

    heading: str
    registry: Registry[Any]
    name: str
    listing: str

    @property
    def text(self) -> str:
        """The example below the heading."""
        section = CONTRIBUTING.read_text("utf-8").partition(f"### {self.heading}\n")[2]
        found = re.search(r"^```python\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
        assert found is not None, f"{self.heading} has no example"
        return found[1]


OWN = (
    Own("An operation", OPERATIONS, "quantize", "operations"),
    Own("A solver", SOLVERS, "euler_in_lambda", "solvers"),
    Own("A guide", GUIDES, "mean_colour", "guides"),
    Own("A metric", METRICS, "brightness", "metrics"),
    Own("An image source", IMAGE_SOURCES, "gratings", "sources"),
)
EACH = pytest.mark.parametrize("own", OWN, ids=lambda own: own.registry.kind)
pytestmark = pytest.mark.usefixtures("home")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The folders of a user who has one file of each kind."""
    there = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        for name in PLACES:
            patch.setenv(f"XDG_{name}_HOME", str(there / name.lower()))
        for own in OWN:
            file = folders().config.parent / own.registry.folder / f"{own.name}.py"
            file.parent.mkdir(parents=True)
            file.write_text(own.text, "utf-8")
        yield


def start(*arguments: str, given: str = "") -> str:
    """What a fresh interpreter prints; it has nothing to complain of."""
    done = subprocess.run(
        [sys.executable, *arguments],
        input=given,
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"COLUMNS": "200"},
    )
    assert done.returncode == 0, done.stderr
    assert "left out" not in done.stderr
    return done.stdout


def constants(schema: object) -> set[str]:
    """Every string that a JSON Schema takes for a value."""
    if isinstance(schema, list):
        return set().union(*map(constants, schema))
    if not isinstance(schema, dict):
        return set()
    own = {schema["const"]} if "const" in schema else set(schema.get("enum", ()))
    return {value for value in own if isinstance(value, str)}.union(
        *map(constants, schema.values())
    )


def test_a_user_can_add_to_every_registry() -> None:
    assert {own.registry for own in OWN} == set(REGISTRIES)


@EACH
def test_it_is_listed(own: Own) -> None:
    listed = start("-m", "workbench", own.listing)
    heading = next(line for line in listed.splitlines() if line.startswith(f"{own.name}  "))
    described = heading.partition("  ")[2].removesuffix(f"  ({own.name}.py)")
    assert described != heading.partition("  ")[2], "the listing does not name the file"
    assert f'"""{described}' in own.text


def test_it_is_in_the_schema() -> None:
    known = constants(json.loads(start("-m", "workbench", "schema")))
    assert {own.name for own in OWN if own.registry is not METRICS} <= known


def test_it_is_in_the_forms() -> None:
    shown = json.loads(start("-c", FORMS, given=SESSION))
    assert shown["skipped"] == shown["heavy"] == []
    assert shown["palette"]["quantize"].endswith("(quantize.py)")
    assert "step" in shown["operation"]
    assert {"scale", "sigma_min", "sigma_max"} <= shown["guide"].keys()
    assert "euler_in_lambda" in shown["solver"]["name"]
    assert "gratings" in shown["images"]["from"]
    assert "count" in shown["images"]
    assert shown["row"] == ["brightness 0.500"]


def test_a_session_that_uses_all_of_them_is_replayed(tmp_path: Path) -> None:
    session = tmp_path / "own.yaml"
    session.write_text(SESSION)
    printed = start("-m", "workbench", "replay", str(session), "--json", "--out", str(tmp_path))
    line = json.loads(printed)
    (variant,) = line["variants"]
    assert 0 < variant["metrics"]["brightness"] < 1
    manifest = read_manifest(Path(line["run"]))
    (kept,) = manifest.variants
    assert kept.metrics["brightness"] == variant["metrics"]["brightness"]
    assert len(kept.per_image["brightness"]) == 2
    used = {name: (part.source, part.sha256) for name, part in manifest.operations.items()}
    assert used == {
        own.name: (f"{own.name}.py", hashlib.sha256(own.text.encode()).hexdigest()) for own in OWN
    }
    again = start("-m", "workbench", "replay", line["run"], "--json")
    assert json.loads(again)["cache"] == {"encode": "hit", "decode": "hit"}


def test_it_keeps_what_all_of_its_kind_promise(tmp_path: Path) -> None:
    checked = start("-c", CHECKS, str(tmp_path)).split()
    assert sorted(checked) == sorted(own.name for own in OWN)
