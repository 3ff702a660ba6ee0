"""A small share of the mutated sessions, checkpoints and pictures, and of the long sitting."""

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

FOLDER = Path(__file__).parent


@pytest.mark.parametrize("command", ["share.py files", "soak.py --runs 3 --minutes 1 --most 10"])
def test_nothing_fails(command: str) -> None:
    name, *arguments = command.split()
    whole = [sys.executable, str(FOLDER / name), *arguments]
    ended = subprocess.run(whole, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, f"{ended.stdout}\n{ended.stderr}"
