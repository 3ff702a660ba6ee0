"""The setting that says how the ODE is solved, as a session has it."""

from collections.abc import Iterator, Sequence
from typing import Annotated, Literal

from annotated_types import Ge, Le
from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, model_validator

from ddib.registry import NameIn
from ddib.schedules.grids import GRIDS
from ddib.solvers.scheme import SOLVERS, Denoise, State, Step


def _kind_of_steps(value: object) -> str:
    return "auto" if value == "auto" else "count"


Steps = Annotated[
    Annotated[int, Ge(1), Le(10_000), Tag("count")] | Annotated[Literal["auto"], Tag("auto")],
    Discriminator(_kind_of_steps),
]


class Solver(BaseModel):
    """How the ODE is solved, the same in both directions."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    name: Annotated[str, NameIn("solver", SOLVERS)] = Field("dpmpp_2m", description="the scheme")
    grid: Annotated[str, NameIn("grid", GRIDS)] = Field(
        "log", description="where along σ the steps lie"
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
        """NFE per image in one direction; None when only the solution itself tells."""
        each = SOLVERS[self.name].evaluations
        return None if each is None or self.steps == "auto" else self.steps * each

    def solve(
        self, denoise: Denoise, z: State, sigmas: Sequence[float], carried: State | None = None
    ) -> Iterator[Step]:
        """The steps of this solver along a grid's levels.

        `carried` is what an invertible solver's last step gave: then this is its exact inverse.
        """
        scheme = SOLVERS[self.name]
        if scheme.invertible:
            return scheme.solve(denoise, z, sigmas, carried=carried)
        if scheme.evaluations is None:
            return scheme.solve(denoise, z, sigmas, tolerance=self.tolerance)
        return scheme.solve(denoise, z, sigmas)
