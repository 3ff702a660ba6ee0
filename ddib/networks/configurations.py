"""The architectures of networks that a checkpoint may hold: one class each.

A new architecture is a new class here, entered in `Architecture`, and a function in
`ddib.networks.building` that makes its network. Importing this loads no torch.
"""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class Frozen(BaseModel):
    """A part of a checkpoint's header."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class UNetConfig(Frozen):
    """Architecture of `ddib.networks.unet.UNet`, in guided-diffusion's own words.

    `attention_factors` are downsampling factors (image size / attention resolution / patch size).
    """

    kind: Literal["unet"] = "unet"
    in_channels: int = Field(3, ge=1)
    out_channels: int = Field(3, ge=1)
    model_channels: int = Field(64, ge=1)
    num_res_blocks: int = Field(1, ge=1, le=64)
    channel_mult: tuple[float, ...] = Field((1, 1.5, 1.5), min_length=1, max_length=16)
    attention_factors: tuple[int, ...] = (4,)
    num_classes: int | None = None
    num_heads: int = Field(4, ge=1)
    num_head_channels: int | None = None
    use_scale_shift_norm: bool = True
    resblock_updown: bool = False
    use_new_attention_order: bool = False
    dropout: float = Field(0.0, ge=0, lt=1)
    patch_size: int = Field(1, ge=1)
    groups: int = Field(32, ge=1)


class MlpConfig(Frozen):
    """Architecture of `ddib.networks.mlp.Mlp`, which treats every pixel as a point of its own."""

    kind: Literal["mlp"] = "mlp"
    channels: int = Field(2, ge=1, description="coordinates of a point")
    width: int = Field(96, ge=2)
    blocks: int = Field(4, ge=1)
    frequencies: int = Field(
        4, ge=0, le=16, description="1, 2, 4 … rad a unit, whose sines and cosines it is told"
    )


class ProbeConfig(Frozen):
    """Architecture of `ddib.networks.probe.Probe`: widths of its three convolutions."""

    kind: Literal["probe"] = "probe"
    widths: tuple[int, int, int] = (32, 64, 128)
    classes: int = Field(10, ge=2)


class ClassifierConfig(Frozen):
    """Architecture of `ddib.networks.classifier.NoisyClassifier`: channels of its stages, each of
    which halves the size; `patch_size` folds pixels into channels before the first.
    """

    kind: Literal["classifier"] = "classifier"
    in_channels: int = Field(3, ge=1)
    widths: tuple[int, ...] = Field((64, 96, 96), min_length=1)
    classes: int = Field(10, ge=2)
    patch_size: int = Field(2, ge=1)


class DiffusersConfig(Frozen):
    """Architecture of diffusers' `UNet2DModel`: the library's own configuration of it."""

    kind: Literal["diffusers"] = "diffusers"
    config: dict[str, Any]


class LucidrainsConfig(Frozen):
    """Architecture of denoising-diffusion-pytorch's `Unet`, in its own words.

    `learned_sinusoidal_dim`: None for fixed sinusoidal times. Attention: one value a stage.
    """

    kind: Literal["lucidrains"] = "lucidrains"
    dim: int = Field(ge=1)
    init_dim: int = Field(ge=1)
    out_dim: int = Field(ge=1)
    dim_mults: tuple[int, ...] = Field(min_length=1, max_length=16)
    channels: int = Field(ge=1)
    self_condition: bool = False
    learned_sinusoidal_dim: int | None = None
    sinusoidal_pos_emb_theta: float = 10_000
    attn_dim_head: tuple[int, ...]
    attn_heads: tuple[int, ...]
    full_attn: tuple[bool, ...]


Architecture = (
    UNetConfig | MlpConfig | DiffusersConfig | LucidrainsConfig | ProbeConfig | ClassifierConfig
)
"""Told apart by their `kind`."""
