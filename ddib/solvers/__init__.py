"""Solvers that move a state along σ, one family a file, and the setting that chooses one.

Every module of this folder is imported here, so that its solvers are registered.
"""

from ddib.registry import import_modules
from ddib.solvers.scheme import SOLVERS, Denoise, Scheme, Step, solver
from ddib.solvers.solver import Solver

__all__ = ["SOLVERS", "Denoise", "Scheme", "Solver", "Step", "solver"]

import_modules(__name__, __path__)
