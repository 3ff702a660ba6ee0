"""Solvers of the probability-flow ODE: flat generators that move a state along a σ grid.

The contract, once: a solver takes `denoise(z, σ) -> D`, a state z and a sequence of σ; it yields
a `Step` after every interval. Ascending σ encodes, descending σ decodes. z = x̄/√(1+σ²) is the
variance-preserving state, so it stays finite at σ = ∞ (ᾱ = 0), and D estimates the clean image.
The ODE is dx̄/dσ = (x̄ - D)/σ (EDM, Karras et al. 2022, equation 1 with σ(t) = t). The multistep
solvers work in u = x̄/σ and λ = -log σ, where it reads du/dλ = e^λ D and has no linear part.
Torch tensors and NumPy arrays serve alike, and nothing here imports torch.
"""

import sys
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from math import exp, hypot, inf, log
from typing import Annotated, Any, Literal, NamedTuple

import numpy as np
from annotated_types import Ge, Le
from pydantic import (
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    field_validator,
    model_validator,
)

from ddib.schedules.grids import GRIDS

State = Any  # a torch.Tensor or a numpy.ndarray
Denoise = Callable[[State, float], State]


class Step(NamedTuple):
    """Where a solver is: `step` intervals done, the state z at σ, and the last estimate D.

    `carried`, in an invertible solver's last step: what the way back needs, float64
    [N, states, ...].
    """

    step: int
    sigma: float
    z: State
    denoised: State
    carried: State | None = None


Solve = Callable[..., Iterator[Step]]


class Scheme(NamedTuple):
    """A solver, its network evaluations a step (None: adaptive), its order of convergence.

    solve(denoise, z, sigmas); an adaptive one also takes `tolerance`, an invertible one `carried`.
    """

    solve: Solve
    evaluations: int | None
    order: int
    invertible: bool = False


SOLVERS: dict[str, Scheme] = {}


def _solver(
    evaluations: int | None, order: int, invertible: bool = False
) -> Callable[[Solve], Solve]:
    def register(solve: Solve) -> Solve:
        SOLVERS[solve.__name__] = Scheme(solve, evaluations, order, invertible)
        return solve

    return register


def signal(sigma: float) -> float:
    """√ᾱ = 1/√(1+σ²), the share of the clean image in z; 0 at σ = ∞."""
    return 1 / hypot(1, sigma)


def noise(sigma: float) -> float:
    """√(1-ᾱ) = σ/√(1+σ²), the share of the noise in z; 1 at σ = ∞."""
    return 1.0 if sigma == inf else sigma / hypot(1, sigma)


def _transfer(sigma: float, target: float) -> tuple[float, float]:
    """Weights (a, b) of the exact move z' = a·z + b·D from σ to another level, D held constant."""
    ratio = noise(target) / noise(sigma)
    return ratio, signal(target) - ratio * signal(sigma)


@_solver(evaluations=1, order=2)
def dpmpp_2m(denoise: Denoise, z: State, sigmas: Sequence[float]) -> Iterator[Step]:
    """DPM-Solver++(2M), order 2, one evaluation a step (Lu et al. 2022, algorithm 2)."""
    previous: State | None = None
    last_width = 0.0
    for step, (sigma, target) in enumerate(pairwise(sigmas), 1):
        denoised = denoise(z, sigma)
        width = log(sigma) - log(target)
        ahead = denoised
        if previous is not None:
            half_ratio = width / (2 * last_width)
            ahead = (1 + half_ratio) * denoised - half_ratio * previous
        a, b = _transfer(sigma, target)
        z = a * z + b * ahead
        previous, last_width = denoised, width
        yield Step(step, target, z, denoised)


@_solver(evaluations=1, order=3)
def dpmpp_3m(denoise: Denoise, z: State, sigmas: Sequence[float]) -> Iterator[Step]:
    """DPM-Solver++(3M), order 3, one evaluation a step (Lu et al. 2022, appendix B).

    The first two steps are made again with each estimate that follows, so that their low order
    does not stay in the whole.
    """
    return _adams(denoise, z, sigmas, corrected=False)


@_solver(evaluations=1, order=3)
def unipc(denoise: Denoise, z: State, sigmas: Sequence[float]) -> Iterator[Step]:
    """UniPC, order 3, one evaluation a step (Zhao et al. 2023: UniP-3, corrected by UniC-2).

    Every step is made again with the estimate at its end, which the next step needs anyhow.
    """
    return _adams(denoise, z, sigmas, corrected=True)


