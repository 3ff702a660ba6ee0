"""The original's DDIM loops, from a checkout of openai/guided-diffusion or suxuann/ddib."""

import importlib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from ddib.checkpoints.model import Model
from ddib.errors import InputError
from ddib.networks.configurations import UNetConfig
from workbench.benchmark.peer import Peer
from workbench.benchmark.subject import Subject

NOTE = (
    "The original: its own U-Net with our weights (pixels folded before and after it, its output v "
    "handed to its loops as x₀), no clipping. Its latent is the last ε, at ᾱ = 0, and is compared "
    "with the exact ε there, of the image taken, as it does, for the state at the first level."
)
SHORT, FULL = (50,), (50, 1000)  # timesteps each way
_PACKAGE = "guided_diffusion"
_MODULES = ("gaussian_diffusion", "respace", "unet")


def peers(subject: Subject, checkout: Path, full: bool) -> list[Peer]:
    """The loops at each number of timesteps; raises InputError for what is no checkout."""
    modules = load(checkout)
    network = own_network(modules["unet"], subject)
    return [_peer(subject, modules, network, steps) for steps in (FULL if full else SHORT)]


def load(checkout: Path) -> dict[str, Any]:
    """The modules of a checkout that hold the loops and the U-Net.

    The checkout is on the path of imports only meanwhile. Raises InputError when it is not one.
    """
    folder = checkout.expanduser().resolve()
    missing = [name for name in _MODULES if not (folder / _PACKAGE / f"{name}.py").is_file()]
    if missing:
        raise InputError(
            f"{checkout}: no {_PACKAGE}/{missing[0]}.py in it; --original takes a checkout of "
            "openai/guided-diffusion or suxuann/ddib"
        )
    sys.path.insert(0, str(folder))
    try:
        return {name: importlib.import_module(f"{_PACKAGE}.{name}") for name in _MODULES}
    except ImportError as error:
        raise InputError(f"{checkout}: cannot be imported: {error}") from error
    finally:
        sys.path.remove(str(folder))


def own_network(unet: Any, subject: Subject) -> torch.nn.Module:
    """The original's U-Net with the source's weights; it sees pixels that are folded already."""
    facts = subject.source.facts
    config = cast(UNetConfig, facts.architecture)
    patches = config.patch_size**2
    network: torch.nn.Module = unet.UNetModel(
        image_size=facts.image_size // config.patch_size,
        in_channels=config.in_channels * patches,
        model_channels=config.model_channels,
        out_channels=config.out_channels * patches,
        num_res_blocks=config.num_res_blocks,
        attention_resolutions=config.attention_factors,
        channel_mult=config.channel_mult,
        num_heads=config.num_heads,
        use_scale_shift_norm=config.use_scale_shift_norm,
    )
    network.load_state_dict(subject.network.state_dict())
    return network.to(subject.images.device).eval().requires_grad_(False)


def _peer(subject: Subject, modules: dict[str, Any], network: torch.nn.Module, steps: int) -> Peer:
    model, device = subject.source, subject.images.device
    diffusion = _diffusion(modules, model, steps)
    denoise = _denoiser(network, model)

    def encode(images: Tensor) -> Tensor:
        if hasattr(diffusion, "ddim_reverse_sample_loop"):
            z: Tensor = diffusion.ddim_reverse_sample_loop(
                denoise, images, clip_denoised=False, device=device
            )
            return z
        z = images  # openai/guided-diffusion has the step alone
        for index in range(diffusion.num_timesteps):
            t = torch.full((len(z),), index, device=device)
            with torch.no_grad():
                z = diffusion.ddim_reverse_sample(denoise, z, t, clip_denoised=False)["sample"]
        return z

    def decode(z: Tensor) -> Tensor:
        images: Tensor = diffusion.ddim_sample_loop(
            denoise, z.shape, noise=z, clip_denoised=False, device=device
        )
        return images

    return Peer(
        name=f"original, {steps} steps",
        evaluations=steps,
        encode=encode,
        decode=decode,
        exact=lambda: subject.original_latent,
        bound=1.0,
    )


def _diffusion(modules: dict[str, Any], model: Model, steps: int) -> Any:
    """The original's process over `steps` of the model's timesteps, at an even stride."""
    kinds, respace = modules["gaussian_diffusion"], modules["respace"]
    alpha_bar = 1 / (1 + model.sigmas**2)
    return respace.SpacedDiffusion(
        use_timesteps=respace.space_timesteps(len(model.sigmas), f"ddim{steps}"),
        betas=1 - alpha_bar / np.append(1.0, alpha_bar[:-1]),
        model_mean_type=kinds.ModelMeanType.START_X,
        model_var_type=kinds.ModelVarType.FIXED_LARGE,
        loss_type=kinds.LossType.MSE,
    )


def _denoiser(network: torch.nn.Module, model: Model) -> Callable[[Tensor, Tensor], Tensor]:
    """x₀ as the original's loops ask for it: of a state and the timesteps of its images."""
    patch = cast(UNetConfig, model.facts.architecture).patch_size
    channels = model.facts.channels

    def denoise(z: Tensor, timesteps: Tensor) -> Tensor:
        output = F.pixel_shuffle(network(F.pixel_unshuffle(z, patch), timesteps), patch)
        sigma = float(model.sigmas[int(timesteps[0])])
        return model.denoiser.estimate(output[:, :channels], z, sigma)

    return denoise
