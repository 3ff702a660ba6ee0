"""This format reads weights of denoising-diffusion-pytorch (lucidrains), the EMA's if present.

The architecture is read off the tensors; schedule and objective off the buffers that its
`GaussianDiffusion` saves with them. Images are taken to be in [-1, 1], its `auto_normalize`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from ddib.checkpoints.header import MAX_EDGE, CheckpointFacts
from ddib.checkpoints.schedule import MAX_TIMESTEPS, Schedule
from ddib.errors import InputError
from ddib.formats.format import (
    Domain,
    Example,
    Flags,
    Format,
    Opened,
    Source,
    State,
    check_channels,
    register_format,
)
from ddib.networks.building import build_network
from ddib.networks.configurations import LucidrainsConfig

if TYPE_CHECKING:
    from torch import Tensor

Objective = Literal["pred_noise", "pred_x0", "pred_v"]

_PREFIXES = ("ema_model.model.", "model.", "")  # Trainer's EMA, GaussianDiffusion, Unet
_FIRST, _TIME, _LAST = "init_conv.weight", "time_mlp.1.weight", "final_conv.weight"
_PARAMETERISATIONS = {"pred_noise": "epsilon", "pred_x0": "x0", "pred_v": "v"}


class LucidrainsFlags(Flags):
    """What the weights do not say, in the words of `Unet` and `GaussianDiffusion`.

    Where a `GaussianDiffusion` was saved, its buffers say timesteps, schedule and objective.
    """

    image_size: int | None = Field(None, ge=1, le=MAX_EDGE)
    sinusoidal_pos_emb_theta: float = Field(10_000, gt=0)
    timesteps: int = Field(1000, ge=2, le=MAX_TIMESTEPS)
    beta_schedule: str = "sigmoid"
    objective: Objective = "pred_v"


def recognises(source: Source) -> bool:
    """Whether tensors are named as those of the `Unet` are."""
    names = (_FIRST, _TIME, _LAST)
    return any({f"{p}{name}" for name in names} <= source.state.keys() for p in _PREFIXES)


def architecture(state: State, flags: LucidrainsFlags) -> LucidrainsConfig:
    """The `Unet` that tensors belong to."""
    dim = state[_TIME].shape[0] // 4
    stages = range(1 + max(int(n.split(".")[1]) for n in state if n.startswith("downs.")))
    if any(f"downs.{i}.2.mem_kv" not in state for i in stages):
        raise InputError(
            "its attention has no mem_kv, so a version of denoising-diffusion-pytorch before 1.9 "
            "wrote it, whose network the library no longer makes"
        )
    full = tuple(f"downs.{i}.2.to_out.weight" in state for i in stages)
    memory = [state[f"downs.{i}.2.mem_kv"].shape for i in stages]
    out_dim, entering = state[_LAST].shape[0], state[_FIRST].shape[1]
    self_condition = entering in (2, 6)  # grey or colour beside an earlier estimate of it
    return LucidrainsConfig(
        dim=dim,
        init_dim=state[_FIRST].shape[0],
        out_dim=out_dim,
        dim_mults=tuple(
            state.get(f"downs.{i}.3.1.weight", state.get(f"downs.{i}.3.weight")).shape[0] // dim  # type: ignore[union-attr]
            for i in stages
        ),
        channels=entering // 2 if self_condition else entering,
        self_condition=self_condition,
        learned_sinusoidal_dim=(
            2 * len(state["time_mlp.0.weights"]) if "time_mlp.0.weights" in state else None
        ),
        sinusoidal_pos_emb_theta=flags.sinusoidal_pos_emb_theta,
        attn_dim_head=tuple(s[3] if f else s[2] for s, f in zip(memory, full, strict=True)),
        attn_heads=tuple(shape[1] for shape in memory),
        full_attn=full,
    )


def objective(state: State) -> Objective:
    """Identify what a network predicts by its `loss_weight` where the signal is below the noise.

    There it is 1 for the noise, SNR for the image and SNR/(SNR+1) for v, with and without the
    clipping of Min-SNR. Raises InputError when it is none of them.
    """
    import torch

    alpha_bar, weight = state["alphas_cumprod"].double(), state["loss_weight"].double()
    snr = alpha_bar / (1 - alpha_bar)
    low = snr < 1
    expected: dict[Objective, Tensor] = {
        "pred_noise": torch.ones_like(snr), "pred_x0": snr, "pred_v": snr / (snr + 1),
    }  # fmt: skip
    for name, values in expected.items():
        if torch.allclose(weight[low], values[low], rtol=1e-3, atol=1e-9):
            return name
    raise InputError("its loss_weight is that of no objective: of pred_noise, pred_x0 or pred_v")


def open_weights(source: Source, flags: LucidrainsFlags, domain: Domain) -> Opened:
    """The `Unet` as the workbench keeps it; raises InputError for what cannot be had."""
    prefix = next(prefix for prefix in _PREFIXES if f"{prefix}{_FIRST}" in source.state)
    state = _strip_prefix(source.state, prefix)
    buffers = _strip_prefix(source.state, prefix.removesuffix("model."))
    config = architecture(state, flags)
    check_channels(config.channels, config.out_dim)
    if flags.image_size is None:
        raise InputError("the weights do not contain the image size; give --flags '--image_size N'")
    notes: tuple[str, ...] = ()
    if "betas" in buffers and "loss_weight" in buffers:
        schedule, predicts = Schedule.of_betas(buffers["betas"].tolist()), objective(buffers)
    else:
        schedule = Schedule(name=flags.beta_schedule, steps=flags.timesteps)
        predicts = flags.objective
        notes = (
            f"a bare Unet: assumed are {flags.beta_schedule}, {flags.timesteps} timesteps and "
            f"{flags.objective}; --flags '--beta_schedule … --objective …' changes them",
        )
    facts = CheckpointFacts.model_validate({
        "kind": "denoiser",
        "domain": domain.name,
        "labels": domain.of(None),
        "image_size": flags.image_size,
        "channels": config.channels,
        "architecture": config,
        "schedule": schedule,
        "parameterisation": _PARAMETERISATIONS[predicts],
        "parameters": sum(tensor.numel() for tensor in state.values()),
    })  # fmt: skip
    return Opened(state, facts, notes)


def write_example(folder: Path) -> Example:
    """Write the weights of a tiny `Unet`; raises InputError where its library is missing."""
    import torch

    tiny = LucidrainsConfig(
        dim=8,
        init_dim=8,
        out_dim=3,
        dim_mults=(1, 2),
        channels=3,
        attn_dim_head=(8, 8),
        attn_heads=(1, 1),
        full_attn=(False, True),
    )
    torch.save(build_network(tiny).state_dict(), folder / "model-1.pt")
    return Example(folder / "model-1.pt", "--image_size 8")


def _strip_prefix(state: State, prefix: str) -> State:
    return {
        name.removeprefix(prefix): tensor
        for name, tensor in state.items()
        if name.startswith(prefix)
    }


FORMAT = register_format(
    Format(
        name="denoising-diffusion-pytorch",
        sign=f"tensors {_FIRST}, {_TIME} and so on",
        flags=LucidrainsFlags,
        recognises=recognises,
        open=open_weights,
        example=write_example,
    )
)
