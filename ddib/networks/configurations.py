"""A configuration describes the architecture of a network that a checkpoint may hold.

A new architecture is a new class here, entered in `Architecture`, and a function in
`ddib.networks.building` that makes its network. Importing this loads no torch.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

MAX_WIDTH = 2**16  # channels of a layer
MAX_PLANES = 4096  # channels of an image
MAX_CLASSES = 100_000
MAX_LISTED = 64

Width = Annotated[int, Field(ge=1, le=MAX_WIDTH)]
Planes = Annotated[int, Field(ge=1, le=MAX_PLANES)]
Classes = Annotated[int, Field(ge=1, le=MAX_CLASSES)]
Heads = Annotated[int, Field(ge=1, le=4096)]
Patch = Annotated[int, Field(ge=1, le=64)]


class Frozen(BaseModel):
    """A part of a checkpoint's header."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class UNetConfig(Frozen):
    """Architecture of `ddib.networks.unet.UNet`, in guided-diffusion's own words.

    `attention_factors` are downsampling factors (image size / attention resolution / patch size).
    """

    kind: Literal["unet"] = "unet"
    in_channels: Planes = 3
    out_channels: Planes = 3
    model_channels: Width = 64
    num_res_blocks: int = Field(1, ge=1, le=64)
    channel_mult: tuple[Annotated[float, Field(gt=0, le=64)], ...] = Field(
        (1, 1.5, 1.5), min_length=1, max_length=16
    )
    attention_factors: tuple[Width, ...] = Field((4,), max_length=16)
    num_classes: Classes | None = None
    num_heads: Heads = 4
    num_head_channels: Heads | None = None
    use_scale_shift_norm: bool = True
    resblock_updown: bool = False
    use_new_attention_order: bool = False
    dropout: float = Field(0.0, ge=0, lt=1)
    patch_size: Patch = 1
    groups: Heads = 32


class MlpConfig(Frozen):
    """Architecture of `ddib.networks.mlp.Mlp`, which treats every pixel as a point of its own."""

    kind: Literal["mlp"] = "mlp"
    channels: Planes = Field(2, description="coordinates of a point")
    width: Annotated[Width, Field(ge=2)] = 96
    blocks: int = Field(4, ge=1, le=256)
    frequencies: int = Field(
        4, ge=0, le=16, description="1, 2, 4 … rad a unit, whose sines and cosines it is told"
    )


class ProbeConfig(Frozen):
    """Architecture of `ddib.networks.probe.Probe`: widths of its three convolutions."""

    kind: Literal["probe"] = "probe"
    widths: tuple[Width, Width, Width] = (32, 64, 128)
    classes: Annotated[Classes, Field(ge=2)] = 10


class ClassifierConfig(Frozen):
    """Architecture of `ddib.networks.classifier.NoisyClassifier`: channels of its stages, each of
    which halves the size; `patch_size` folds pixels into channels before the first.
    """

    kind: Literal["classifier"] = "classifier"
    in_channels: Planes = 3
    widths: tuple[Width, ...] = Field((64, 96, 96), min_length=1, max_length=16)
    classes: Annotated[Classes, Field(ge=2)] = 10
    patch_size: Patch = 2


class DiffusersConfig(Frozen):
    """Architecture of diffusers' `UNet2DModel`: the library's own configuration of it."""

    kind: Literal["diffusers"] = "diffusers"
    config: dict[str, Any]

    @field_validator("config")
    @classmethod
    def _is_of_a_network(cls, config: dict[str, Any]) -> dict[str, Any]:
        """Raise ValueError for numbers and lists that no network has."""
        for key, value in config.items():
            items = value if isinstance(value, list | tuple) else [value]
            if len(items) > MAX_LISTED:
                raise ValueError(f"{key[:60]} lists {len(items)} things")
            for item in items:
                if isinstance(item, int) and not -MAX_WIDTH <= item <= MAX_WIDTH:
                    raise ValueError(f"{key[:60]} is beyond what a network has")
                if isinstance(item, list | tuple | dict):
                    raise ValueError(f"{key[:60]} is nested, as nothing in a network's config is")
        return config


class LucidrainsConfig(Frozen):
    """Architecture of denoising-diffusion-pytorch's `Unet`, in its own words.

    `learned_sinusoidal_dim`: None for fixed sinusoidal times. Attention: one value a stage.
    """

    kind: Literal["lucidrains"] = "lucidrains"
    dim: Width
    init_dim: Width
    out_dim: Width
    dim_mults: tuple[Annotated[int, Field(ge=1, le=64)], ...] = Field(min_length=1, max_length=16)
    channels: Planes
    self_condition: bool = False
    learned_sinusoidal_dim: Annotated[Width, Field(ge=2, multiple_of=2)] | None = None
    sinusoidal_pos_emb_theta: float = 10_000
    attn_dim_head: tuple[Width, ...] = Field(max_length=16)
    attn_heads: tuple[Heads, ...] = Field(max_length=16)
    full_attn: tuple[bool, ...] = Field(max_length=16)


Architecture = (
    UNetConfig | MlpConfig | DiffusersConfig | LucidrainsConfig | ProbeConfig | ClassifierConfig
)
"""Told apart by their `kind`."""


def classes_of(architecture: Architecture) -> int | None:
    """How many classes a network tells apart or is told; None where it knows of none."""
    match architecture:
        case UNetConfig():
            return architecture.num_classes
        case ProbeConfig() | ClassifierConfig():
            return architecture.classes
        case DiffusersConfig():
            classes = architecture.config.get("num_class_embeds")
            return classes if isinstance(classes, int) else None
        case MlpConfig() | LucidrainsConfig():
            return None