def _adams(denoise: Denoise, z: State, sigmas: Sequence[float], corrected: bool) -> Iterator[Step]:
    """Exponential Adams with the last three estimates; the start is corrected in any case."""
    lambdas, estimates, states = list[float](), list[State](), [z / noise(sigmas[0])]
    for step, (sigma, target) in enumerate(pairwise(sigmas), 1):
        lambdas = [*lambdas[-2:], -log(sigma)]
        estimates = [*estimates[-2:], denoise(states[-1] * noise(sigma), sigma)]
        first = 0 if step <= 3 else 1 if corrected else 2
        for i, (start, end) in enumerate(pairwise(lambdas[first:]), first):
            states[i + 1] = states[i] + _integral(lambdas, estimates, start, end)
        ahead = _integral(lambdas, estimates, lambdas[-1], -log(target))
        states = [*states[-2:], states[-1] + ahead]
        yield Step(step, target, states[-1] * noise(target), estimates[-1])


_POINTS, _WEIGHTS = np.polynomial.legendre.leggauss(24)  # exact to rounding up to Δλ = 20


def _integral(
    lambdas: Sequence[float], estimates: Sequence[State], start: float, end: float
) -> State:
    """∫ e^λ D dλ from start to end, D the polynomial in λ through the estimates."""
    half = (end - start) / 2
    points = start + half * (1 + _POINTS)
    density = half * _WEIGHTS * np.exp(points)
    total: State = 0
    for i, estimate in enumerate(estimates):
        others = np.delete(lambdas, i)
        basis = np.prod((points[:, None] - others) / (lambdas[i] - others), axis=1)
        total = total + float(density @ basis) * estimate
    return total


@_solver(evaluations=1, order=1)
def ddim(denoise: Denoise, z: State, sigmas: Sequence[float]) -> Iterator[Step]:
    """DDIM, order 1, one evaluation a step (Song et al. 2021, equation 12 with σ_t = 0)."""
    for step, (sigma, target) in enumerate(pairwise(sigmas), 1):
        denoised = denoise(z, sigma)
        a, b = _transfer(sigma, target)
        z = a * z + b * denoised
        yield Step(step, target, z, denoised)


@_solver(evaluations=2, order=2)
def heun(denoise: Denoise, z: State, sigmas: Sequence[float]) -> Iterator[Step]:
    """Heun's method, order 2, two evaluations a step (EDM, Karras et al. 2022, algorithm 1)."""
    for step, (sigma, target) in enumerate(pairwise(sigmas), 1):
        denoised = denoise(z, sigma)
        x = z / signal(sigma)
        slope = (x - denoised) / sigma
        euler = x + (target - sigma) * slope
        ahead = denoise(euler * signal(target), target)
        slope = (slope + (euler - ahead) / target) / 2
        z = (x + (target - sigma) * slope) * signal(target)
        yield Step(step, target, z, ahead)


_STATES = 4  # obelm: carried at most; one less is its order
_DAMPING = 2.0**-16  # obelm: what all steps leave of a spurious mode
_START_WEIGHT = 2.0**-10  # obelm: of the start's states, which are of low order
_LATTICE = 2.0**-20  # obelm: its states are multiples of this, so that their sums are exact


