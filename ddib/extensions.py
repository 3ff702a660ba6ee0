"""Operations that others wrote: Python files in a folder, and installed packages.

A file, or a module that a package names under the entry point group `ddib.operations`, defines
subclasses of `Operation`. They are loaded when the program starts and never because a session
asks for them. What cannot be loaded is left out and the reason noted: it may not stop the program.

The screen loads them too, and so they are held to what holds for ours: torch is imported inside
`apply` only.
"""

import hashlib
import inspect
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from functools import cache, partial
from importlib.machinery import ModuleSpec
from importlib.metadata import EntryPoint, entry_points
from itertools import groupby
from pathlib import Path
from types import ModuleType
from typing import get_args

from ddib.operations.operation import OPERATIONS, Operation
from ddib.operations.recipe import sweepable

GROUP = "ddib.operations"


@dataclass(frozen=True)
class Origin:
    """Where an operation comes from."""

    name: str  # "sparkle.py", or a package and its version: "ddib-sparkle 1.2"
    sha256: str  # of the file that defines it


@dataclass(frozen=True)
class Skipped:
    """What defines operations and could not be loaded."""

    name: str  # as an Origin's
    problem: str


ORIGINS: dict[str, Origin] = {}
"""Of every operation that is not ddib's own, by its name."""

SKIPPED: list[Skipped] = []
"""What was left out."""


@cache
def load_operations(folder: Path) -> None:
    """Enter the operations of a folder's files, and of installed packages, in OPERATIONS.

    Each place is looked at once in a process; what was loaded and left out is in ORIGINS and
    SKIPPED. Raises nothing that a file or a package can cause.
    """
    for path in sorted(folder.glob("*.py")):
        _take(path.name, partial(_run, path))
    points = sorted(entry_points(group=GROUP), key=_package)
    for package, own in groupby(points, _package):
        _take(package, partial(_import, list(own)))


def _package(point: EntryPoint) -> str:
    return f"{point.dist.name} {point.dist.version}" if point.dist else point.value


def _take(name: str, load: Callable[[], str]) -> None:
    """Enter what `load` defines, all of it or nothing; it returns the sha256 of a file, or ""."""
    before = dict(OPERATIONS)
    try:
        with redirect_stdout(sys.stderr), _without_torch():  # stdout is for data
            sha256 = load()
        new = {key: made for key, made in OPERATIONS.items() if made is not before.get(key)}
        origins = {key: _checked(key, made, name, sha256, before) for key, made in new.items()}
        if not new:
            raise ValueError("defines no operation: a subclass of Operation with an op of its own")
    except (Exception, SystemExit) as error:
        OPERATIONS.clear()
        OPERATIONS.update(before)
        SKIPPED.append(Skipped(name, _reason(error, name)))
    else:
        ORIGINS.update(origins)


def _run(path: Path) -> str:
    content = path.read_bytes()
    module = ModuleType(f"ddib_operations_{path.stem}")
    module.__file__ = str(path)
    sys.modules[module.__name__] = module  # where pydantic looks names of annotations up
    exec(compile(content, str(path), "exec"), module.__dict__)
    return hashlib.sha256(content).hexdigest()


def _import(points: Sequence[EntryPoint]) -> str:
    for point in points:
        point.load()
    return ""


def _checked(
    key: str,
    operation: type[Operation],
    name: str,
    sha256: str,
    before: dict[str, type[Operation]],
) -> Origin:
    """The origin of a new operation; raises ValueError when it cannot be used."""
    if get_args(operation.model_fields["op"].annotation) != (key,):
        raise ValueError(f'{operation.__name__} needs a name: op: Literal["name"] = "name"')
    if key in before:
        owner = f"{ORIGINS[key].name} defines it" if key in ORIGINS else "it is ddib's own"
        raise ValueError(f"there is an operation {key} already ({owner}): choose another op")
    if not key.isidentifier() or key != key.lower():
        raise ValueError(f"{key!r} is no name for an operation: expected one like add_noise")
    if not operation.__doc__ or operation.__doc__ == Operation.__doc__:
        raise ValueError(f"{operation.__name__} has no docstring, which says what it does")
    for parameter, field in operation.model_fields.items():
        if field.is_required():
            raise ValueError(f"{operation.__name__}.{parameter} needs a default value")
    operation(op=key)  # with all of its methods
    sweepable(operation).model_json_schema()
    return Origin(name, sha256 or _file_sha256(operation))


def _file_sha256(operation: type[Operation]) -> str:
    return hashlib.sha256(Path(inspect.getfile(operation)).read_bytes()).hexdigest()


def _reason(error: BaseException, name: str) -> str:
    """An exception in a line, with the line of the file that it comes from."""
    lines = [
        f.lineno
        for f in traceback.extract_tb(error.__traceback__)
        if f.filename.endswith(f"/{name}")
    ]
    line = error.lineno if isinstance(error, SyntaxError) else lines[-1] if lines else None
    what = str(error).partition("\n")[0]
    kind = "" if type(error) is ValueError else f"{type(error).__name__}: "
    return f"{f'line {line}: ' if line else ''}{kind}{what}"


class _NoTorch:
    """A finder that refuses torch."""

    def find_spec(self, name: str, *_: object) -> ModuleSpec | None:
        if name.partition(".")[0] in ("torch", "torchvision"):
            raise ImportError("import torch inside apply: the screen loads this and has no torch")
        return None


@contextmanager
def _without_torch() -> Iterator[None]:
    """Where torch is not loaded yet, it cannot be."""
    finder = _NoTorch()
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
