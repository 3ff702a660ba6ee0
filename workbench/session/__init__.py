"""The session: everything needed to repeat an experiment, as YAML."""

from importlib import import_module
from typing import Any

_HOMES = {
    "workbench.session.errors": ("Problem", "SessionError"),
    "workbench.session.overrides": ("set_value",),
    "workbench.session.reading": ("load_session", "parse_session"),
    "workbench.session.schema": ("End", "Recipe", "Session", "Source", "Target", "schema"),
    "workbench.session.variants": ("Variant", "variants"),
    "workbench.session.writing": ("dump_session", "save_session"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [*_HOME_OF]  # noqa: PLE0604


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module 'workbench.session' has no attribute {name!r}")
    return getattr(import_module(_HOME_OF[name]), name)
