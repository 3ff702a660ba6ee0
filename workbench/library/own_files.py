"""The user's own files and installed packages, which the program loads when it starts."""

from ddib.extensions import SKIPPED, load_operations
from workbench.library.library import folders


def load_own_files() -> None:
    """Enter what the user's own files and packages define in the registries, once in a process.

    Each way into the program calls it before a session is read. What cannot be loaded is left out;
    `skipped_files` says why.
    """
    load_operations(folders().operations)


def skipped_files() -> list[str]:
    """A line for each file or package that could not be loaded."""
    return [f"{one.name}: its operations are left out: {one.problem}" for one in SKIPPED]
