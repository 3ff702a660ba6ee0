"""Python's processes load nothing that lies in the folder where they are started."""

import os
import sys


def child_command(*arguments: str) -> tuple[str, ...]:
    """This Python with these arguments, and without the working directory on its module path."""
    return (sys.executable, "-P", *arguments)


def leave_working_directory() -> None:
    """Take the working directory off the module path, unless this program itself lies there.

    `python -m` puts it first, and so does an empty entry of PYTHONPATH.
    """
    here, program = os.path.realpath(os.curdir), os.path.realpath(__file__)  # pathlib may lie there
    if not program.startswith(os.path.join(here, "workbench", "")):  # noqa: PTH118
        sys.path[:] = [entry for entry in sys.path if os.path.realpath(entry) != here]
