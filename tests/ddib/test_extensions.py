"""Operations from files and packages: taken up, or left out with the reason."""

import hashlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from ddib import extensions
from ddib.extensions import ORIGINS, SKIPPED, Origin, load_operations
from ddib.operations.operation import OPERATIONS, Context

SPARKLE = '''\
from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from ddib.operations import Context, Operation

if TYPE_CHECKING:
    from torch import Tensor

print("loading")


class Sparkle(Operation):
    """Make everything brighter."""

    op: Literal["sparkle"] = "sparkle"
    amount: float = Field(default=0.5, ge=0, le=1, description="what is added")

    def apply(self, z: Tensor, context: Context) -> Tensor:
        import torch

        return torch.add(z, self.amount)
'''


@pytest.fixture(autouse=True)
def _put_back() -> Iterator[None]:
    before = dict(OPERATIONS), dict(ORIGINS), list(SKIPPED)
    yield
    for there, was in zip((OPERATIONS, ORIGINS), before, strict=False):
        there.clear()
        there.update(was)  # type: ignore[arg-type]
    SKIPPED[:] = before[2]


def problem(folder: Path, text: str) -> str:
    """Why a file is left out; that nothing of it stays is asserted."""
    before = dict(OPERATIONS)
    (folder / "mine.py").write_text(text)
    load_operations(folder)
    assert before == OPERATIONS
    assert not ORIGINS
    (skipped,) = SKIPPED
    assert skipped.name == "mine.py"
    return skipped.problem


def test_a_file_s_operation_is_one_like_ours(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "sparkle.py").write_text(SPARKLE)
    load_operations(tmp_path)
    assert list(OPERATIONS)[-1] == "sparkle"
    sha256 = hashlib.sha256(SPARKLE.encode()).hexdigest()
    assert {"sparkle": Origin("sparkle.py", sha256)} == ORIGINS
    assert not SKIPPED
    z = torch.zeros(1, 3, 2, 2)
    made = OPERATIONS["sparkle"].model_validate({"op": "sparkle", "amount": 0.25})
    assert torch.equal(made(z, Context()), z + 0.25)
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", "loading\n"), "stdout is for data"
    load_operations(tmp_path)
    assert not SKIPPED, "looked at once"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("sparkle", "blur"), "there is an operation blur already (it is ddib's own)"),
        (('"""Make everything brighter."""', ""), "Sparkle has no docstring"),
        (("default=0.5, ", ""), "Sparkle.amount needs a default value"),
        (("def apply", "def aply"), "abstract"),
        (("print(", "prnt("), "line 12: NameError: name 'prnt' is not defined"),
        (("class Sparkle(", "class Sparkle["), "line 15: SyntaxError"),
        (('Literal["sparkle"] = "sparkle"', 'str = "sparkle"'), "Sparkle needs a name"),
        (('Literal["sparkle"] = "sparkle"', 'Literal["sparkle"]'), "Sparkle needs a name"),
        (("print(", "raise SystemExit("), "SystemExit: loading"),
        ((SPARKLE, "x = 1"), "defines no operation"),
        (('"sparkle"', '"Sp arkle"'), "'Sp arkle' is no name for an operation"),
    ],
)
def test_what_cannot_be_used_is_left_out_with_the_reason(
    change: tuple[str, str], said: str, tmp_path: Path
) -> None:
    text = SPARKLE.replace(*change)
    assert text != SPARKLE
    assert said in problem(tmp_path, text)


def test_the_second_of_one_name_is_left_out(tmp_path: Path) -> None:
    for name in ("a.py", "b.py"):
        (tmp_path / name).write_text(SPARKLE)
    load_operations(tmp_path)
    assert ORIGINS["sparkle"].name == "a.py"
    (skipped,) = SKIPPED
    assert (skipped.name, "a.py defines it" in skipped.problem) == ("b.py", True)


def test_a_folder_that_is_not_there_has_none(tmp_path: Path) -> None:
    load_operations(tmp_path / "missing")
    assert not ORIGINS
    assert not SKIPPED


def test_torch_is_not_loaded_for_the_screen(tmp_path: Path) -> None:
    (tmp_path / "heavy.py").write_text(
        f"import torch.nn\n{SPARKLE}".replace("from __future__", "#")
    )
    (tmp_path / "light.py").write_text(SPARKLE)
    code = f"""
import sys
from pathlib import Path
from ddib.extensions import ORIGINS, SKIPPED, load_operations
load_operations(Path({str(tmp_path)!r}))
assert list(ORIGINS) == ["sparkle"] and "torch" not in sys.modules
(skipped,) = SKIPPED
assert skipped.name == "heavy.py" and "inside apply" in skipped.problem, skipped
from ddib.operations import OPERATIONS
import torch
assert OPERATIONS["sparkle"]()(torch.zeros(1, 1, 1, 1)).item() == 0.5
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_an_installed_package_names_its_module(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    facts = tmp_path / "ddib_sparkle-1.2.dist-info"
    facts.mkdir()
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: ddib-sparkle\nVersion: 1.2\n")
    points = "[ddib.operations]\nsparkle = sparkling_things:Sparkle\nmore = sparkling_things\n"
    (facts / "entry_points.txt").write_text(points)
    module = tmp_path / "sparkling_things.py"
    module.write_text(SPARKLE)
    monkeypatch.syspath_prepend(tmp_path)
    extensions.load_operations.__wrapped__(tmp_path / "missing")
    sha256 = hashlib.sha256(module.read_bytes()).hexdigest()
    assert {"sparkle": Origin("ddib-sparkle 1.2", sha256)} == ORIGINS
