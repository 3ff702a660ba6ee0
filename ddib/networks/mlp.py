"""A residual network on points denoises clouds: of two dimensions, or of colours."""

from collections.abc import Iterator
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ddib.networks.configurations import MlpConfig
from ddib.networks.unet import Stage, timestep_embedding

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
        self.enter = nn.Linear(config.channels * (1 + 2 * config.frequencies), width)
        self.blocks = nn.ModuleList([Block(width) for _ in range(config.blocks)])
        self.leave = nn.Linear(width, config.channels)
        nn.init.zeros_(self.leave.weight)
        nn.init.zeros_(self.leave.bias)

    def inner_stages(self) -> Iterator[Stage]:
        """Empty: a network of points has its full-resolution stage only."""
        return iter(())

    def condition(self, timesteps: Tensor, labels: Tensor | None = None) -> Condition:
        """What time means to each block, from timesteps, float [N] or [1]; labels mean nothing."""
        embedding = self.time_embed(timestep_embedding(timesteps, self.config.width))
        return tuple(cast(Block, b).time(F.silu(embedding))[:, None, None] for b in self.blocks)

    def forward(self, z: Tensor, condition: Condition) -> Tensor:
        """Its output [N, C, H, W], in z's dtype."""
        h = self.enter(self._features(z.movedim(1, -1).to(self.enter.weight.dtype)))
        for block, time in zip(self.blocks, condition, strict=True):
            h = block(h, time)
        return cast(Tensor, self.leave(F.silu(h)).movedim(-1, 1).to(z.dtype))

    def _features(self, points: Tensor) -> Tensor:
        """Coordinates [..., C] with their sines and cosines, without which narrow gaps are learned
        slowly (Tancik et al. 2020)."""
        angles = [points * 2.0**power for power in range(self.config.frequencies)]
        waves = [wave for angle in angles for wave in (angle.sin(), angle.cos())]
        return torch.cat([points, *waves], dim=-1)


class Block(nn.Module):
    """h + W₂ silu((1 + scale)·W₁ silu(h) + shift): the U-Net's, of one pixel and without norms."""

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
