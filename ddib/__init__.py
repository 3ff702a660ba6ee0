"""Dual Diffusion Implicit Bridges (Su et al., ICLR 2023) as a library.

Importing `ddib` is cheap: torch is loaded when something that needs it is first used.
"""

from importlib import import_module
from typing import Any

_HOMES = {
    "ddib.bridge.bridge": ("encode", "decode"),
    "ddib.checkpoints.loading": ("load", "load_classifier", "load_probe"),
    "ddib.checkpoints.model": ("Model",),
    "ddib.data.loading": ("load_images",),
    "ddib.data.pixels": ("to_pixels", "to_tensor"),
    "ddib.data.sources.colored_mnist": ("colored_mnist",),
    "ddib.errors": ("Cancelled", "InputError", "RunError"),
    "ddib.measures.images": ("hue_error", "probe_labels", "psnr"),
    "ddib.operations": ("Context", "Operation"),
    "ddib.operations.recipe": ("apply_operations",),
    "ddib.solvers": ("Solver",),
    "ddib.measures.latents": ("latent_moments",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = ["__version__", *_HOME_OF]  # noqa: PLE0604


def __getattr__(name: str) -> Any:
    if name == "__version__":
        return _version()
    if name in _HOME_OF:
        return getattr(import_module(_HOME_OF[name]), name)
    if name[:1].isupper():  # an operation's class, which its registry knows
        return getattr(import_module("ddib.operations"), name)
    raise AttributeError(f"module 'ddib' has no attribute {name!r}")


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("ddib-workbench")
    except PackageNotFoundError:  # used from a source tree that was never installed
        return "unknown"
