"""Writing a session as YAML: a user's comments and order of keys stay."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from workbench.session.errors import SessionError
from workbench.session.needs import needed_parts
from workbench.session.reading import file_error, parse_session
from workbench.session.schema import NEEDS, Session
from workbench.support.files import atomic_write
from workbench.support.yaml_edit import edit
from workbench.support.yaml_text import YamlProblem, block


def dump_session(session: Session, original: str | None = None) -> str:
    """The session as YAML.

    original: a text that holds an earlier state of it. Its comments, order of keys and way of
    writing stay; what it left out stays out as long as it has its default value.
    """
    data, needs = (
        session.model_dump(mode="json"),
        {name: origin.name for name, origin in needed_parts(session).items()},
    )
    if original is not None:
        with suppress(SessionError, YamlProblem):
            essential = session.model_dump(mode="json", exclude_defaults=True)
            if needs:
                essential[NEEDS] = needs
            text = edit(original, {**data, NEEDS: needs}, essential)
            if parse_session(text) == session:
                return _with_line_ends_of(original, text)
    first = ("version", "title")
    head = {key: data[key] for key in first} | ({NEEDS: needs} if needs else {})
    return block(head | {key: value for key, value in data.items() if key not in first})


def save_session(session: Session, path: str | Path, original: str | None = None) -> None:
    """Write the session to a file, whole or not at all; raises SessionError."""
    path = Path(path)
    text = dump_session(session, original)
    try:
        atomic_write(path, text.encode())
    except OSError as error:
        raise file_error(path, None, f"cannot be written: {error.strerror or error}") from None


def _with_line_ends_of(original: str, text: str) -> str:
    """The text with the line ends that the original begins with."""
    plain = text.replace("\r\n", "\n")
    first = original.partition("\n")[0]
    return plain.replace("\n", "\r\n") if first.endswith("\r") else plain
