"""No file and no folder is too large, save those that CONTRIBUTING names with the reason."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parent.parent
CONTRIBUTING = ROOT / ".github" / "CONTRIBUTING.md"
MODULES = [
    path
    for folder in ("ddib", "workbench", "tests")
    for path in sorted((ROOT / folder).rglob("*.py"))
]


class Limit(NamedTuple):
    measure: Callable[[Path], int]
    most: int
    most_with_a_reason: int
    exceptions: int  # so many may have a reason


def count_lines(path: Path) -> int:
    return len(path.read_text("utf-8").splitlines())


def count_modules(folder: Path) -> int:
    return len(list(folder.glob("*.py")))


FILES = Limit(count_lines, 400, 500, 3)
FOLDERS = Limit(count_modules, 14, 20, 2)
CASES = [(FILES, MODULES), (FOLDERS, sorted({path.parent for path in MODULES}))]


def exceptions() -> dict[Path, str]:
    """The reason of each exception in CONTRIBUTING's section "Sizes": `- PATH: reason`."""
    text = CONTRIBUTING.read_text("utf-8")
    (section,) = re.findall(r"^## Sizes\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    return {
        ROOT / name: reason for name, reason in re.findall(r"^- `([^`]+)`: (\S.+)$", section, re.M)
    }


@pytest.mark.parametrize(("limit", "paths"), CASES, ids=["files", "folders"])
def test_nothing_is_too_large(limit: Limit, paths: list[Path]) -> None:
    allowed = [path for path in exceptions() if path in paths]
    assert len(allowed) <= limit.exceptions
    too_large = {
        str(path.relative_to(ROOT)): size
        for path in paths
        if (size := limit.measure(path))
        > (limit.most_with_a_reason if path in allowed else limit.most)
    }
    assert not too_large


def test_every_exception_is_needed() -> None:
    for path in exceptions():
        limit = FOLDERS if path.is_dir() else FILES
        assert limit.measure(path) > limit.most, f"{path.relative_to(ROOT)} needs no exception"
