"""Noise schedules give σ = √(1-ᾱ)/√ᾱ of each timestep."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from ddib.errors import InputError

Sigmas = NDArray[np.float64]


def linear(steps: int) -> Sigmas:
    """β from 1e-4 to 0.02 at 1000 steps, scaled to other counts (DDPM, Ho et al. 2020, section 4).

    Returns σ of each timestep, ascending, shape [steps].
    """
    scale = 1000 / steps
    return sigmas_of_betas(np.linspace(scale * 1e-4, scale * 0.02, steps))


def cosine(steps: int) -> Sigmas:
    """The cosine schedule (Nichol & Dhariwal 2021, equation 17), β at most 0.999.

    Returns σ of each timestep, ascending, shape [steps].
    """
    alpha_bar = np.cos((np.arange(steps + 1) / steps + 0.008) / 1.008 * np.pi / 2) ** 2
    return sigmas_of_betas(np.minimum(1 - alpha_bar[1:] / alpha_bar[:-1], 0.999))


def sigmoid(steps: int) -> Sigmas:
    """The sigmoid schedule (Jabri et al. 2022, section 3.2: from -3 to 3, τ = 1), β at most 0.999.

    Returns σ of each timestep, ascending, shape [steps].
    """
    logistic = 1 / (1 + np.exp(-np.linspace(-3, 3, steps + 1)))
    alpha_bar = (logistic[-1] - logistic) / (logistic[-1] - logistic[0])
    return sigmas_of_betas(np.minimum(1 - alpha_bar[1:] / alpha_bar[:-1], 0.999))


SCHEDULES: dict[str, Callable[[int], Sigmas]] = {
    "linear": linear,
    "cosine": cosine,
    "sigmoid": sigmoid,
}


def sigmas_of_betas(betas: Sigmas) -> Sigmas:
    """σ of each timestep of a schedule that is given by its β, in (0, 1), shape [steps]."""
    alpha_bar = np.cumprod(1 - betas)
    return np.asarray(np.sqrt((1 - alpha_bar) / alpha_bar))


def schedule_sigmas(name: str, steps: int) -> Sigmas:
    """σ of each timestep of a schedule by its name.

    Raises InputError for an unknown one, and where so few timesteps make a β of 1.
    """
    if name not in SCHEDULES:
        raise InputError(f"unknown schedule {name!r}; known: {', '.join(SCHEDULES)}")
    with np.errstate(divide="ignore", invalid="ignore"):
        sigmas = SCHEDULES[name](steps)
    if not np.isfinite(sigmas).all():
        raise InputError(
            f"the {name} schedule cannot have as few as {steps} timesteps: β reaches 1"
        )
    return sigmas
