"""The architectures of networks that a checkpoint may hold: one class each, and what builds it.

A new architecture is a new class here, entered in `Architecture`. Importing this loads no torch.
"""

from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field

if TYPE_CHECKING:
    from ddib.classifier import NoisyClassifier
    from ddib.probe import Probe
    from ddib.unet import UNet


class Frozen(BaseModel):
    """A part of a checkpoint's header."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class UNetConfig(Frozen):
    """Architecture of `ddib.unet.UNet`, in guided-diffusion's own words.

    `attention_factors` are downsampling factors (image size / attention resolution / patch size).
    """

    kind: Literal["unet"] = "unet"
    in_channels: int = Field(3, ge=1)
    out_channels: int = Field(3, ge=1)
    model_channels: int = Field(64, ge=1)
    num_res_blocks: int = Field(1, ge=1)
    channel_mult: tuple[float, ...] = Field((1, 1.5, 1.5), min_length=1)
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

    def network(self) -> "UNet":
        """The network, with random weights."""
        from ddib.unet import UNet

        return UNet(self)


class ProbeConfig(Frozen):
    """Architecture of `ddib.probe.Probe`: widths of its three convolutions."""

    kind: Literal["probe"] = "probe"
    widths: tuple[int, int, int] = (32, 64, 128)
    classes: int = Field(10, ge=2)

    def network(self) -> "Probe":
        """The network, with random weights."""
        from ddib.probe import Probe

        return Probe(self)


class ClassifierConfig(Frozen):
    """Architecture of `ddib.classifier.NoisyClassifier`: channels of its stages, each of which
    halves the size; `patch_size` folds pixels into channels before the first.
    """

    kind: Literal["classifier"] = "classifier"
    in_channels: int = Field(3, ge=1)
    widths: tuple[int, ...] = Field((64, 96, 96), min_length=1)
    classes: int = Field(10, ge=2)
    patch_size: int = Field(2, ge=1)

    def network(self) -> "NoisyClassifier":
        """The network, with random weights."""
        from ddib.classifier import NoisyClassifier

        return NoisyClassifier(self)


Architecture = UNetConfig | ProbeConfig | ClassifierConfig
"""Told apart by their `kind`."""
