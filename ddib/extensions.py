"""The user's own files and installed packages add members to the registries.

A Python file in the folder of a registry beside the configuration file, such as
`operations/sparkle.py`, or a module that a package names under an entry point group such as
`ddib.operations`, registers members when it is run. The program loads them when it starts, and
never because a session asks for them. A file's members are taken all or none; what cannot be loaded
is left out and the reason noted in `Registry.skipped`: it may not stop the program.

The screen loads them too, so they are held to what holds for the program's own members: torch is
imported inside functions only.
"""

import hashlib
import inspect
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from functools import cache, partial
from importlib.machinery import ModuleSpec
from importlib.metadata import EntryPoint, entry_points
from itertools import groupby
from pathlib import Path
from types import ModuleType
from typing import Any

from ddib.registry import Origin, Registry, Skipped

Registries = tuple[Registry[Any], ...]


@cache
def load_extensions(folder: Path, registries: Registries) -> None:
    """Add the members of the user's files and of installed packages to registries.

    folder: where the folders `operations`, `guides` and so on lie. A file may add members to any of
    the registries. Each folder is read once in a process. Raises nothing that a file or a package
    can cause.
    """
    for registry in registries:
        for path in sorted((folder / registry.folder).glob("*.py")):
            _load(path.name, partial(_run_file, path), registry, registries)
        points = sorted(entry_points(group=registry.group), key=_package)
        for package, own in groupby(points, _package):
            _load(package, partial(_import_modules, list(own)), registry, registries)


def _package(point: EntryPoint) -> str:
    return f"{point.dist.name} {point.dist.version}" if point.dist else point.value


def _load(
    name: str, load: Callable[[], str], registry: Registry[Any], registries: Registries
) -> None:
    """Add what `load` registers, all of it or nothing; it returns a file's sha256, or ""."""
    before = {each: dict(each) for each in registries}
    try:
        with redirect_stdout(sys.stderr), _without_torch():  # stdout is for data
            sha256 = load()
        new = {each: _added(each, before[each]) for each in registries}
        if not any(new.values()) and name not in {o.name for o in registry.origins.values()}:
            raise ValueError(f"defines no {registry.kind}")
        origins = {
            each: {key: Origin(name, sha256 or _file_sha256(made)) for key, made in added.items()}
            for each, added in new.items()
        }
    except (Exception, SystemExit) as error:
        for each, members in before.items():
            each.replace_members(members)
        registry.skipped.append(Skipped(name, _reason(error, name)))
    else:
        for each, added in origins.items():
            each.origins.update(added)


def _added(registry: Registry[Any], before: Mapping[str, Any]) -> dict[str, Any]:
    """The new members by name; raises ValueError when one cannot be used."""
    new = {name: member for name, member in registry.items() if name not in before}
    for name, member in new.items():
        registry.check(name, member)
    return new


def _run_file(path: Path) -> str:
    content = path.read_bytes()
    module = ModuleType(f"ddib_{path.parent.name}_{path.stem}")
    module.__file__ = str(path)
    sys.modules[module.__name__] = module  # where pydantic looks names of annotations up
    exec(compile(content, str(path), "exec"), module.__dict__)
    return hashlib.sha256(content).hexdigest()


def _import_modules(points: Sequence[EntryPoint]) -> str:
    for point in points:
        point.load()
    return ""


def _file_sha256(member: Any) -> str:
    """Of the file that defines a member, which may be an object with a `__module__` of its own."""
    defining = inspect.getfile(sys.modules[member.__module__])
    return hashlib.sha256(Path(defining).read_bytes()).hexdigest()


def _reason(error: BaseException, name: str) -> str:
    """An exception in a line, with the line of the file that it comes from."""
    lines = [
        f.lineno
        for f in traceback.extract_tb(error.__traceback__)
        if f.filename.endswith(f"/{name}")
    ]
    line = error.lineno if isinstance(error, SyntaxError) else lines[-1] if lines else None
    message = str(error).partition("\n")[0]
    kind = "" if type(error) is ValueError else f"{type(error).__name__}: "
    return f"{f'line {line}: ' if line else ''}{kind}{message}"


class _NoTorch:
    """A finder that refuses torch."""

    def find_spec(self, name: str, *_: object) -> ModuleSpec | None:
        if name.partition(".")[0] in ("torch", "torchvision"):
            raise ImportError(
                "import torch inside the function that needs it: the screen loads this file and "
                "has no torch"
            )
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
