"""Solvers that move a state along σ, one family a file, and the setting that chooses one."""

from ddib.solvers.solver import SOLVERS, Denoise, Scheme, Solver, Step

__all__ = ["SOLVERS", "Denoise", "Scheme", "Solver", "Step"]
