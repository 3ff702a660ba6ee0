"""This adapter gives diffusers' `UNet2DModel` the interface of the denoiser's networks.

Importing this raises ImportError where diffusers is not installed.
"""

from typing import Any, cast

import torch
from diffusers.models.unets.unet_2d import UNet2DModel
from torch import Tensor, nn

MOST_LAYERS = 64  # in a block; a header that claims more is none of a network's


class DiffusersUNet(UNet2DModel):
    """The library's own network under the library's own names of weights.

    The condition is (timesteps, labels). A negative label, or None, is unconditional: nothing is
    added to the time embedding. Raises ValueError for what cannot take such conditions.
    """

    def __init__(self, **config: Any):
        times = config.get("time_embedding_type", "positional")
        if times != "positional":
            raise ValueError(f"time_embedding_type {times!r} takes no fractional timestep")
        if config.get("class_embed_type") is not None:
            raise ValueError(f"class_embed_type {config['class_embed_type']!r} is not of labels")
        if config.get("layers_per_block", 2) > MOST_LAYERS:
            raise ValueError(f"more than {MOST_LAYERS} layers in a block")
        super().__init__(**config)
        if self.class_embedding is not None:
            self.class_embedding = _Labels(*self.class_embedding.weight.shape)

    def condition(
        self, timesteps: Tensor, labels: Tensor | None = None
    ) -> tuple[Tensor, Tensor | None]:
        """What `forward` takes, for a batch of any size: timesteps, float [1], labels, int [1]."""
        if self.class_embedding is None:
            return timesteps, None
        return timesteps, torch.full_like(timesteps, -1).long() if labels is None else labels

    def forward(self, z: Tensor, condition: tuple[Tensor, Tensor | None]) -> Tensor:  # type: ignore[override]
        """Network output [N, C_out, H, W] for z [N, C, H, W]."""
        timesteps, labels = condition
        return cast(Tensor, super().forward(z, timesteps, labels, return_dict=False)[0])


class _Labels(nn.Embedding):
    """Nothing for a negative label."""

    def forward(self, labels: Tensor) -> Tensor:
        known = (labels >= 0).unsqueeze(1)
        return known * super().forward(labels.clamp(min=0))
