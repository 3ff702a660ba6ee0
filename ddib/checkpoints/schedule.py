"""A checkpoint states its noise schedule by name, or by its own β."""

from collections.abc import Sequence
from typing import Annotated

import numpy as np
from pydantic import Field, model_validator

from ddib.errors import InputError
from ddib.networks.configurations import Frozen
from ddib.schedules.noise_schedules import SCHEDULES, Sigmas, schedule_sigmas, sigmas_of_betas

MAX_TIMESTEPS = 100_000
CUSTOM = "custom"  # the name of a schedule that is given by its betas
SAME_SCHEDULE = 1e-4  # of log σ: what float32 makes of a schedule's β, at most

Beta = Annotated[float, Field(gt=0, lt=1)]


class Schedule(Frozen):
    """A noise schedule by name, or by its own β, and its number of timesteps."""

    name: str = Field(
        "linear", description="one of `ddib.schedules.noise_schedules.SCHEDULES`, or custom"
    )
    steps: int = Field(1000, ge=2, le=MAX_TIMESTEPS)
    betas: tuple[Beta, ...] | None = Field(None, description="of a custom schedule's timesteps")
    rescale_timesteps: bool = Field(
        False, description="the network is told timesteps of a thousand, whatever their number"
    )

    @model_validator(mode="after")
    def _is_whole(self) -> "Schedule":
        if (self.name == CUSTOM) != (self.betas is not None):
            raise ValueError(f"betas belong to name: {CUSTOM}, and to no other")
        if self.betas is not None and len(self.betas) != self.steps:
            raise ValueError(f"{len(self.betas)} betas for {self.steps} timesteps")
        if not np.isfinite(self.sigmas).all():
            raise ValueError("its betas make an infinite σ")
        return self

    @classmethod
    def of_betas(cls, betas: Sequence[float]) -> "Schedule":
        """The schedule of these β, by its name where it has one; raises InputError where σ is
        not finite."""
        if not all(0 < beta < 1 for beta in betas):
            raise InputError(
                "its schedule has a β outside (0, 1): with zero terminal SNR (or none at the "
                "start) σ is not finite, and the ODE cannot begin there"
            )
        wanted = np.log(sigmas_of_betas(np.array(betas, np.float64)))
        for name, schedule in SCHEDULES.items():
            with np.errstate(divide="ignore", invalid="ignore"):
                off = np.abs(np.log(schedule(len(betas))) - wanted).max()
            if off < SAME_SCHEDULE:
                return cls(name=name, steps=len(betas))
        return cls(name=CUSTOM, steps=len(betas), betas=tuple(betas))

    @property
    def sigmas(self) -> Sigmas:
        """σ of each timestep, ascending, [steps]; raises InputError for an unknown name."""
        if self.betas is not None:
            return sigmas_of_betas(np.array(self.betas))
        return schedule_sigmas(self.name, self.steps)