@_solver(evaluations=1, order=3, invertible=True)
def obelm(
    denoise: Denoise, z: State, sigmas: Sequence[float], carried: State | None = None
) -> Iterator[Step]:
    """Bidirectional explicit linear multistep, order 3, one evaluation a step, invertible.

    BELM (Wang et al. 2024, section 4) with four states, where their O-BELM has two. P being the
    polynomial in λ through D at λₖ₋₂, λₖ₋₁ and λₖ,
        uₖ₊₁ = uₖ + ∫ₖᵏ⁺¹ e^λ P dλ + ε (uₖ₋₃ - uₖ + ∫ₖ₋₃ᵏ e^λ P dλ):
    Adams-Bashforth, plus a little of the error that P makes looking back. That little is what
    tells uₖ₋₃ from the later states, and a small ε damps the spurious modes that spoil O-BELM.
    In v = su with sₖ₊₁ = sₖ₋₃/ε it reads vₖ₊₁ = vₖ₋₃ + (what the states between say); v lies on
    a lattice, float64 adds its points without rounding, and so a subtraction undoes a step.

    With the `carried` states of a way, the same levels reversed are the exact way back, where
    the estimates come out the same bit for bit; without, a way starts afresh.
    """
    way = sigmas if carried is None else sigmas[::-1]
    lambdas, last = [-log(sigma) for sigma in way], len(way) - 1
    count = max(2, min(_STATES, last))
    scales = _belm_scales(count, last)
    u, v, estimates = dict[int, State](), dict[int, State](), dict[int, State]()

    def settle(k: int, value: State) -> None:
        v[k], u[k] = value, value / scales[k]
        for known in (u, v, estimates):
            known.pop(k - count, None)
            known.pop(k + count, None)

    def evaluate(k: int) -> None:
        estimates[k] = _like(denoise(_like(u[k] * noise(way[k]), z), way[k]), u[k])

    def integral(window: range, start: int, end: int) -> State:
        known = [estimates[k] for k in window]
        return _integral([lambdas[k] for k in window], known, lambdas[start], lambdas[end])

    def between(k: int) -> State:
        oldest = k + 1 - count
        window = range(oldest + 1, k + 1)
        ahead = u[k] + integral(window, k, k + 1)
        behind = u[k] - integral(window, oldest, k)
        return _on_lattice(scales[k + 1] * ahead - scales[oldest] * behind)

    def at(k: int) -> State:
        return _like(u[k] * noise(way[k]), z)

    if carried is None:
        settle(0, _on_lattice(_double(z) / noise(way[0])))
        for k in range(last):
            evaluate(k)
            if k + 1 < count:
                settle(k + 1, _on_lattice(u[0] + integral(range(k + 1), 0, k + 1)))
            else:
                settle(k + 1, v[k + 1 - count] + between(k))
            kept = _stack([v[i] for i in sorted(v)]) if k + 1 == last else None
            yield Step(k + 1, way[k + 1], at(k + 1), estimates[k], kept)
    else:
        for i in range(count):
            settle(last + 1 - count + i, carried[:, i])
        for k in reversed(range(last)):
            evaluate(k)
            if 0 < k <= last + 1 - count:
                settle(k - 1, v[k - 1 + count] - between(k - 2 + count))
            yield Step(last - k, way[k], at(k), estimates[k])


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


@_solver(evaluations=None, order=5)
def dopri5(
    denoise: Denoise, z: State, sigmas: Sequence[float], tolerance: float = 1e-3
) -> Iterator[Step]:
    """Dormand-Prince 5(4), adaptive, of the grid only its ends (Hairer et al. 1993, table II.5.2).

    Solves dz/dτ = √ᾱ(√ᾱ z - D) in τ = log σ. The local errors' RMS adds up to `tolerance` at
    most: each step has its share by its width. Steps of a thousandth of the way are taken
    whatever their error, which is then the network's rounding.
    """
    position, end = log(sigmas[0]), log(sigmas[-1])
    span = end - position
    width, step = span / 20, 0
    denoised = denoise(z, sigmas[0])
    slope = signal(sigmas[0]) * (signal(sigmas[0]) * z - denoised)
    while position != end:
        if abs(end - position) < 1.01 * abs(width):
            width = end - position
        slopes = [slope]
        for fraction, weights in zip(_NODES, _STAGES, strict=True):
            sigma = exp(position + fraction * width)
            reached = z + width * _combined(weights, slopes)
            denoised = denoise(reached, sigma)
            slopes.append(signal(sigma) * (signal(sigma) * reached - denoised))
        error = width * _combined(_ERROR, slopes)
        excess = float((error * error).mean()) ** 0.5 / (tolerance * width / span)
        if not excess > 1 or abs(width) <= abs(span) / 1000:
            step, z, slope = step + 1, reached, slopes[-1]
            position = end if width == end - position else position + width
            yield Step(step, exp(position) if position != end else sigmas[-1], z, denoised)
        width *= min(5.0, max(0.2, 0.9 * excess**-0.25)) if excess else 5.0


_NODES = (1 / 5, 3 / 10, 4 / 5, 8 / 9, 1, 1)
_STAGES = (
    (1 / 5,),
    (3 / 40, 9 / 40),
    (44 / 45, -56 / 15, 32 / 9),
    (19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729),
    (9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656),
    (35 / 384, 0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84),
)
_ERROR = (71 / 57600, 0, -71 / 16695, 71 / 1920, -17253 / 339200, 22 / 525, -1 / 40)


