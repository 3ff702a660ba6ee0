"""Each file here is a preconditioning; importing the package registers them all."""

from ddib.denoising.preconditioning import PRECONDITIONINGS
from ddib.registry import import_modules

__all__ = ["PRECONDITIONINGS"]

import_modules(__name__, list(__path__))
