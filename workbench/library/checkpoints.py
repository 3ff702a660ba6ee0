"""The checkpoints of the library: listed, and found by name or path."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ddib.checkpoints.files import SUFFIX, is_path
from ddib.checkpoints.header import CheckpointFacts, read_facts
from ddib.data.file_names import unescape_name
from ddib.errors import InputError
from ddib.paths import user_path
from workbench.library.configuration import read_config
from workbench.library.folders import folders
from workbench.library.listing import visible_files
from workbench.support.suggestions import suggest


@dataclass(frozen=True)
class Listed:
    """A checkpoint file that was found, usable when it has no problem."""

    name: str
    path: Path
    facts: CheckpointFacts | None
    problem: str | None = None
    modified: float = 0.0  # seconds since 1970


def list_checkpoints(extra: Iterable[Path] = ()) -> list[Listed]:
    """Every checkpoint file in the `extra` folders, the configuration's, the user's, the zoo.

    Earlier folders win: a file whose name was met before is listed with that as its problem,
    as are unreadable files and folders that are not there. Raises InputError when the
    configuration is wrong.
    """
    listed: list[Listed] = []
    found: dict[str, Path] = {}
    for folder, required in _checkpoint_folders(extra):
        if required and not folder.is_dir():
            listed.append(Listed(folder.name, folder, None, "no such folder"))
        for path in visible_files(folder, (SUFFIX,)):
            name = path.name.removesuffix(SUFFIX)
            try:
                facts, problem = read_facts(path), None
            except InputError as error:
                facts, problem = None, str(error).removeprefix(f"{path}: ")
            if name in found:
                problem = f"hidden by {found[name]}"
            else:
                found[name] = path
            listed.append(Listed(name, path, facts, problem, _modified(path)))
    return listed


def library_stamp(extra: Iterable[Path] = ()) -> tuple[object, ...]:
    """Changes when a checkpoint comes, goes or is written again; raises InputError as above."""
    return tuple(
        (path, _modified(path))
        for folder, _ in _checkpoint_folders(extra)
        for path in (folder, *visible_files(folder, (SUFFIX,)))
    )


def _modified(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def find_checkpoint(name: str, base: Path = Path(), extra: Iterable[Path] = ()) -> Path:
    """The file of a checkpoint: a name in the library, else a path (relative ones from `base`).

    Raises InputError that names the nearest names there are.
    """
    extra = [user_path(folder) for folder in extra]
    if missing := next((folder for folder in extra if not folder.is_dir()), None):
        raise InputError(f"{missing}: no such folder of checkpoints")
    names: dict[str, Path] = {}
    for folder, _ in _checkpoint_folders(extra):
        for path in visible_files(folder, (SUFFIX,)):
            names.setdefault(path.name.removesuffix(SUFFIX), path)
    if name in names:
        return names[name].resolve()
    path = user_path(unescape_name(name), base)
    if not is_path(name):
        raise InputError(f"no checkpoint named {name!r} in the library{suggest(name, names)}")
    if path.is_file():
        return path.resolve()
    if path.is_dir():
        raise InputError(
            f"{path}: a folder; `ddib-workbench checkpoints import` makes a checkpoint of one that "
            "diffusers wrote"
        )
    raise InputError(f"no checkpoint file at {path}")


def _checkpoint_folders(extra: Iterable[Path]) -> Iterator[tuple[Path, bool]]:
    """Folders in order of precedence, each once; with whether somebody asked for it by name."""
    seen: set[Path] = set()
    config = folders().config
    asked = [user_path(folder) for folder in extra]
    configured = [user_path(folder, config.parent) for folder in read_config(config).checkpoints]
    own = (folders().checkpoints, folders().zoo)
    for folder in (*asked, *configured, *own):
        if (resolved := folder.resolve()) not in seen:
            seen.add(resolved)
            yield folder, folder not in own
