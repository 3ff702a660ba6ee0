"""Solvers of the probability-flow ODE: flat generators that move a state along a σ grid.

The contract, once: a solver takes `denoise(z, σ) -> D`, a state z and a sequence of σ; it yields
a `Step` after every interval. Ascending σ encodes, descending σ decodes. z = x̄/√(1+σ²) is the
variance-preserving state, so it stays finite at σ = ∞ (ᾱ = 0), and D estimates the clean image.
The ODE is dx̄/dσ = (x̄ - D)/σ (EDM, Karras et al. 2022, equation 1 with σ(t) = t). Only + and *
are asked of a state: torch tensors and NumPy arrays serve alike, and nothing here imports torch.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from math import expm1, hypot, inf, log
from typing import Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from ddib.schedules import GRIDS

State = Any  # a torch.Tensor or a numpy.ndarray
Denoise = Callable[[State, float], State]


class Step(NamedTuple):
    """Where a solver is: `step` intervals done, the state z at σ, and the last estimate D."""

    step: int
    sigma: float
    z: State
    denoised: State


Solve = Callable[[Denoise, State, Sequence[float]], Iterator[Step]]


class Scheme(NamedTuple):
    """A solver and what it costs: network evaluations a step."""

    solve: Solve
    evaluations: int


SOLVERS: dict[str, Scheme] = {}


def _solver(evaluations: int) -> Callable[[Solve], Solve]:
    def register(solve: Solve) -> Solve:
        SOLVERS[solve.__name__] = Scheme(solve, evaluations)
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


@_solver(evaluations=1)
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


@_solver(evaluations=1)
def dpmpp_3m(denoise: Denoise, z: State, sigmas: Sequence[float]) -> Iterator[Step]:
    """DPM-Solver++(3M), order 3, one evaluation a step (Lu et al. 2022, appendix B).

    The second divided difference is half of the second derivative, and is doubled here; taken as
    it is, the order falls to 2.
    A first step of order 1 would leave its error on the whole: it is made again, with the slope
    of D, as soon as the second step's evaluation has told that slope.
    """
    start, past = z, list[tuple[float, State]]()  # (λ, D), the newest first
    for step, (sigma, target) in enumerate(pairwise(sigmas), 1):
        denoised = denoise(z, sigma)
        past = [(-log(sigma), denoised), *past[:2]]
        if step == 2:
            first = past[1][1]
            z = _curved_transfer(start, sigmas[0], sigma, first, denoised - first)
        width = log(sigma) - log(target)
        slope, curve = 0.0, 0.0  # hD' and h²D''/2 in λ, by divided differences
        if len(past) > 1:
            ratio = (past[0][0] - past[1][0]) / width
            newer = (past[0][1] - past[1][1]) / ratio
            slope = newer
        if len(past) > 2:
            older_ratio = (past[1][0] - past[2][0]) / width
            older = (past[1][1] - past[2][1]) / older_ratio
            curve = (newer - older) / (ratio + older_ratio)
            slope = newer + curve * ratio
        z = _curved_transfer(z, sigma, target, denoised, slope, curve)
        yield Step(step, target, z, denoised)


def _curved_transfer(
    z: State, sigma: float, target: float, denoised: State, slope: State, curve: State = 0.0
) -> State:
    """The exact move from σ to another level for D = D₀ + slope·s + curve·s², s = Δλ/h."""
    width = log(sigma) - log(target)
    phi_2 = expm1(-width) / width + 1
    phi_3 = phi_2 / width - 0.5
    a, b = _transfer(sigma, target)
    return a * z + b * denoised + signal(target) * (phi_2 * slope - 2 * phi_3 * curve)


@_solver(evaluations=1)
def ddim(denoise: Denoise, z: State, sigmas: Sequence[float]) -> Iterator[Step]:
    """DDIM, order 1, one evaluation a step (Song et al. 2021, equation 12 with σ_t = 0)."""
    for step, (sigma, target) in enumerate(pairwise(sigmas), 1):
        denoised = denoise(z, sigma)
        a, b = _transfer(sigma, target)
        z = a * z + b * denoised
        yield Step(step, target, z, denoised)


@_solver(evaluations=2)
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


class Solver(BaseModel):
    """How the ODE is solved, the same in both directions."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    name: str = Field(
        "dpmpp_2m", description="the scheme", json_schema_extra={"enum": list(SOLVERS)}
    )
    grid: str = Field(
        "log", description="where along σ the steps lie", json_schema_extra={"enum": list(GRIDS)}
    )
    steps: int = Field(
        20,
        ge=1,
        le=10_000,
        description="intervals each way",
        json_schema_extra={"symbol": "steps"},
    )
    start_noise: float = Field(
        0.0,
        ge=0,
        description="σ of Gaussian noise added to the image, where encoding then starts; "
        "0.03 makes the latents of flat backgrounds Gaussian",
        json_schema_extra={"symbol": "σ₀"},
    )
    start_noise_seed: int = Field(0, ge=0, lt=2**63, description="seed of that noise")
    clip: Literal[False, "decode"] = Field(
        False, description="clip D to [-1, 1] while decoding; breaks invertibility"
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

    @property
    def evaluations(self) -> int:
        """NFE per image, one way."""
        return self.steps * SOLVERS[self.name].evaluations


def _one_of(name: str, known: dict[str, Any]) -> str:
    if name not in known:
        raise ValueError(f"expected one of {', '.join(known)}")
    return name
