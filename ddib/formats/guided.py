"""This format reads weights of guided-diffusion and improved-diffusion."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ddib.checkpoints.header import CheckpointFacts
from ddib.checkpoints.schedule import Schedule
from ddib.formats.format import (
    Domain,
    Example,
    Format,
    Identified,
    Opened,
    Samples,
    Source,
    check_channels,
    register_format,
)
from ddib.formats.guided_unet import FIRST, LAST, TIME, GuidedFlags, read_architecture
from ddib.networks.configurations import UNetConfig

if TYPE_CHECKING:
    from ddib.formats.format import State


def recognises(source: Source) -> bool:
    """Whether tensors are named as those of the U-Net are."""
    return {FIRST, LAST, TIME} <= source.state.keys()


def open_weights(source: Source, flags: GuidedFlags, domain: Domain) -> Opened:
    """The U-Net as the workbench keeps it; raises InputError where it is none."""
    state, config = source.state, read_architecture(source.state, flags)
    check_channels(config.in_channels, config.out_channels)
    facts = CheckpointFacts(
        kind="denoiser",
        domain=domain.name,
        labels=domain.of(config.num_classes),
        class_conditional=config.num_classes is not None,
        image_size=flags.image_size,
        channels=config.in_channels,
        architecture=config,
        schedule=Schedule(
            name=flags.noise_schedule,
            steps=flags.diffusion_steps,
            rescale_timesteps=flags.rescale_timesteps,
        ),
        parameterisation=flags.predicts,
        parameters=sum(tensor.numel() for tensor in state.values()),
    )
    return Opened(state, facts)


def write_example(folder: Path) -> Example:
    """Write the weights of a tiny U-Net; the network is on one level and has no attention."""
    import torch

    from ddib.networks.unet import UNet

    tiny = UNetConfig(model_channels=32, channel_mult=(1,), attention_factors=())
    torch.save(UNet(tiny).state_dict(), folder / "model.pt")
    return Example(folder / "model.pt", "--image_size 8")


def _identify(state: State, samples: Samples, flags: GuidedFlags) -> Identified:
    from ddib.formats.identify import identify  # loads torch

    return identify(state, samples, flags)


FORMAT = register_format(
    Format(
        name="guided-diffusion",
        sign=f"tensors {FIRST}, {TIME} and so on",
        flags=GuidedFlags,
        recognises=recognises,
        open=open_weights,
        example=write_example,
        identify=_identify,
    )
)
