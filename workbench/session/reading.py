"""Reading a session: its file, its YAML text, older versions, and what is wrong with it.

`load_session` and `parse_session` raise SessionError, whose text says for each problem where it is
(file, line, key), what was expected and which valid name is nearest.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from pydantic import ValidationError

from ddib.data.files import check_regular
from ddib.data.source import VERSION
from ddib.errors import InputError
from workbench.session.errors import Problem, SessionError, explain, shown
from workbench.session.needs import MissingParts, missing_parts
from workbench.session.schema import NEEDS, Session, SessionFile
from workbench.support.yaml_text import Node, Plain, YamlProblem, is_mapping, read

MAX_BYTES = 256 * 1024

OLDEST = 1
"""The oldest version that a session can have; it stays what it is, since what its file leaves
unsaid means what it meant then."""

PICTURES = (b"\xff\xd8\xff", b"GIF8", b"RIFF", b"II*\0", b"MM\0*")
"""How JPEG, GIF, WebP and TIFF files begin."""

MIGRATIONS: dict[int, Callable[[Mapping[str, Plain]], Mapping[str, Plain]]] = {}
"""For each version before `OLDEST`, what brings a file's content to the version after it."""


def load_session(path: str | Path) -> Session:
    """The session in a file; raises SessionError."""
    return parse_session(read_session_text(path), file=str(path))


def read_session_text(path: str | Path) -> str:
    """The text of a session file, as `dump_session` wants its original; raises SessionError."""
    path = Path(path)
    try:
        check_regular(path)
        with path.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except InputError as error:
        raise SessionError(Problem("", None, "", str(error))) from None
    except FileNotFoundError:
        raise file_error(path, None, "no such file") from None
    except OSError as error:
        raise file_error(path, None, f"cannot be read: {error.strerror or error}") from None
    if data.startswith(PICTURES):
        message = "is a picture without a session: only a run's sheet.png, a PNG, has one"
        raise file_error(path, None, message)
    if len(data) > MAX_BYTES:
        raise file_error(path, None, f"is larger than {MAX_BYTES // 1024} KiB: no session is")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise file_error(path, line, "is not UTF-8 text") from None


def parse_session(text: str, file: str = "<text>") -> Session:
    """The session in a text; `file` is what errors call it. Raises SessionError."""
    root = _read(text, file)
    if root.value is None:
        raise SessionError(Problem(file, 1, "", "is empty; expected a session"))
    if not is_mapping(root.value):
        message = f"is {shown(root.value)}; expected keys and values, such as version: {VERSION}"
        raise SessionError(Problem(file, 1, "", message))
    return session_at(root, file)


def session_at(root: Node, file: str) -> Session:
    """The session that a YAML node holds, of whatever version; raises SessionError."""
    return _validated(_migrated(root, file), root, file)


def error_at(path: Path, key: str, message: str) -> SessionError:
    """An error found after loading, such as a count beyond what is there, with its line."""
    keys = [int(part) if part.isdecimal() else part for part in key.split(".")]
    line = _read(read_session_text(path), str(path)).nearest(keys).line
    return SessionError(Problem(str(path), line, key, message))


def file_error(path: Path, line: int | None, message: str) -> SessionError:
    """An error about a file as a whole, or a line of it."""
    return SessionError(Problem(str(path), line, "", message))


def _read(text: str, file: str) -> Node:
    try:
        return read(text)
    except YamlProblem as problem:
        raise SessionError(Problem(file, problem.line, "", str(problem))) from None


def _migrated(root: Node, file: str) -> Mapping[str, Plain]:
    """The content in a version that sessions have; raises SessionError for an unknown one."""
    data = root.value if is_mapping(root.value) else {}
    version, line = data.get("version", VERSION), root.nearest(["version"]).line
    if not isinstance(version, int) or isinstance(version, bool):
        message = f"is {shown(version)}; expected a whole number up to {VERSION}"
        raise SessionError(Problem(file, line, "version", message))
    if version > VERSION:
        message = f"{version} is newer than {VERSION}, the newest known here; update ddib-workbench"
        raise SessionError(Problem(file, line, "version", message))
    for older in range(version, OLDEST):
        if older not in MIGRATIONS:
            message = f"there was no version {older}; expected {OLDEST} to {VERSION}"
            raise SessionError(Problem(file, line, "version", message))
        data = {**MIGRATIONS[older](data), "version": older + 1}
    return data


def _validated(data: Mapping[str, Plain], root: Node, file: str) -> Session:
    """`data` as a session; positions come from `root`. Raises SessionError."""
    model = Session if "version" in data else SessionFile
    if missing := missing_parts(data, root, file):
        raise MissingParts(*missing)
    content = {key: value for key, value in data.items() if key != NEEDS}
    try:
        return model.model_validate(content, strict=True)
    except ValidationError as invalid:
        raise explain(invalid, model, root, file) from None
