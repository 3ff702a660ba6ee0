"""Invertible solvers can be undone exactly, bit for bit, from the states that they carry."""

import sys
from collections.abc import Iterator, Sequence
from math import log

import numpy as np

from ddib.schedules.levels import noise
from ddib.solvers.exponential import integrate
from ddib.solvers.scheme import Denoise, State, Step, solver

_STATES = 4  # obelm: carried at most; one less is its order
_DAMPING = 2.0**-16  # obelm: what all steps leave of a spurious mode
_START_WEIGHT = 2.0**-10  # obelm: of the start's states, which are of low order
_LATTICE = 2.0**-20  # obelm: its states are multiples of this, so that their sums are exact


@solver(evaluations=1, order=3, invertible=True)
def obelm(
    denoise: Denoise, z: State, sigmas: Sequence[float], carried: State | None = None
) -> Iterator[Step]:
    """Bidirectional explicit linear multistep, order 3, one evaluation a step, invertible.

    BELM (Wang et al. 2024, section 4) with four states, where their O-BELM has two. P being the
    polynomial in λ through D at λₖ₋₂, λₖ₋₁ and λₖ,
        uₖ₊₁ = uₖ + ∫ₖᵏ⁺¹ e^λ P dλ + ε (uₖ₋₃ - uₖ + ∫ₖ₋₃ᵏ e^λ P dλ):
    Adams-Bashforth, plus ε times the error of P extrapolated backwards to uₖ₋₃. Since that term
    contains uₖ₋₃, the update can be solved for it, which makes the step invertible; a small ε
    damps the spurious modes that spoil O-BELM. In v = su with sₖ₊₁ = sₖ₋₃/ε it reads
    vₖ₊₁ = vₖ₋₃ + f(vₖ₋₂, vₖ₋₁, vₖ). v is rounded to multiples of 2⁻²⁰, so that float64 adds them
    without rounding and a subtraction undoes a step.

    With the `carried` states of a solution, the same levels reversed are its exact inverse, where
    the estimates come out the same bit for bit; without, a solution starts afresh.
    """
    path = sigmas if carried is None else sigmas[::-1]
    lambdas, last = [-log(sigma) for sigma in path], len(path) - 1
    count = max(2, min(_STATES, last))
    scales = _belm_scales(count, last)
    u, v, estimates = dict[int, State](), dict[int, State](), dict[int, State]()

    def settle(k: int, value: State) -> None:
        v[k], u[k] = value, value / scales[k]
        for known in (u, v, estimates):
            known.pop(k - count, None)
            known.pop(k + count, None)

    def evaluate(k: int) -> None:
        estimates[k] = _like(denoise(_like(u[k] * noise(path[k]), z), path[k]), u[k])

    def integral(window: range, start: int, end: int) -> State:
        known = [estimates[k] for k in window]
        return integrate([lambdas[k] for k in window], known, lambdas[start], lambdas[end])

    def between(k: int) -> State:
        oldest = k + 1 - count
        window = range(oldest + 1, k + 1)
        ahead = u[k] + integral(window, k, k + 1)
        behind = u[k] - integral(window, oldest, k)
        return _on_lattice(scales[k + 1] * ahead - scales[oldest] * behind)

    def at(k: int) -> State:
        return _like(u[k] * noise(path[k]), z)

    if carried is None:
        settle(0, _on_lattice(_double(z) / noise(path[0])))
        for k in range(last):
            evaluate(k)
            if k + 1 < count:
                settle(k + 1, _on_lattice(u[0] + integral(range(k + 1), 0, k + 1)))
            else:
                settle(k + 1, v[k + 1 - count] + between(k))
            kept = _stack([v[i] for i in sorted(v)]) if k + 1 == last else None
            yield Step(k + 1, path[k + 1], at(k + 1), estimates[k], kept)
    else:
        for i in range(count):
            settle(last + 1 - count + i, carried[:, i])
        for k in reversed(range(last)):
            evaluate(k)
            if 0 < k <= last + 1 - count:
                settle(k - 1, v[k - 1 + count] - between(k - 2 + count))
            yield Step(last - k, path[k], at(k), estimates[k])


def _belm_scales(count: int, steps: int) -> list[float]:
    weight = _DAMPING ** ((count - 1) / steps)
    scales = [1.0] * count
    for oldest in range(steps + 1 - count):
        of_the_start = 0 < oldest < count - 1
        scales.append(scales[oldest] / (weight * (_START_WEIGHT if of_the_start else 1)))
    return scales


def _on_lattice(value: State) -> State:
    """Rounded to a multiple of the lattice: the sum with this has no digits below it."""
    shift = 1.5 * 2**52 * _LATTICE
    return (value + shift) - shift


def _like(state: State, other: State) -> State:
    """In another's precision."""
    return state.to(other.dtype) if hasattr(state, "to") else state.astype(other.dtype)


def _double(state: State) -> State:
    return state.double() if hasattr(state, "double") else state.astype(np.float64)


def _stack(states: list[State]) -> State:
    """Beside each other along a new second axis."""
    library = sys.modules[type(states[0]).__module__]
    return library.stack(states, 1)
