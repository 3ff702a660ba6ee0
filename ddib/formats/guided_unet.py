"""The U-Net of guided-diffusion is read off its tensors, and off the flags of its command line.

What the names and shapes of the tensors say is read off them; the rest is said in the flags of the
original's command line (`script_util.model_and_diffusion_defaults`), whose defaults hold here too.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, ClassVar, Self

from pydantic import Field, model_validator

from ddib.checkpoints.header import MAX_EDGE
from ddib.checkpoints.schedule import MAX_TIMESTEPS
from ddib.denoising.preconditionings import PRECONDITIONINGS
from ddib.errors import InputError
from ddib.formats.format import Flags
from ddib.networks.configurations import Heads, Patch, UNetConfig

if TYPE_CHECKING:
    from ddib.formats.format import State

FIRST, LAST, TIME = "input_blocks.0.0.weight", "out.2.weight", "time_embed.0.weight"


class GuidedFlags(Flags):
    """What the weights do not say, in the original's words and with its defaults.

    Flags that the weights do say may be given too; `None` stands for not given.
    """

    ignored: ClassVar[frozenset[str]] = frozenset({
        "batch_size", "classifier_scale", "clip_denoised", "data_dir", "ema_rate", "log_interval",
        "lr", "lr_anneal_steps", "microbatch", "model_path", "num_heads_upsample", "num_samples",
        "rescale_learned_sigmas", "resume_checkpoint", "save_interval", "schedule_sampler",
        "timestep_respacing", "use_checkpoint", "use_ddim", "use_fp16", "use_kl", "weight_decay",
    })  # fmt: skip

    image_size: int = Field(64, ge=1, le=MAX_EDGE)
    num_heads: Heads = 4
    num_head_channels: int = -1
    use_new_attention_order: bool = False
    diffusion_steps: int = Field(1000, ge=2, le=MAX_TIMESTEPS)
    noise_schedule: str = "linear"
    predict_xstart: bool = False
    predict_v: bool = Field(False, description="not a flag of the original's")
    rescale_timesteps: bool = False
    patch_size: Patch = Field(1, description="not a flag of the original's")
    dropout: float = Field(0.0, ge=0, lt=1)

    num_channels: int | None = None
    num_res_blocks: int | None = None
    channel_mult: str | None = None
    attention_resolutions: str | None = None
    learn_sigma: bool | None = None
    class_cond: bool | None = None
    use_scale_shift_norm: bool | None = None
    resblock_updown: bool | None = None

    @model_validator(mode="after")
    def _predicts_one_thing(self) -> Self:
        if self.predict_xstart and self.predict_v:
            raise ValueError("predict_xstart and predict_v exclude each other")
        return self

    @property
    def predicts(self) -> str:
        """What the network's output is."""
        return "x0" if self.predict_xstart else "v" if self.predict_v else "epsilon"

    def __str__(self) -> str:
        heads = f"{self.num_heads} heads"
        if self.num_head_channels > 0:
            heads = f"{self.num_head_channels} channels a head"
        order = ", new attention order" if self.use_new_attention_order else ""
        predicts = PRECONDITIONINGS[self.predicts].symbol
        return f"{predicts}, {self.noise_schedule}, {heads}{order}, patches of {self.patch_size}"


def read_architecture(state: State, flags: GuidedFlags) -> UNetConfig:
    """The U-Net that tensors belong to; raises InputError where flags say something else."""
    width = state[TIME].shape[1]
    pixels = flags.patch_size**2
    stages = 1 + max(int(name.split(".")[1]) for name in state if name.startswith("input_blocks."))
    outputs = 1 + max(int(n.split(".")[1]) for n in state if n.startswith("output_blocks."))
    upward = {
        name.split(".")[1]
        for name in state
        if re.match(r"output_blocks\.\d+\.[12]\.(conv\.weight|in_layers\.0\.weight)", name)
    }
    levels = len(upward) + 1
    blocks = outputs // levels - 1
    if blocks < 1 or stages != 1 + levels * blocks + levels - 1:
        raise InputError(f"{stages} input and {outputs} output blocks are no U-Net of this kind")
    first = [1 + level * (blocks + 1) for level in range(levels)]
    scale_shift = state["middle_block.0.emb_layers.1.weight"]
    config = UNetConfig(
        in_channels=_divide_into_patches(state[FIRST].shape[1], pixels),
        out_channels=_divide_into_patches(state[LAST].shape[0], pixels),
        model_channels=width,
        num_res_blocks=blocks,
        channel_mult=tuple(
            state[f"input_blocks.{at}.0.out_layers.3.weight"].shape[0] / width for at in first
        ),
        attention_factors=tuple(
            2**level for level, at in enumerate(first) if f"input_blocks.{at}.1.qkv.weight" in state
        ),
        num_classes=state["label_emb.weight"].shape[0] if "label_emb.weight" in state else None,
        num_heads=flags.num_heads,
        num_head_channels=None if flags.num_head_channels < 0 else flags.num_head_channels,
        use_scale_shift_norm=scale_shift.shape[0]
        == 2 * state["middle_block.0.out_layers.3.weight"].shape[0],
        resblock_updown=levels > 1 and f"input_blocks.{first[0] + blocks}.0.op.weight" not in state,
        use_new_attention_order=flags.use_new_attention_order,
        dropout=flags.dropout,
        patch_size=flags.patch_size,
    )
    _check_flags(config, flags)
    return config


def _divide_into_patches(channels: int, pixels: int) -> int:
    if channels % pixels:
        raise InputError(f"{channels} channels are not whole patches of {pixels} pixels")
    return channels // pixels


def _check_flags(config: UNetConfig, flags: GuidedFlags) -> None:
    """Raise InputError where a flag contradicts the weights."""
    factors = None
    if flags.attention_resolutions is not None:
        sizes = [int(part) for part in flags.attention_resolutions.split(",") if part]
        found = {flags.image_size // flags.patch_size // size for size in sizes}
        factors = tuple(f for f in sorted(found) if f < 2 ** len(config.channel_mult))
    mult = tuple(float(part) for part in (flags.channel_mult or "").split(",") if part)
    pairs: dict[str, tuple[object, object]] = {
        "num_channels": (flags.num_channels, config.model_channels),
        "num_res_blocks": (flags.num_res_blocks, config.num_res_blocks),
        "channel_mult": (mult or None, config.channel_mult),
        "attention_resolutions": (factors, config.attention_factors),
        "learn_sigma": (flags.learn_sigma, config.out_channels == 2 * config.in_channels),
        "class_cond": (flags.class_cond, config.num_classes is not None),
        "use_scale_shift_norm": (flags.use_scale_shift_norm, config.use_scale_shift_norm),
        "resblock_updown": (flags.resblock_updown, config.resblock_updown),
    }
    for name, (said, is_so) in pairs.items():
        if said is not None and said != is_so:
            raise InputError(
                f"--{name} is {said} in the flags and {is_so} in the weights; leave out the flag"
            )
