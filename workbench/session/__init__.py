"""The session: everything needed to repeat an experiment, as YAML."""

from importlib import import_module
from typing import Any

_HOMES = {
    "workbench.session.errors": ("Problem", "SessionError"),
    "workbench.session.session": (
        "End",
        "Recipe",
        "Session",
        "Source",
        "Target",
        "Variant",
        "dump_session",
        "load_session",
        "parse_session",
        "save_session",
        "schema",
        "set_value",
        "variants",
    ),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [*_HOME_OF]  # noqa: PLE0604


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module 'workbench.session' has no attribute {name!r}")
    return getattr(import_module(_HOME_OF[name]), name)
