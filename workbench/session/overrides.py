"""Changing one value of a session by its path, as `--set` and the screen do."""

from __future__ import annotations

from collections.abc import Sequence

from ddib.errors import InputError
from workbench.session.errors import Problem, SessionError, not_among, shown
from workbench.session.reading import session_at
from workbench.session.schema import Session
from workbench.support.ranges import is_range, parse_range
from workbench.support.yaml_text import Plain, flow, is_list, is_mapping, read


def set_value(session: Session, path: str, yaml_text: str) -> Session:
    """The session with one value changed: `recipe.latent.0.factor`, `1.5`.

    yaml_text is any YAML value, a list or a range such as 0.1..0.9/5 for a sweep; lists are entered
    by index, from 0. Raises SessionError, which names the path.
    """
    try:
        value = parse_range(yaml_text) if is_range(yaml_text) else read(yaml_text).value
        changed = _changed(session.model_dump(mode="json"), path.split("."), value)
        root = read(flow(changed))
        return session_at(root, "")
    except ValueError as error:  # YamlProblem and InputError are such
        problems = error.problems if isinstance(error, SessionError) else ()
        found = [(p.key if p.key.startswith(path) else path, p.message) for p in problems]
        named = found or [(path, str(error))]
        raise SessionError(*(Problem("", None, *problem) for problem in named)) from None


def _changed(data: Plain, keys: Sequence[str], value: Plain) -> Plain:
    """`data` with `value` where the keys lead; raises InputError when they lead nowhere."""
    if not keys:
        return value
    key, rest = keys[0], keys[1:]
    if is_mapping(data):
        if key not in data:
            raise InputError(f"unknown key {key}{not_among(key, data)}")
        return {**data, key: _changed(data[key], rest, value)}
    if not is_list(data):
        raise InputError(f"{shown(data)} has no part {key}")
    if not key.isdecimal() or int(key) >= len(data):
        there = f"expected an index from 0 to {len(data) - 1}" if data else "the list is empty"
        raise InputError(f"there is no {key}; {there}")
    index = int(key)
    return (*data[:index], _changed(data[index], rest, value), *data[index + 1 :])
