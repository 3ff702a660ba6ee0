"""A residual network on points: the denoiser of clouds, in two dimensions or in colours."""

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ddib.architectures import MlpConfig
from ddib.unet import timestep_embedding

Condition = tuple[Tensor, ...]
"""Scale and shift of each block, [N or 1, 1, 1, 2·width]."""


class Mlp(nn.Module):
    """Predicts ε, v or x₀ of each pixel of z [N, C, H, W] from that pixel alone.

    A cloud of points is an image of any height and width; the network does not know which.
    """

    def __init__(self, config: MlpConfig):
        super().__init__()
        self.config = config
        width = config.width
        self.time_embed = nn.Sequential(nn.Linear(width, width), nn.SiLU(), nn.Linear(width, width))
        self.enter = nn.Linear(config.channels, width)
        self.blocks = nn.ModuleList([Block(width) for _ in range(config.blocks)])
        self.leave = nn.Linear(width, config.channels)
        nn.init.zeros_(self.leave.weight)
        nn.init.zeros_(self.leave.bias)

    def condition(self, timesteps: Tensor, labels: Tensor | None = None) -> Condition:
        """What time means to each block, from timesteps, float [N] or [1]; labels mean nothing."""
        embedding = self.time_embed(timestep_embedding(timesteps, self.config.width))
        return tuple(cast(Block, b).time(F.silu(embedding))[:, None, None] for b in self.blocks)

    def forward(self, z: Tensor, condition: Condition) -> Tensor:
        """Its output [N, C, H, W], in z's dtype."""
        h = self.enter(z.movedim(1, -1).to(self.enter.weight.dtype))
        for block, time in zip(self.blocks, condition, strict=True):
            h = block(h, time)
        return cast(Tensor, self.leave(F.silu(h)).movedim(-1, 1).to(z.dtype))


class Block(nn.Module):
    """h + W₂ silu((1 + scale)·norm(W₁ silu(h)) + shift), as the U-Net's but for a single pixel."""

    def __init__(self, width: int):
        super().__init__()
        self.time = nn.Linear(width, 2 * width)
        self.first = nn.Linear(width, width)
        self.second = nn.Linear(width, width)
        nn.init.zeros_(self.second.weight)
        nn.init.zeros_(self.second.bias)

    def forward(self, h: Tensor, time: Tensor) -> Tensor:
        """The block's output [N, H, W, width]."""
        scale, shift = time.chunk(2, dim=-1)
        inner = self.first(F.silu(h)) * (1 + scale) + shift
        return cast(Tensor, h + self.second(F.silu(inner)))
