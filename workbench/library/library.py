"""Where things lie: folders, the user's configuration, the checkpoints and images there are."""

import difflib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from platformdirs import PlatformDirs
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from pydantic_core import ErrorDetails
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from ddib.checkpoints.files import SUFFIX, ZOO
from ddib.checkpoints.header import CheckpointFacts, read_facts
from ddib.data.file_names import unescape_name
from ddib.data.files import SUFFIXES
from ddib.errors import InputError
from workbench.support.files import parse_size, why

_APP = "ddib-workbench"


@dataclass(frozen=True)
class Folders:
    """The program's places on this machine; none needs to exist."""

    zoo: Path  # checkpoints that ship with the package
    data: Path
    checkpoints: Path  # the user's own
    runs: Path
    cache: Path
    state: Path
    log: Path  # a file
    config: Path  # a file
    operations: Path  # the user's own, Python files

    @property
    def cache_chunks(self) -> Path:
        """The cache of solved chunks."""
        return self.cache / "chunks"


class Config(BaseModel):
    """The configuration file."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    checkpoints: list[str] = Field(
        [], description="folders of checkpoints; relative ones start at the configuration file"
    )
    cache_limit: str = Field("4G", description="size of the cache of solved chunks")
    theme: Literal["dark", "light", "terminal"] = Field("dark", description="colours of the screen")
    previews_per_second: float = Field(
        4.0, ge=0, le=30, description="pictures of a run under way on the screen"
    )
    keys: dict[str, str] = Field({}, description="keys of the screen's actions: `run: R`")

    @field_validator("cache_limit")
    @classmethod
    def _is_a_size(cls, text: str) -> str:
        try:
            parse_size(text)
        except InputError as error:
            raise ValueError(str(error)) from None
        return text


@dataclass(frozen=True)
class Listed:
    """A checkpoint file that was found, usable when it has no problem."""

    name: str
    path: Path
    facts: CheckpointFacts | None
    problem: str | None = None
    modified: float = 0.0  # seconds since 1970


def folders() -> Folders:
    """Where things lie, following XDG (or the platform's habit)."""
    dirs = PlatformDirs(_APP, appauthor=False)
    return Folders(
        zoo=ZOO,
        data=dirs.user_data_path,
        checkpoints=dirs.user_data_path / "checkpoints",
        runs=dirs.user_data_path / "runs",
        cache=dirs.user_cache_path,
        state=dirs.user_state_path,
        log=dirs.user_state_path / f"{_APP}.log",
        config=dirs.user_config_path / "config.yaml",
        operations=dirs.user_config_path / "operations",
    )


def read_config(path: Path | None = None) -> Config:
    """The configuration, all defaults when the file is missing or empty.

    Raises InputError that names file, line and key.
    """
    path = path or folders().config
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        return Config()
    except UnicodeDecodeError:
        raise InputError(f"{path}: not a text file in UTF-8") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {why(error)}") from None
    try:
        content = YAML(typ="rt").load(text)
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise InputError(f"{path}:{line}: not valid YAML: {error.problem}") from None
    except YAMLError as error:
        raise InputError(f"{path}: not valid YAML: {error}") from None
    if content is None:
        return Config()
    if not isinstance(content, dict):
        raise InputError(f"{path}:1: expected keys such as `checkpoints:`")
    try:
        return Config.model_validate(content)
    except ValidationError as error:
        problems = [_config_problem(path, content, part) for part in error.errors()]
        raise InputError("\n".join(problems)) from None


def place_in_config(*keys: str) -> str:
    """`file:line` of a key in the configuration file, which can be read."""
    path = folders().config
    return f"{path}:{_line(YAML(typ='rt').load(path), keys)}"


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
        for path in _files(folder, (SUFFIX,)):
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
        for path in (folder, *_files(folder, (SUFFIX,)))
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
    extra = [Path(folder).expanduser() for folder in extra]
    if missing := next((folder for folder in extra if not folder.is_dir()), None):
        raise InputError(f"{missing}: no such folder of checkpoints")
    names: dict[str, Path] = {}
    for folder, _ in _checkpoint_folders(extra):
        for path in _files(folder, (SUFFIX,)):
            names.setdefault(path.name.removesuffix(SUFFIX), path)
    if name in names:
        return names[name].resolve()
    path = base / Path(unescape_name(name)).expanduser()
    if path.is_file():
        return path.resolve()
    if path.is_dir() and _is_path(name):
        raise InputError(
            f"{path}: a folder; `ddib-workbench checkpoints import` makes a checkpoint of one that "
            "diffusers wrote"
        )
    if _is_path(name):
        raise InputError(f"no checkpoint file at {path}")
    raise InputError(f"no checkpoint named {name!r} in the library{suggest(name, names)}")


def list_images(folder: Path) -> list[Path]:
    """The image files of a folder by name, numbers in their order; raises InputError."""
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder")
    return list(_files(folder, SUFFIXES))


def suggest(wrong: str, names: Iterable[str]) -> str:
    """How an error goes on: `; did you mean …?`, or what there is, or that there is nothing."""
    names = list(names)
    near = difflib.get_close_matches(wrong, names, n=3, cutoff=0.5)
    if near:
        return f"; did you mean {' or '.join(near)}?"
    if not names:
        return "; there are none"
    shown = ", ".join(names[:8])
    return f"; there are {shown}{' and more' if len(names) > 8 else ''}"


def _checkpoint_folders(extra: Iterable[Path]) -> Iterator[tuple[Path, bool]]:
    """Folders in order of precedence, each once; with whether somebody asked for it by name."""
    seen: set[Path] = set()
    config = folders().config
    asked = [Path(folder).expanduser() for folder in extra]
    configured = [
        config.parent / Path(folder).expanduser() for folder in read_config(config).checkpoints
    ]
    own = (folders().checkpoints, ZOO)
    for folder in (*asked, *configured, *own):
        if (resolved := folder.resolve()) not in seen:
            seen.add(resolved)
            yield folder, folder not in own


def _files(folder: Path, suffixes: tuple[str, ...]) -> Iterator[Path]:
    """Visible files of a folder; none of a folder that cannot be listed."""
    try:
        paths = [
            path
            for path in folder.iterdir()
            if path.suffix.lower() in suffixes and not path.name.startswith(".") and path.is_file()
        ]
    except OSError:
        return iter(())
    return iter(sorted(paths, key=lambda path: _natural(path.name)))


def _natural(name: str) -> list[tuple[int, str]]:
    """A sort key under which `image-2` comes before `image-10`."""
    parts = re.split(r"(\d+)", name)
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts if part]


def _is_path(name: str) -> bool:
    return "/" in name or "\\" in name or name.startswith("~") or name.endswith(SUFFIX)


def _config_problem(path: Path, content: dict[str, object], error: ErrorDetails) -> str:
    key = str(error["loc"][0])
    line = _line(content, error["loc"])
    if key not in Config.model_fields:
        return f"{path}:{line}: {key}: no such key{suggest(key, Config.model_fields)}"
    if key == "checkpoints":
        return f"{path}:{line}: {key}: expected a list of folders"
    if key == "keys":
        place = ".".join(map(str, error["loc"]))
        return f"{path}:{line}: {place}: expected a key in quotes, such as `run: 'R'`"
    return f"{path}:{line}: {key}: {error['msg'].removeprefix('Value error, ')}"


def _line(content: Any, keys: Iterable[int | str]) -> int:
    """The line of the innermost of the nested keys that ruamel's content knows a place of."""
    line = 1
    for key in keys:
        try:
            line = content.lc.key(key)[0] + 1
            content = content[key]
        except (AttributeError, KeyError, TypeError):
            break
    return line
