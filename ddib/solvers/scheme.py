"""A solver is a generator that moves a state along σ levels; each is registered here.

The contract, once: a solver takes `denoise(z, σ) -> D`, a state z and a sequence of σ; it yields
a `Step` after every interval. Ascending σ encodes, descending σ decodes. z = x̄/√(1+σ²) is the
variance-preserving state, so it stays finite at σ = ∞ (ᾱ = 0), and D estimates the clean image.
The ODE is dx̄/dσ = (x̄ - D)/σ (EDM, Karras et al. 2022, equation 1 with σ(t) = t). The multistep
solvers work in u = x̄/σ and λ = -log σ, where it reads du/dλ = e^λ D and has no linear part.
Torch tensors and NumPy arrays serve alike, and nothing here imports torch.
"""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from ddib.registry import Registry

State = Any  # a torch.Tensor or a numpy.ndarray
Denoise = Callable[[State, float], State]


class Step(NamedTuple):
    """Where a solver is: `step` intervals done, the state z at σ, and the last estimate D.

    `carried`, in an invertible solver's last step: what the exact inverse needs, float64
    [N, states, ...].
    """

    step: int
    sigma: float
    z: State
    denoised: State
    carried: State | None = None


Solve = Callable[..., Iterator[Step]]


class Scheme:
    """A registered solver.

    solve: the generator, solve(denoise, z, sigmas); an adaptive one also takes `tolerance`, an
        invertible one `carried`.
    evaluations: of the network a step; None for an adaptive solver, which finds its own steps.
    order: of convergence, of the error of a whole solution in the width of its steps.
    """

    def __init__(self, solve: Solve, evaluations: int | None, order: int, invertible: bool):
        self.solve = solve
        self.evaluations = evaluations
        self.order = order
        self.invertible = invertible
        self.__doc__ = solve.__doc__
        self.__module__ = solve.__module__


SOLVERS: Registry[Scheme] = Registry("solver", "solvers")
"""Every solver by its name, which is that of its function."""


def solver(
    *, evaluations: int | None, order: int, invertible: bool = False
) -> Callable[[Solve], Solve]:
    """Register a generator as a solver; the arguments are those of `Scheme`."""

    def register(solve: Solve) -> Solve:
        SOLVERS.register(solve.__name__, Scheme(solve, evaluations, order, invertible))
        return solve

    return register
