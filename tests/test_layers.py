"""The arrows between the packages: screen → workbench → engine → ddib, and none back."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import ddib
import workbench

DDIB = Path(ddib.__file__).parent
WORKBENCH = Path(workbench.__file__).parent
HEAVY = ("torch", "torchvision", "scipy", "requests")
SCREEN = ("textual", "term_image")
NUMERICS = (
    "bridge",
    "denoising",
    "formats",
    "measures",
    "networks.classifier",
    "networks.diffusers_unet",
    "networks.lucidrains_unet",
    "networks.probe",
    "networks.unet",
    "training",
)  # they import torch


def loaded_by(code: str, *modules: str) -> list[str]:
    """Which of `modules` a fresh interpreter has loaded after `code`."""
    program = f"{code}\nimport sys\nprint(*[m for m in {modules!r} if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[-1].split()


@pytest.mark.parametrize(
    "module",
    [
        "ddib",
        "ddib.tuning.calibration",
        "ddib.checkpoints.loading",
        "ddib.data.sources",
        "ddib.guides.guidance",
        "ddib.operations.operation",
        "ddib.operations.recipe",
        "ddib.solvers.solver",
        "workbench.benchmark.command",
        "workbench.cli.main",
        "workbench.cli.checks",
        "workbench.runs.contact_sheet",
        "workbench.library.checkpoints",
        "workbench.cli.headless",
        "workbench.runs.store",
        "workbench.session.reading",
    ],
)
def test_loads_neither_torch_nor_the_screen(module):
    assert loaded_by(f"import {module}", *HEAVY, *SCREEN) == []


@pytest.mark.parametrize("module", ["workbench.tui.app", "workbench.tui.terminal.half_blocks"])
def test_the_screen_loads_no_torch(module):
    assert loaded_by(f"import {module}", *HEAVY, "term_image") == []


@pytest.mark.parametrize(
    "module", ["workbench.engine.execution.engine", "workbench.engine.serving"]
)
def test_the_engine_loads_no_screen(module):
    assert loaded_by(f"import {module}", *SCREEN, "workbench.tui") == []


@pytest.mark.slow
def test_a_run_loads_no_compiler():
    """torch._dynamo takes two seconds, which are only worth it for a compiled network."""
    code = """
from pathlib import Path
from workbench.engine.execution.engine import Engine
from workbench.engine.execution.order import Order
from workbench.engine.execution.run import run_plan
from workbench.engine.planning.plan import make_plan
from workbench.session.reading import parse_session
session = parse_session('''
version: 1
source: {checkpoint: cmnist-fives, images: [{dataset: colored-mnist, count: 1}]}
target: {checkpoint: cmnist-sevens}
solver: {steps: 1}
''')
assert run_plan(Engine("cpu"), make_plan(session, Path()), Order()).status == "done"
"""
    assert loaded_by(code, "torch._dynamo") == []


@pytest.mark.slow
def test_the_engine_needs_no_torchvision_to_start():
    assert loaded_by("import workbench.engine.execution.engine", "torchvision", "scipy") == []


@pytest.mark.parametrize("command", ["replay", "runs", "checkpoints", "doctor", "bench"])
def test_asking_a_command_for_help_is_light(command):
    code = f"""
import sys
from workbench.cli.main import main
sys.argv = ["ddib-workbench", {command!r}, "--help"]
try:
    main()
except SystemExit as end:
    assert not end.code, end.code
"""
    assert loaded_by(code, *HEAVY, *SCREEN) == []


def imports(path: Path, *, lazy: bool) -> Iterator[str]:
    """The modules that a file imports, those inside functions too when `lazy`.

    What stands under `if TYPE_CHECKING:` is never imported and does not count.
    """
    todo: list[ast.AST] = [ast.parse(path.read_text("utf-8"))]
    while todo:
        node = todo.pop()
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            todo += node.orelse
            continue
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) and not lazy:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        todo += ast.iter_child_nodes(node)


def offenders(files: Iterator[Path], *forbidden: str, lazy: bool = True) -> list[str]:
    """`file: module` for each import of a forbidden module or of something inside it."""
    return [
        f"{path.name}: {name}"
        for path in files
        for name in imports(path, lazy=lazy)
        if any(name == module or name.startswith(f"{module}.") for module in forbidden)
    ]


def test_the_scan_sees_imports(tmp_path):
    source = """
import a.b, c
from typing import TYPE_CHECKING
if TYPE_CHECKING:
    import unseen
else:
    import other
from d import e
def f():
    from g import h
class C:
    import k
"""
    (tmp_path / "file.py").write_text(source)
    seen = set(imports(tmp_path / "file.py", lazy=True))
    assert {"a.b", "c", "d", "d.e", "g", "g.h", "k", "other"} <= seen
    assert "unseen" not in seen
    assert "g" not in set(imports(tmp_path / "file.py", lazy=False))
    found = offenders(tmp_path.glob("*.py"), "a", "d.e", "oth")
    assert sorted(found) == ["file.py: a.b", "file.py: d.e"]


def test_the_library_knows_nothing_of_the_workbench():
    assert offenders(DDIB.rglob("*.py"), "workbench", "textual", "rich", "typer") == []


def test_the_library_imports_torch_on_use_where_it_is_light():
    light = ("checkpoints", "operations", "schedules", "solvers")
    files = (path for name in light for path in (DDIB / name).rglob("*.py"))
    assert offenders(files, "torch", lazy=False) == []


def test_the_engine_knows_nothing_of_the_screen_and_the_commands():
    above = (
        "workbench.tui",
        "workbench.cli.main",
        "workbench.cli.headless",
        "workbench.tui.terminal.half_blocks",
        "textual",
    )
    assert offenders((WORKBENCH / "engine").rglob("*.py"), *above) == []


def test_the_screen_is_imported_where_it_is_opened_only():
    doors = WORKBENCH / "__main__.py", WORKBENCH / "cli" / "commands" / "screen.py"
    screen = WORKBENCH / "tui"
    files = (p for p in WORKBENCH.rglob("*.py") if screen not in p.parents and p not in doors)
    assert offenders(files, "workbench.tui") == []
    assert offenders(iter(doors), "workbench.tui", lazy=False) == []


def test_only_the_screen_imports_textual():
    files = (path for path in WORKBENCH.rglob("*.py") if "tui" not in path.parts)
    assert offenders(files, *SCREEN) == []


def test_the_screen_leaves_the_numerics_to_the_engine():
    numerics = (f"ddib.{name}" for name in NUMERICS)
    below = ("torch", "torchvision", "workbench.engine.execution.engine", *numerics)
    assert offenders((WORKBENCH / "tui").rglob("*.py"), *below) == []
