"""Sessions small enough for two cores, on the checkpoints that ship with the package."""

import json
import struct
import subprocess
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from ddib.checkpoints.header import CheckpointFacts
from ddib.networks.configurations import ProbeConfig, UNetConfig
from workbench.library import folders
from workbench.session.reading import parse_session
from workbench.session.schema import Session

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
def once() -> Callable[[subprocess.Popen[Any], Callable[[], object]], None]:
    """Waits until something is so, while a process lives; it leaves the processor to that."""

    def wait(child: subprocess.Popen[Any], condition: Callable[[], object]) -> None:
        while not condition():
            with suppress(subprocess.TimeoutExpired):
                child.wait(0.02)
                raise AssertionError(f"it ended by itself with {child.returncode}")

    return wait


@pytest.fixture
def small() -> Session:
    return parse_session(SMALL)


@pytest.fixture
def small_file(tmp_path: Path) -> Path:
    path = tmp_path / "small.yaml"
    path.write_text(SMALL)
    return path


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> folders.Folders:
    """The program's folders inside a temporary one, without the checkpoints of the package."""
    for name in ("DATA", "CACHE", "STATE", "CONFIG"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / name.lower()))
    monkeypatch.setattr(folders, "ZOO", tmp_path / "zoo")
    return folders.folders()


@pytest.fixture
def write_checkpoint() -> Callable[..., Path]:
    """A function that writes the smallest file `read_facts` takes: a header and no weights."""

    def write(folder: Path, name: str, kind: str = "denoiser") -> Path:
        facts = CheckpointFacts(
            kind=kind,
            domain="fives",
            labels=(5,),
            image_size=32,
            channels=3,
            architecture=UNetConfig() if kind == "denoiser" else ProbeConfig(),
            parameters=0,
        )
        header = json.dumps({"__metadata__": {"ddib": facts.model_dump_json()}}).encode()
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{name}.safetensors"
        path.write_bytes(struct.pack("<Q", len(header)) + header)
        return path

    return write


@pytest.fixture
def write_config(places: folders.Folders) -> Callable[[str], Path]:
    """A function that writes the configuration file."""

    def write(text: str) -> Path:
        places.config.parent.mkdir(parents=True, exist_ok=True)
        places.config.write_text(text)
        return places.config

    return write
