"""An evaluation says how a network is computed: its precision, memory format and compilation."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field

from ddib.errors import InputError

if TYPE_CHECKING:
    from torch import nn

Precision = Literal["float32", "bf16", "fp16"]


class Evaluation(BaseModel):
    """Precision, memory format and compilation of a network; the ODE's state stays in float32.

    Its text, such as `bf16 channels_last`, names it in manifests and cache keys.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    precision: Precision = Field(
        "float32",
        description="of the network's stages below full resolution, which stays in float32",
    )
    channels_last: bool = Field(False, description="weights and activations as [N, H, W, C]")
    compiled: bool = Field(
        False, description="by torch.compile, about 30 s for each batch size the first time"
    )

    def __str__(self) -> str:
        words: list[str] = [self.precision]
        words += ["channels_last"] * self.channels_last + ["compiled"] * self.compiled
        return " ".join(words)


FLOAT32 = Evaluation.model_validate({})


def prepare_network(
    network: "nn.Module", evaluation: Evaluation, device: str, compiled_folder: Path | None = None
) -> None:
    """Set up a network, already on its device, to be evaluated in this way.

    Its finest level, which is all that a network of points has, stays in float32, and so does its
    condition: near σ_min every rounding there moves the latent (on cmnist-fives an encode in bf16
    throughout is off by 0.10 RMSE, with a float32 first level by 0.0015; the default solver's own
    error is 0.031). Weights are converted rather than autocast, which would convert them at every
    evaluation. Raises InputError for a lower precision of another program's network, whose levels
    are not known here.
    """
    import torch
    from torch import nn

    from ddib.networks.mlp import Mlp
    from ddib.networks.unet import UNet

    if evaluation.precision != "float32":
        if not isinstance(network, UNet | Mlp):
            raise InputError(
                f"the network {type(network).__name__} can be evaluated in float32 only, not "
                f"{evaluation.precision}; choose --precision float32 or auto"
            )
        dtype = {"bf16": torch.bfloat16, "fp16": torch.float16}[evaluation.precision]
        for stage in network.inner_stages():
            stage.dtype = dtype
            for module in stage.modules():
                if isinstance(module, nn.Conv1d | nn.Conv2d | nn.GroupNorm):
                    module.to(dtype)
    if evaluation.channels_last:
        network.to(memory_format=torch.channels_last)
    if evaluation.compiled:
        if compiled_folder is not None:
            os.environ.setdefault("TORCHINDUCTOR_CACHE_DIR", str(compiled_folder))
        if device.startswith("cuda"):
            network.compile(mode="reduce-overhead")  # CUDA graphs
        else:
            network.compile(dynamic=False, options={"freezing": True})
