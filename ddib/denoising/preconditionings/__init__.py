"""Each file here is a preconditioning; importing the package registers them all."""

from ddib.denoising.preconditioning import PRECONDITIONINGS, PreconditioningName
from ddib.registry import import_modules

__all__ = ["PRECONDITIONINGS", "PreconditioningName"]

import_modules(__name__, list(__path__))
