"""The user's configuration file, read and checked."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from pydantic_core import ErrorDetails
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from ddib.errors import InputError
from workbench.library.folders import folders
from workbench.support.files import parse_size, why
from workbench.support.suggestions import suggest


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

    @field_validator("cache_limit", mode="before")
    @classmethod
    def _is_a_size(cls, value: object) -> object:
        try:
            parse_size(str(value))
        except InputError:
            value = ""
        if not str(value).strip() or str(value).strip()[-1].isdecimal():
            raise ValueError("expected a number and its unit, such as 800M or 8G")
        return value


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