def _combined(weights: Sequence[float], states: Sequence[State]) -> State:
    return sum(a * b for a, b in zip(weights, states, strict=True))


def _kind_of_steps(value: object) -> str:
    return "auto" if value == "auto" else "count"


Steps = Annotated[
    Annotated[int, Ge(1), Le(10_000), Tag("count")] | Annotated[Literal["auto"], Tag("auto")],
    Discriminator(_kind_of_steps),
]


class Solver(BaseModel):
    """How the ODE is solved, the same in both directions."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    name: str = Field(
        "dpmpp_2m", description="the scheme", json_schema_extra={"enum": list(SOLVERS)}
    )
    grid: str = Field(
        "log", description="where along σ the steps lie", json_schema_extra={"enum": list(GRIDS)}
    )
    steps: Steps = Field(
        20,
        description="intervals each way; auto: the fewest that keep the tolerance",
        json_schema_extra={"symbol": "steps"},
    )
    start_noise: float = Field(
        0.0,
        ge=0,
        description="σ of Gaussian noise added to the image, where encoding then starts: forward "
        "noise in place of the first steps (arXiv 2410.23530); 0.03 makes the latents of flat "
        "backgrounds Gaussian",
        json_schema_extra={"symbol": "σ₀"},
    )
    start_noise_seed: int = Field(0, ge=0, lt=2**63, description="seed of that noise")
    clip: Literal[False, "decode"] = Field(
        False, description="clip D to [-1, 1] while decoding; breaks invertibility"
    )
    tolerance: float = Field(
        1e-2,
        ge=1e-5,
        le=1,
        description="RMS error allowed: in dopri5's result, in the latent of steps: auto",
    )
    cycle: Literal["free", "exact"] = Field(
        "free", description="exact: an unedited round trip returns every pixel; takes name: obelm"
    )

    @field_validator("name")
    @classmethod
    def _known_name(cls, name: str) -> str:
        return _one_of(name, SOLVERS)

    @field_validator("grid")
    @classmethod
    def _known_grid(cls, grid: str) -> str:
        return _one_of(grid, GRIDS)

    @model_validator(mode="after")
    def _reference_is_ddim(self) -> "Solver":
        if self.grid == "reference" and self.name != "ddim":
            raise ValueError("the reference grid is the original DDIM: it takes name: ddim")
        if self.grid == "reference" and self.start_noise != 0:
            raise ValueError("the reference grid takes the image as it is: start_noise: 0")
        return self

    @model_validator(mode="after")
    def _auto_has_steps(self) -> "Solver":
        if self.steps == "auto" and SOLVERS[self.name].evaluations is None:
            raise ValueError(f"{self.name} chooses its steps itself: leave out steps: auto")
        if self.steps == "auto" and self.grid == "reference":
            raise ValueError("the reference grid takes a number of steps, not auto")
        return self

    @model_validator(mode="after")
    def _exact_is_possible(self) -> "Solver":
        if self.cycle == "free":
            return self
        if not SOLVERS[self.name].invertible:
            able = ", ".join(name for name, scheme in SOLVERS.items() if scheme.invertible)
            raise ValueError(f"cycle: exact needs an invertible solver: name: {able}")
        if self.start_noise != 0:
            raise ValueError("cycle: exact returns the image as it is: start_noise: 0")
        if self.clip:
            raise ValueError("cycle: exact needs what D says, unclipped: clip: false")
        return self

    @property
    def evaluations(self) -> int | None:
        """NFE per image, one way; None when that is found out on the way."""
        each = SOLVERS[self.name].evaluations
        return None if each is None or self.steps == "auto" else self.steps * each

    def solve(
        self, denoise: Denoise, z: State, sigmas: Sequence[float], carried: State | None = None
    ) -> Iterator[Step]:
        """The steps of this solver along a grid's levels.

        `carried` is what an invertible solver's last step gave: then this is the exact way back.
        """
        scheme = SOLVERS[self.name]
        if scheme.invertible:
            return scheme.solve(denoise, z, sigmas, carried=carried)
        if scheme.evaluations is None:
            return scheme.solve(denoise, z, sigmas, tolerance=self.tolerance)
        return scheme.solve(denoise, z, sigmas)


def _one_of(name: str, known: dict[str, Any]) -> str:
    if name not in known:
        raise ValueError(f"expected one of {', '.join(known)}")
    return name
