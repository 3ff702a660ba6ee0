"""Settings that weights do not contain are identified by trial: the right ones denoise best.

First what changes the error coarsely: patches, schedule and what is predicted. Then heads, which
hardly change it: candidates are compared on the same images and noise, so that what is common to
them cancels, and are left out as soon as they are surely behind.
"""

from collections.abc import Callable, Iterator
from itertools import product

import torch
from torch import Tensor

from ddib.bridge.chunk import batches
from ddib.checkpoints.weights import assemble
from ddib.denoising.denoiser import Denoiser
from ddib.errors import InputError
from ddib.formats.format import Candidate, Identified, Samples, State
from ddib.formats.guided_unet import GuidedFlags, read_architecture
from ddib.networks.unet import UNet
from ddib.operations.tensors import standard_noise
from ddib.schedules.levels import noise, signal
from ddib.schedules.noise_schedules import SCHEDULES, schedule_sigmas

COARSE = (0.05, 0.3, 2.0)  # σ at which schedules and what is predicted differ by much
FINE = (0.02,)  # heads of cmnist-digits: 5 standard errors here, 4 at 0.05, 2 at 0.1 and 0.2
BATCH = 20  # images tried before candidates are left out
BEHIND = 4.0  # standard errors behind the best at which a candidate is left out
PIXELS = 2**16  # evaluated at once
LEAST, WORST = 1e-12, 1e12  # squared errors that are told apart
PATCHES = (1, 2, 4)
HEADS = (1, 2, 4, 8, 16)
HEAD_CHANNELS = (16, 32, 64)


def identify(state: State, samples: Samples, known: GuidedFlags) -> Identified:
    """The settings under which weights denoise images best.

    known: what was given is kept, and number and rescaling of timesteps are taken as they are.
    Raises InputError when no candidate fits the weights.
    """
    given = frozenset(known.model_fields_set)
    known = known.model_copy(update={"image_size": samples.images.shape[-1]})
    order = torch.randperm(len(samples.images), generator=torch.Generator().manual_seed(0))
    samples = Samples(samples.images[order], samples.labels[order])

    def network(flags: GuidedFlags) -> UNet:
        found: UNet = assemble(read_architecture(state, flags), state)
        return found

    coarse = _race(_coarse_candidates(state, samples, known, given), network, samples, COARSE)
    fine = _race(list(splits(state, coarse[0].flags, given)), network, samples, FINE)
    return Identified([*fine, *coarse[1:]])


def _coarse_candidates(
    state: State, samples: Samples, known: GuidedFlags, given: frozenset[str]
) -> list[GuidedFlags]:
    """Return the candidates that differ much, each with the first split into heads that fits."""
    found = []
    for patch in [known.patch_size] if "patch_size" in given else PATCHES:
        flags = known.model_copy(update={"patch_size": patch})
        try:
            fits = read_architecture(state, flags).in_channels == samples.images.shape[1]
        except InputError:
            continue
        split = next(splits(state, flags, given), None)
        if not fits or split is None:
            continue
        names = [known.noise_schedule] if "noise_schedule" in given else list(SCHEDULES)
        told = {"predict_v", "predict_xstart"} & given
        predictions = [known.predicts] if told else ["epsilon", "v", "x0"]
        found += [
            split.model_copy(
                update={
                    "noise_schedule": name,
                    "predict_v": predicts == "v",
                    "predict_xstart": predicts == "x0",
                }
            )
            for name, predicts in product(names, predictions)
        ]
    if not found:
        raise InputError("no U-Net of this kind has these weights and these images' channels")
    return found


def splits(state: State, flags: GuidedFlags, given: frozenset[str]) -> Iterator[GuidedFlags]:
    """List the splits of attention into heads that compute different things."""
    widths = [t.shape[0] // 3 for name, t in state.items() if name.endswith("qkv.weight")]
    splits: list[dict[str, int]] = [{"num_heads": n, "num_head_channels": -1} for n in HEADS]
    splits += [{"num_head_channels": n} for n in HEAD_CHANNELS]
    if {"num_heads", "num_head_channels"} & given:
        splits = [{}]
    order = "use_new_attention_order"
    orders = [flags.use_new_attention_order] if order in given else [False, True]
    seen = set()
    for new_order, split in product(orders, splits):
        tried = flags.model_copy(update={**split, order: new_order})
        channels = tried.num_head_channels
        divisor = channels if channels > 0 else tried.num_heads
        heads = tuple(width // channels if channels > 0 else tried.num_heads for width in widths)
        meaning = heads, new_order and max(heads, default=1) > 1
        if meaning not in seen and not any(width % divisor for width in widths):
            seen.add(meaning)
            yield tried


def _race(
    candidates: list[GuidedFlags],
    network: Callable[[GuidedFlags], UNet],
    samples: Samples,
    levels: tuple[float, ...],
) -> list[Candidate]:
    """The candidates in order, each tried until it is surely behind, or nothing is left to try."""
    errors = [torch.empty(0, dtype=torch.float64) for _ in candidates]
    racing = list(range(len(candidates)))

    def behind(i: int) -> float:
        more = errors[i] - errors[best][: len(errors[i])]
        spread = float(more.std(unbiased=True)) / len(more) ** 0.5
        return float(more.mean()) / spread if spread > 0 else 0.0

    for start in range(0, len(samples.images), BATCH):
        part = Samples(*(each[start : start + BATCH] for each in samples))
        for i in racing:
            fresh = _log_errors(network(candidates[i]), candidates[i], part, levels)
            errors[i] = torch.cat([errors[i], fresh])
        best = min(racing, key=lambda i: float(errors[i].mean()))
        racing = [i for i in racing if i == best or behind(i) < BEHIND]
        if len(racing) == 1:
            break
    found = [
        Candidate(flags, float(errors[i].mean().exp()), behind(i), len(errors[i]))
        for i, flags in enumerate(candidates)
    ]
    return sorted(found, key=lambda c: (c is not found[best], -c.tried, c.behind))


def _log_errors(
    network: UNet, flags: GuidedFlags, samples: Samples, levels: tuple[float, ...]
) -> Tensor:
    """The mean over levels of the log of each image's squared error, float64 [N]."""
    sigmas = schedule_sigmas(flags.noise_schedule, flags.diffusion_steps)
    scale = 1000 / flags.diffusion_steps if flags.rescale_timesteps else 1.0
    denoiser = Denoiser(network, sigmas, flags.predicts, scale)
    size = max(1, PIXELS // samples.images[0, 0].numel())
    shape, count = tuple(samples.images.shape[1:]), len(samples.images)
    drawn = torch.stack([standard_noise(0, i, shape) for i in range(count)])
    found = []
    for at in batches(count, size):
        images, labels, eps = (e[at.start : at.stop] for e in (*samples, drawn))
        at_levels = []
        for sigma in levels:
            z = signal(sigma) * images + noise(sigma) * eps
            times = torch.full((len(z),), denoiser.timestep(sigma))
            with torch.inference_mode():
                output = network(z, network.condition(times, labels))[:, : z.shape[1]]
            error = (denoiser.estimate(output, z, sigma) - images).square().mean((1, 2, 3))
            at_levels.append(error.double().nan_to_num(nan=WORST).clamp(LEAST, WORST).log())
        found.append(torch.stack(at_levels).mean(0))
    return torch.cat(found)
