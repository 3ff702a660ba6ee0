"""The operations, edits of images and latents, and the recipes that stack and sweep them.

Every module of this folder is imported here, so that its operations are registered. Each class is
an attribute of the package by its name: `ddib.operations.Blend`.
"""

from typing import Any

from ddib.operations.operation import OPERATIONS, Context, Operation
from ddib.registry import import_modules

__all__ = ["OPERATIONS", "Context", "Operation"]

import_modules(__name__, __path__)


def __getattr__(name: str) -> Any:
    for operation in OPERATIONS.values():
        if operation.__name__ == name:
            return operation
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
