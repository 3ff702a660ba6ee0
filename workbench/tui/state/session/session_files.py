"""Session files to choose from: recent ones, those nearby, the examples of the program."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import workbench
from workbench.tui.models import Item

SUFFIXES = (".yaml", ".yml")
READ = 2048  # bytes of a file in which its title is looked for
LISTED = 200  # files of a folder


def examples() -> Path | None:
    """The folder of shipped sessions: inside the package, or beside it in a checkout."""
    package = Path(workbench.__file__).parent
    return next(
        (f for f in (package / "sessions", package.parent / "sessions") if f.is_dir()), None
    )


def session_files(folder: Path, recent: Sequence[Path] = ()) -> list[Item]:
    """Recent session files, those in a folder and in its `sessions`, then the examples."""
    items: list[Item] = []
    seen: set[Path] = set()
    shipped = examples()
    for path in (*recent, *_nearby(folder, shipped)):
        if path.resolve() in seen:
            continue
        seen.add(path.resolve())
        title = _title(path)
        if title is None:
            continue
        example = path.parent == shipped
        parts = (title, "(example)" if example else "", "(recent)" if path in recent else "")
        name = path.stem if example else _name(path, folder)
        items.append(Item(str(path), name, "  ".join(part for part in parts if part)))
    return items


def _nearby(folder: Path, shipped: Path | None) -> Iterator[Path]:
    for place in (folder, folder / "sessions", *([shipped] if shipped else [])):
        yield from _yaml_files(place)


def _name(path: Path, folder: Path) -> str:
    """From the folder if it lies in it, else the name and the folder it is in."""
    if path.is_relative_to(folder):
        return str(path.relative_to(folder))
    return f"{path.parent.name}/{path.name}"


def _yaml_files(folder: Path) -> Iterator[Path]:
    with suppress(OSError):
        files = [path for path in folder.iterdir() if path.suffix in SUFFIXES and path.is_file()]
        yield from sorted(files)[:LISTED]


def _title(path: Path) -> str | None:
    """The session's title, "" without one; None for a file that is no session at a glance."""
    try:
        with path.open("rb") as file:
            lines = file.read(READ).decode(errors="replace").splitlines()
    except OSError:
        return None
    if not any(line.startswith(("version:", "source:")) for line in lines):
        return None
    title = next((line for line in lines if line.startswith("title:")), "title:")
    return title.removeprefix("title:").strip().strip("\"'")
