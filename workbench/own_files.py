"""The user's own files and installed packages, which the program loads when it starts."""

from typing import Any

from ddib.data.sources import IMAGE_SOURCES
from ddib.extensions import load_extensions
from ddib.guides.guide import GUIDES
from ddib.operations.operation import OPERATIONS
from ddib.registry import Registry
from ddib.solvers.scheme import SOLVERS
from workbench.library.folders import folders
from workbench.metrics.metric import METRICS

REGISTRIES: tuple[Registry[Any], ...] = (OPERATIONS, GUIDES, SOLVERS, IMAGE_SOURCES, METRICS)
"""What a file of the user's can add to; its folder lies beside the configuration file."""


def load_own_files() -> None:
    """Enter what the user's own files and packages define in the registries, once in a process.

    Each way into the program calls it before a session is read. What cannot be loaded is left out;
    `skipped_files` says why.
    """
    load_extensions(folders().config.parent, REGISTRIES)


def skipped_files() -> list[str]:
    """A line for each file or package that could not be loaded."""
    return [
        f"{one.name}: its {registry.folder} are left out: {one.problem}"
        for registry in REGISTRIES
        for one in registry.skipped
    ]
