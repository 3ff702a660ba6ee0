"""Dual Diffusion Implicit Bridges (Su et al., ICLR 2023) as a library.

Importing `ddib` is cheap: torch is loaded when something that needs it is first used.
"""

from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Any

try:
    __version__ = version("ddib-workbench")
except PackageNotFoundError:  # used from a source tree that was never installed
    __version__ = "unknown"
