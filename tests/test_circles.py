"""No circle of imports of any kind: at module level, inside functions, or for typing only.

Every package is looked at by itself: its modules and its packages, each taken as a whole, must
not import each other in a circle. The name of a package stands for its `__init__.py`.
"""

import ast
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import ddib
import workbench

ROOT = Path(ddib.__file__).parents[1]
PACKAGES = {Path(ddib.__file__).parent, Path(workbench.__file__).parent}

Graph = Mapping[str, set[str]]


def module_name(path: Path, root: Path) -> str:
    parts = path.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported(path: Path, known: Mapping[str, Path]) -> Iterator[str]:
    """The known modules that a file names in imports, wherever they stand in it."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                yield full if full in known else node.module
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def imports_of(root: Path, tops: set[Path]) -> Graph:
    """For each module the modules of the same packages that it imports."""
    known = {module_name(p, root): p for top in tops for p in top.rglob("*.py")}
    return {
        name: {other for other in imported(path, known) if other in known and other != name}
        for name, path in known.items()
    }


def inside(graph: Graph, package: str) -> Graph:
    """The graph of a package's own parts: each module or package in it, taken as a whole."""
    depth = len(package.split(".")) + 1
    parts: dict[str, set[str]] = {}
    for name, others in graph.items():
        if name.startswith(f"{package}."):
            part = ".".join(name.split(".")[:depth])
            own = {".".join(o.split(".")[:depth]) for o in others if o.startswith(f"{package}.")}
            parts.setdefault(part, set()).update(own - {part})
    return parts


def circle(graph: Graph) -> list[str]:
    """One circle of a graph, or nothing."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(reversed(error.args[1]))
    return []


GRAPH = imports_of(ROOT, PACKAGES)
FOLDERS = sorted({name.rpartition(".")[0] for name in GRAPH if "." in name})


@pytest.mark.parametrize("package", FOLDERS)
def test_the_parts_of_a_package_form_no_circle(package: str) -> None:
    assert circle(inside(GRAPH, package)) == []


def test_no_modules_form_a_circle() -> None:
    assert circle(GRAPH) == []


def test_a_circle_is_found_wherever_the_import_stands(tmp_path: Path) -> None:
    top = tmp_path / "top"
    for folder in (top, top / "low"):
        folder.mkdir()
        (folder / "__init__.py").touch()
    (top / "a.py").write_text("def f():\n    from top.low import b\n")
    (top / "low" / "b.py").write_text(
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from top.c import C\n"
    )
    (top / "c.py").write_text("import top.a\n")
    graph = imports_of(tmp_path, {top})
    assert set(circle(graph)) == {"top.a", "top.low.b", "top.c"}
    assert set(circle(inside(graph, "top"))) == {"top.a", "top.low", "top.c"}
