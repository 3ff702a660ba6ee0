"""Session files to choose from: those nearby and the examples that ship with the program."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import workbench
from workbench.tui.screens.pick import Item

SUFFIXES = (".yaml", ".yml")
READ = 2048  # bytes of a file in which its title is looked for
LISTED = 200  # files of a folder


def examples() -> Path | None:
    """The folder of shipped sessions: inside the package, or beside it in a checkout."""
    package = Path(workbench.__file__).parent
    return next(
        (f for f in (package / "sessions", package.parent / "sessions") if f.is_dir()), None
    )


def session_files(folder: Path) -> list[Item]:
    """Session files in a folder and in its `sessions`, then the examples."""
    items: list[Item] = []
    seen: set[Path] = set()
    shipped = examples()
    for place in (folder, folder / "sessions", *([shipped] if shipped else [])):
        for path in _yaml_files(place):
            if path.resolve() in seen:
                continue
            seen.add(path.resolve())
            title = _title(path)
            if title is None:
                continue
            name = path.stem if place == shipped else str(path.relative_to(folder))
            words = f"{title}  (example)" if place == shipped and title else title
            items.append(Item(str(path), name, words))
    return items


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
