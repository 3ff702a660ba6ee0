"""Operations from files and packages: taken up, or left out with the reason."""

import hashlib
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch

from ddib.extensions import load_extensions
from ddib.operations.operation import OPERATIONS, Context
from ddib.registry import Origin, Registry

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


GREETINGS: Registry[Callable[[], str]] = Registry("greeting", "greetings")
GREETING = f"""\
from {__name__} import GREETINGS


def hello():
    \"\"\"Say hello.\"\"\"
    return "hello"


GREETINGS.register("hello", hello)
"""
REGISTRIES = (OPERATIONS, GREETINGS)


@contextmanager
def restored(registry: Registry[Any]) -> Iterator[None]:
    members = dict(registry)
    yield
    registry.replace_members(members)
    registry.origins.clear()
    registry.skipped.clear()


@pytest.fixture(autouse=True)
def _put_back() -> Iterator[None]:
    with restored(OPERATIONS), restored(GREETINGS):
        yield


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of operations; a user's file reaches this module by its name."""
    monkeypatch.setitem(sys.modules, __name__, sys.modules.get(__name__, ModuleType(__name__)))
    monkeypatch.setattr(sys.modules[__name__], "GREETINGS", GREETINGS, raising=False)
    (tmp_path / "operations").mkdir()
    return tmp_path / "operations"


def skipped_because(folder: Path, text: str) -> str:
    """Why a file is left out; that nothing of it stays is asserted."""
    before = dict(OPERATIONS)
    (folder / "mine.py").write_text(text)
    load_extensions(folder.parent, REGISTRIES)
    assert before == dict(OPERATIONS)
    assert not OPERATIONS.origins
    (skipped,) = OPERATIONS.skipped
    assert skipped.name == "mine.py"
    return skipped.problem


def test_a_file_s_operation_is_one_like_ours(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "sparkle.py").write_text(SPARKLE)
    load_extensions(folder.parent, REGISTRIES)
    assert list(OPERATIONS)[-1] == "sparkle"
    sha256 = hashlib.sha256(SPARKLE.encode()).hexdigest()
    assert {"sparkle": Origin("sparkle.py", sha256)} == OPERATIONS.origins
    assert not OPERATIONS.skipped
    z = torch.zeros(1, 3, 2, 2)
    made = OPERATIONS["sparkle"].model_validate({"op": "sparkle", "amount": 0.25})
    assert torch.equal(made(z, Context()), z + 0.25)
    printed = capsys.readouterr()
    assert (printed.out, printed.err) == ("", "loading\n"), "stdout is for data"
    load_extensions(folder.parent, REGISTRIES)
    assert not OPERATIONS.skipped, "read once"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (("sparkle", "blur"), "line 15: operation blur exists already (ddib's own)"),
        (('"""Make everything brighter."""', ""), "sparkle has no docstring"),
        (("default=0.5, ", ""), "Sparkle.amount needs a default value"),
        (("def apply", "def aply"), "abstract"),
        (("print(", "prnt("), "line 12: NameError: name 'prnt' is not defined"),
        (("class Sparkle(", "class Sparkle["), "line 15: SyntaxError"),
        (('Literal["sparkle"] = "sparkle"', 'str = "sparkle"'), "Sparkle needs a name"),
        (('Literal["sparkle"] = "sparkle"', 'Literal["sparkle"]'), "Sparkle needs a name"),
        (("print(", "raise SystemExit("), "SystemExit: loading"),
        ((SPARKLE, "x = 1"), "defines no operation"),
        (('"sparkle"', '"Sp arkle"'), "'Sp arkle' cannot be the name of any operation"),
    ],
)
def test_what_cannot_be_used_is_left_out_with_the_reason(
    change: tuple[str, str], reason: str, folder: Path
) -> None:
    text = SPARKLE.replace(*change)
    assert text != SPARKLE
    assert reason in skipped_because(folder, text)


def test_a_file_is_taken_whole_or_not_at_all(folder: Path) -> None:
    (folder / "mine.py").write_text(SPARKLE + GREETING + "oh no")
    load_extensions(folder.parent, REGISTRIES)
    assert "sparkle" not in OPERATIONS
    assert not GREETINGS


def test_a_file_may_add_to_several_registries(folder: Path) -> None:
    (folder / "mine.py").write_text(SPARKLE + GREETING)
    load_extensions(folder.parent, REGISTRIES)
    assert OPERATIONS.origins["sparkle"] == GREETINGS.origins["hello"]
    assert GREETINGS["hello"]() == "hello"


def test_each_registry_has_a_folder_of_its_own(folder: Path) -> None:
    (folder / "hello.py").write_text("broken")
    greetings = folder.parent / "greetings"
    greetings.mkdir()
    (greetings / "hello.py").write_text(GREETING)
    load_extensions(folder.parent, REGISTRIES)
    assert GREETINGS.origins["hello"].name == "hello.py"
    assert not GREETINGS.skipped
    assert [skipped.name for skipped in OPERATIONS.skipped] == ["hello.py"]


def test_the_second_of_one_name_is_left_out(folder: Path) -> None:
    for name in ("a.py", "b.py"):
        (folder / name).write_text(SPARKLE)
    load_extensions(folder.parent, REGISTRIES)
    assert OPERATIONS.origins["sparkle"].name == "a.py"
    (skipped,) = OPERATIONS.skipped
    assert (skipped.name, "a.py defines it" in skipped.problem) == ("b.py", True)


def test_a_folder_that_is_not_there_has_none(tmp_path: Path) -> None:
    load_extensions(tmp_path / "missing", REGISTRIES)
    assert not OPERATIONS.origins
    assert not OPERATIONS.skipped


def test_torch_is_not_loaded_for_the_screen(folder: Path) -> None:
    (folder / "heavy.py").write_text(f"import torch.nn\n{SPARKLE}".replace("from __future__", "#"))
    (folder / "light.py").write_text(SPARKLE)
    code = f"""
import sys
from pathlib import Path
from ddib.extensions import load_extensions
from ddib.operations import OPERATIONS
load_extensions(Path({str(folder.parent)!r}), (OPERATIONS,))
assert list(OPERATIONS.origins) == ["sparkle"] and "torch" not in sys.modules
(skipped,) = OPERATIONS.skipped
assert skipped.name == "heavy.py" and "inside the function" in skipped.problem, skipped
import torch
assert OPERATIONS["sparkle"]()(torch.zeros(1, 1, 1, 1)).item() == 0.5
"""
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("more", ["", "[ddib.greetings]\nsparkle = sparkling_things\n"])
def test_an_installed_package_names_its_module(
    more: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also one module under two groups, which is imported once."""
    facts = folder / "ddib_sparkle-1.2.dist-info"
    facts.mkdir()
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: ddib-sparkle\nVersion: 1.2\n")
    points = "[ddib.operations]\nsparkle = sparkling_things:Sparkle\nmore = sparkling_things\n"
    (facts / "entry_points.txt").write_text(points + more)
    module = folder / "sparkling_things.py"
    module.write_text(SPARKLE + (GREETING if more else ""))
    monkeypatch.syspath_prepend(folder)
    monkeypatch.delitem(sys.modules, "sparkling_things", raising=False)
    load_extensions(folder / "missing", REGISTRIES)
    sha256 = hashlib.sha256(module.read_bytes()).hexdigest()
    assert {"sparkle": Origin("ddib-sparkle 1.2", sha256)} == OPERATIONS.origins
    assert not GREETINGS.skipped
