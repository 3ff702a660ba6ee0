"""A denoiser is trained, from the first line to the last.

Every batch is a pure function of (seed, step), so a resumed training sees what an undisturbed one
would have seen.
"""

from collections.abc import Generator
from pathlib import Path
from typing import cast

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from ddib.checkpoints.header import CheckpointFacts
from ddib.checkpoints.schedule import Schedule
from ddib.checkpoints.writing import write_checkpoint
from ddib.data.training import TrainingData
from ddib.denoising.denoiser import Denoiser
from ddib.denoising.preconditionings import PRECONDITIONINGS
from ddib.networks.building import build_network
from ddib.networks.configurations import MlpConfig, UNetConfig
from ddib.networks.mlp import Mlp
from ddib.networks.unet import UNet
from ddib.training.configuration import TrainingConfig
from ddib.training.facts import base64_png, corner_of, count_parameters, training_facts
from ddib.training.loop import TrainingProgress, optimise
from ddib.training.noising import signal_and_noise
from ddib.training.sampling import sample_sheet
from ddib.training.state import settings_of, state_file
from ddib.versions import versions


def train_denoiser(
    out: Path,
    *,
    domain: str,
    data: TrainingData,
    architecture: UNetConfig | MlpConfig,
    config: TrainingConfig,
    command: str = "",
) -> Generator[TrainingProgress, None, None]:
    """Train a diffusion model and write `out` (NAME.safetensors) and a sheet of samples.

    Loss: mean squared error of the ε- or v-prediction on a linear schedule of 1000 steps
    (Ho et al. 2020; Salimans & Ho 2022). Resumes from NAME.training.pt beside `out`. Closing
    the generator saves its state. Raises InputError before the first step for a state that cannot
    be resumed and a folder that cannot be used, and RunError when the loss is no longer finite.
    """
    schedule = Schedule()
    log_sigmas = np.log(schedule.sigmas)
    target = PRECONDITIONINGS.named(config.parameterisation).target
    all_times = np.arange(schedule.steps, dtype=np.float64)

    def loss(network: UNet | Mlp, generator: torch.Generator) -> Tensor:
        images, labels = data.batch(config.batch, generator)
        times = torch.randint(schedule.steps, (config.batch,), generator=generator).numpy()
        log_sigma = log_sigmas[times]
        if stride := {"mixed": 2, "log": 1}.get(config.noise_levels):
            count = config.batch // stride
            shares = torch.rand(count, generator=generator, dtype=torch.float64).numpy()
            if config.noise_levels == "log":  # one in each equal part, for less noise in the loss
                shares = (shares + np.arange(count)) / count
            log_sigma[::stride][:count] = np.quantile(log_sigmas[[0, -1]], shares)
        eps = torch.randn(images.shape, generator=generator)
        dropped = torch.rand(config.batch, generator=generator) < config.label_dropout
        labels = labels.masked_fill(dropped, -1)
        network_times = torch.from_numpy(np.interp(log_sigma, log_sigmas, all_times)).float()
        a, b = signal_and_noise(torch.from_numpy(np.exp(log_sigma)).float())
        wanted = target(images, eps, a, b)
        output = network(a * images + b * eps, network.condition(network_times, labels))
        return F.mse_loss(output.float(), wanted)

    torch.manual_seed(config.seed)
    network = cast(UNet | Mlp, build_network(architecture))
    settings = settings_of(config, data, architecture)
    training = yield from optimise(network, loss, config, settings, out)
    denoiser = Denoiser(
        cast(UNet | Mlp, training.average.eval()), schedule.sigmas, config.parameterisation
    )
    conditional = isinstance(architecture, UNetConfig) and architecture.num_classes is not None
    samples = sample_sheet(denoiser, data, data.labels if conditional else ())
    facts = CheckpointFacts(
        kind="denoiser",
        domain=domain,
        labels=data.labels,
        class_conditional=conditional,
        image_size=data.size,
        channels=data.channels,
        architecture=architecture,
        schedule=schedule,
        parameterisation=config.parameterisation,
        parameters=count_parameters(training.network),
        data=data.facts,
        training=training_facts(training, config, command),
        versions=versions(),
        thumbnail=base64_png(corner_of(samples, data)),
        picture=None if data.picture is None else base64_png(data.picture),
    )
    write_checkpoint(out, training.average.state_dict(), facts)
    Image.fromarray(samples.squeeze()).save(out.with_suffix(".samples.png"))
    state_file(out).unlink(missing_ok=True)
