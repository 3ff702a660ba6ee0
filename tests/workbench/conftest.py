"""Sessions small enough for two cores, on the checkpoints that ship with the package."""

from pathlib import Path

import pytest

from workbench.session import Session, parse_session

SMALL = """\
version: 1
title: A small session
source:
  checkpoint: cmnist-fives
  images:
    - {dataset: colored-mnist, digit: 5, count: 3, seed: 0}
target:
  checkpoint: cmnist-sevens
solver: {steps: 4, start_noise: 0.03}
recipe:
  latent:
    - {op: blend, proportion: [0.0, 0.1]}
"""


@pytest.fixture(autouse=True)
def _own_folders(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads or writes the folders of the person who runs it."""
    home = tmp_path_factory.mktemp("home")
    for name in ("DATA", "CACHE", "STATE", "CONFIG"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(home / name.lower()))


@pytest.fixture
def small() -> Session:
    return parse_session(SMALL)


@pytest.fixture
def small_file(tmp_path: Path) -> Path:
    path = tmp_path / "small.yaml"
    path.write_text(SMALL)
    return path
