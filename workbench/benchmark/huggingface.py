"""diffusers' inverse schedulers and their forward ones, on our network.

Importing this raises ImportError where diffusers is not installed.
"""

from typing import Any

import numpy as np
from diffusers import (
    DDIMInverseScheduler,
    DDIMScheduler,
    DPMSolverMultistepInverseScheduler,
    DPMSolverMultistepScheduler,
)
from torch import Tensor

from ddib.checkpoints.model import Model
from ddib.schedules.levels import noise, signal
from workbench.benchmark.peer import Peer
from workbench.benchmark.subject import Subject

NOTE = (
    "diffusers: our network, prediction_type v_prediction, betas of the checkpoint, no clipping, "
    "else its defaults (DDIM's leading timesteps gave it less error than trailing ones). Ours has "
    "a tenth of its latent error to reach. Its latent is the state at the last timestep of its "
    "inverse loop, and is compared with the exact state there."
)
SHORT, FULL = (50,), (20, 50)  # steps each way


def peers(subject: Subject, full: bool) -> list[Peer]:
    """DDIM; with `full` at more steps, and the multistep solver on Karras's σ and on its own."""
    found = []
    for steps in FULL if full else SHORT:
        found.append(ddim(subject, steps))
        if full:
            found += [multistep(subject, steps, karras) for karras in (True, False)]
    return found


def ddim(subject: Subject, steps: int) -> Peer:
    """`DDIMInverseScheduler` and `DDIMScheduler`."""
    name = f"diffusers DDIM, {steps}"
    return _peer(subject, name, steps, DDIMInverseScheduler, DDIMScheduler, {"clip_sample": False})


def multistep(subject: Subject, steps: int, karras: bool) -> Peer:
    """`DPMSolverMultistepInverseScheduler` and `DPMSolverMultistepScheduler`, order 2."""
    return _peer(
        subject,
        f"diffusers DPM-Solver++ 2M{' Karras' if karras else ''}, {steps}",
        steps,
        DPMSolverMultistepInverseScheduler,
        DPMSolverMultistepScheduler,
        {"use_karras_sigmas": karras},
    )


def walk(scheduler: Any, model: Model, z: Tensor, steps: int) -> Tensor:
    """A pipeline's loop: the state z [N, C, H, W] through every timestep of a scheduler that
    takes v predictions.
    """
    scheduler.set_timesteps(steps, device=z.device)
    for t in scheduler.timesteps:
        sigma = float(model.sigmas[int(t)])
        v = (signal(sigma) * z - model.denoiser(z, sigma)) / noise(sigma)
        z = scheduler.step(v, t, z).prev_sample
    return z


def _peer(
    subject: Subject, name: str, steps: int, inverse: Any, forward: Any, settings: dict[str, Any]
) -> Peer:
    model = subject.source
    alpha_bar = 1 / (1 + model.sigmas**2)
    settings = settings | {
        "num_train_timesteps": len(alpha_bar),
        "trained_betas": 1 - alpha_bar / np.append(1.0, alpha_bar[:-1]),
        "prediction_type": "v_prediction",
    }
    there, back = inverse(**settings), forward(**settings)
    there.set_timesteps(steps)
    last = float(model.sigmas[int(there.timesteps[-1])])
    return Peer(
        name=name,
        evaluations=len(there.timesteps),
        encode=lambda images: walk(there, model, images, steps),
        decode=lambda z: walk(back, model, z, steps),
        exact=lambda: subject.latent_at(last),
        bound=0.1,
    )
