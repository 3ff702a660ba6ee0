"""The versions that decide a result: of this program and of what it computes with."""

import platform

import numpy as np
import torch

import ddib


def versions() -> dict[str, str]:
    """The version of each, by name."""
    return {
        "ddib-workbench": ddib.__version__,
        "torch": torch.__version__,
        "numpy": np.__version__,
        "python": platform.python_version(),
    }
