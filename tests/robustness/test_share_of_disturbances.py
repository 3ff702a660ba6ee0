"""A small share of the kills, the full and read-only disks, and the programs at once."""

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow


def test_nothing_is_lost() -> None:
    whole = [sys.executable, str(Path(__file__).with_name("share.py")), "disturbances"]
    ended = subprocess.run(whole, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, f"{ended.stdout}\n{ended.stderr}"
