"""The wheel, installed outside the checkout, brings all that the program shows and reads."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LOOK = """\
import json
from importlib.resources import files
import ddib, workbench
from ddib.checkpoints.files import ZOO
from workbench import demo, manual
from workbench.runs.store import read_manifest
from workbench.session import load_session
from workbench.tui.state.session.session_files import examples
sessions = sorted(examples().glob("*.yaml"))
for path in sessions:
    load_session(path)
print(json.dumps({
    "homes": [str(files(package)) for package in (ddib, workbench)],
    "typed": [files(package).joinpath("py.typed").is_file() for package in (ddib, workbench)],
    "sessions": [path.name for path in sessions],
    "pages": list(manual.pages()),
    "zoo": [path.name for path in sorted(ZOO.glob("*.safetensors"))],
    "demo": read_manifest(demo.RUN).status,
}))
"""

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that the wheel was installed into."""
    place = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "-q"]
    build = [*pip, "wheel", "--no-deps", "--no-build-isolation", "-w", str(place), str(ROOT)]
    subprocess.run(build, check=True)
    (wheel,) = place.glob("*.whl")
    subprocess.run(
        [*pip, "install", "--no-deps", "-t", str(place / "site"), str(wheel)], check=True
    )
    return place / "site"


def test_all_that_ships_is_found(installed: Path, tmp_path: Path) -> None:
    environment = os.environ | {"PYTHONPATH": str(installed)}
    done = subprocess.run(
        [sys.executable, "-c", LOOK],
        capture_output=True, text=True, cwd=tmp_path, env=environment, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["homes"] == [str(installed / "ddib"), str(installed / "workbench")]
    assert found["typed"] == [True, True]
    assert found["sessions"] == names(ROOT / "sessions", "*.yaml")
    assert sorted(found["pages"]) == [
        page.removesuffix(".md") for page in names(ROOT / "workbench" / "manual", "*.md")
    ]
    assert found["zoo"] == names(ROOT / "ddib" / "zoo", "*.safetensors")
    assert found["demo"] == "done"


def test_nothing_but_the_two_packages_is_installed(installed: Path) -> None:
    entries = {path.name for path in installed.iterdir() if path.suffix != ".dist-info"}
    assert entries == {"ddib", "workbench", "bin"}


def names(folder: Path, pattern: str) -> list[str]:
    return sorted(path.name for path in folder.glob(pattern))
