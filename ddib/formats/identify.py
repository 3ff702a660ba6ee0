"""Settings that weights do not tell, found by trying: the right ones denoise best."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from math import exp, log

import torch
from torch import Tensor

from ddib.denoiser import Denoiser
from ddib.errors import InputError
from ddib.formats import guided
from ddib.formats.guided import Flags
from ddib.operations import standard_noise
from ddib.schedules import SCHEDULES, schedule_sigmas
from ddib.solvers import noise, signal
from ddib.unet import UNet

LEVELS = (0.02, 0.05, 0.1, 0.2)  # σ at which the error is measured; low ones tell heads apart
HEADS = (1, 2, 4, 8, 16)
HEAD_CHANNELS = (16, 32, 64)


@dataclass(frozen=True)
class Candidate:
    """Settings, and the geometric mean over σ of the squared error of the denoised images."""

    flags: Flags
    error: float

    def __str__(self) -> str:
        flags, heads = self.flags, f"{self.flags.num_heads} heads"
        if flags.num_head_channels > 0:
            heads = f"{flags.num_head_channels} channels a head"
        order = ", new attention order" if flags.use_new_attention_order else ""
        predicts = "x₀" if flags.predict_xstart else "v" if flags.predict_v else "ε"
        return f"{predicts}, {flags.noise_schedule}, {heads}{order}, patches of {flags.patch_size}"


def identify(
    state: Mapping[str, Tensor],
    images: Tensor,
    known: Flags,
    label: int | None = None,
    tried: Callable[[Candidate], None] = lambda _: None,
) -> list[Candidate]:
    """Every candidate for weights, the best first, tried on images [N, C, H, W] in [-1, 1].

    known: image size, number and rescaling of timesteps, which are taken as they are.
    Raises InputError when no candidate fits the weights.
    """
    known = known.model_copy(update={"image_size": images.shape[-1]})
    found: list[Candidate] = []
    for network, flags in _networks(state, images.shape[1], known):
        for name, predicts in product(SCHEDULES, ("epsilon", "v", "x0")):
            changes = {
                "noise_schedule": name,
                "predict_v": predicts == "v",
                "predict_xstart": predicts == "x0",
            }
            sigmas = schedule_sigmas(name, flags.diffusion_steps)
            scale = 1000 / flags.diffusion_steps if flags.rescale_timesteps else 1.0
            denoiser = Denoiser(network, sigmas, predicts, scale)  # type: ignore[arg-type]
            error = denoising_error(denoiser, images, label)
            found.append(Candidate(flags.model_copy(update=changes), error))
            tried(found[-1])
    if not found:
        raise InputError("no U-Net of this kind has these weights and these images' channels")
    return sorted(found, key=lambda candidate: candidate.error)


def denoising_error(denoiser: Denoiser, images: Tensor, label: int | None = None) -> float:
    """The geometric mean over `LEVELS` of the mean squared error of D(z, σ), with fixed noise."""
    drawn = torch.stack([standard_noise(0, i, tuple(images.shape[1:])) for i in range(len(images))])
    errors = []
    for sigma in LEVELS:
        z = signal(sigma) * images + noise(sigma) * drawn.to(images)
        errors.append(float((denoiser(z, sigma, label) - images).square().mean()))
    return exp(sum(log(max(error, 1e-12)) for error in errors) / len(errors))


def _networks(
    state: Mapping[str, Tensor], channels: int, known: Flags
) -> Iterator[tuple[UNet, Flags]]:
    """Each network that the weights could be, with its flags."""
    heads = [{"num_heads": n} for n in HEADS] + [{"num_head_channels": n} for n in HEAD_CHANNELS]
    for patch, split, new_order in product((1, 2, 4), heads, (False, True)):
        flags = known.model_copy(
            update={"patch_size": patch, **split, "use_new_attention_order": new_order}
        )
        try:
            config = guided.architecture(state, flags)
        except InputError:
            continue
        widths = {tensor.shape[1] for name, tensor in state.items() if name.endswith("qkv.weight")}
        divisor = flags.num_heads if flags.num_head_channels < 0 else flags.num_head_channels
        if config.in_channels == channels and all(width % divisor == 0 for width in widths):
            yield guided.network(state, config), flags
