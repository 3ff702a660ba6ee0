"""The U-Net of improved-/guided-diffusion (Dhariwal & Nichol 2021), state-dict compatible.

Parameter names and shapes are those of openai/guided-diffusion's `UNetModel`, so that its weights
load. `patch_size` folds pixels into channels at the input and back at the output, which makes
small images two to three times cheaper on a CPU.
"""

import math
from typing import TypeVar, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ddib.checkpoints import UNetConfig

Layer = TypeVar("Layer", bound=nn.Module)


class UNet(nn.Module):
    """Predicts ε, v or x₀ from a noisy image.

    `forward(x, timesteps, labels=None)`: x [N, C, H, W], timesteps float [N], labels int [N] (a
    negative one, or None, is unconditional: nothing is added to the embedding). Returns
    [N, C_out, H, W].
    """

    def __init__(self, config: UNetConfig):
        super().__init__()
        self.config = config
        width = config.model_channels
        patches = config.patch_size**2
        embedding = 4 * width
        self.time_embed = nn.Sequential(
            nn.Linear(width, embedding), nn.SiLU(), nn.Linear(embedding, embedding)
        )
        if config.num_classes is not None:
            self.label_emb = nn.Embedding(config.num_classes, embedding)

        channels = first = int(config.channel_mult[0] * width)
        self.input_blocks = nn.ModuleList(
            [Stage(nn.Conv2d(config.in_channels * patches, channels, 3, padding=1))]
        )
        skips, factor = [channels], 1
        for level, mult in enumerate(config.channel_mult):
            for _ in range(config.num_res_blocks):
                layers: list[nn.Module] = [ResBlock(config, channels, int(mult * width))]
                channels = int(mult * width)
                if factor in config.attention_factors:
                    layers.append(Attention(config, channels))
                self.input_blocks.append(Stage(*layers))
                skips.append(channels)
            if level < len(config.channel_mult) - 1:
                down = (
                    ResBlock(config, channels, channels, resample="down")
                    if config.resblock_updown
                    else Downsample(channels)
                )
                self.input_blocks.append(Stage(down))
                skips.append(channels)
                factor *= 2

        self.middle_block = Stage(
            ResBlock(config, channels, channels),
            Attention(config, channels),
            ResBlock(config, channels, channels),
        )

        self.output_blocks = nn.ModuleList()
        for level, mult in reversed(list(enumerate(config.channel_mult))):
            for block in range(config.num_res_blocks + 1):
                layers = [ResBlock(config, channels + skips.pop(), int(mult * width))]
                channels = int(mult * width)
                if factor in config.attention_factors:
                    layers.append(Attention(config, channels))
                if level and block == config.num_res_blocks:
                    layers.append(
                        ResBlock(config, channels, channels, resample="up")
                        if config.resblock_updown
                        else Upsample(channels)
                    )
                    factor //= 2
                self.output_blocks.append(Stage(*layers))

        self.out = nn.Sequential(
            nn.GroupNorm(config.groups, channels),
            nn.SiLU(),
            _zeroed(nn.Conv2d(first, config.out_channels * patches, 3, padding=1)),
        )

    def forward(self, x: Tensor, timesteps: Tensor, labels: Tensor | None = None) -> Tensor:
        """Network output, see the class."""
        embedding = self.time_embed(
            timestep_embedding(timesteps, self.config.model_channels).to(x.dtype)
        )
        if labels is not None and self.config.num_classes is not None:
            known = (labels >= 0).unsqueeze(1).to(x.dtype)
            embedding = embedding + known * self.label_emb(labels.clamp(min=0))
        h = F.pixel_unshuffle(x, self.config.patch_size) if self.config.patch_size > 1 else x
        skips = []
        for stage in self.input_blocks:
            h = stage(h, embedding)
            skips.append(h)
        h = self.middle_block(h, embedding)
        for stage in self.output_blocks:
            h = stage(torch.cat([h, skips.pop()], dim=1), embedding)
        h = self.out(h)
        return F.pixel_shuffle(h, self.config.patch_size) if self.config.patch_size > 1 else h


def timestep_embedding(timesteps: Tensor, dim: int, max_period: float = 10_000.0) -> Tensor:
    """Sinusoidal embeddings [N, dim], cosines first, of timesteps [N] (they may be fractional)."""
    half = dim // 2
    exponents = torch.arange(half, dtype=torch.float32, device=timesteps.device) / half
    angles = timesteps[:, None].float() * torch.exp(-math.log(max_period) * exponents)
    embedding = torch.cat([angles.cos(), angles.sin()], dim=-1)
    return F.pad(embedding, (0, dim % 2))


class Stage(nn.Sequential):
    """Layers in a row; those that take the time embedding are given it."""

    def forward(self, x: Tensor, embedding: Tensor) -> Tensor:  # type: ignore[override]
        """x [N, C, H, W] through every layer."""
        for layer in self:
            x = layer(x, embedding) if isinstance(layer, ResBlock) else layer(x)
        return x


class ResBlock(nn.Module):
    """Residual block with the time embedding added, or as scale and shift of the second norm."""

    def __init__(
        self, config: UNetConfig, channels: int, out_channels: int, resample: str | None = None
    ):
        super().__init__()
        self.scale_shift = config.use_scale_shift_norm
        self.resample = resample
        self.in_layers = nn.Sequential(
            nn.GroupNorm(config.groups, channels),
            nn.SiLU(),
            nn.Conv2d(channels, out_channels, 3, padding=1),
        )
        self.emb_layers = nn.Sequential(
            nn.SiLU(),
            nn.Linear(
                4 * config.model_channels, out_channels * (2 if config.use_scale_shift_norm else 1)
            ),
        )
        self.out_layers = nn.Sequential(
            nn.GroupNorm(config.groups, out_channels),
            nn.SiLU(),
            nn.Dropout(config.dropout),
            _zeroed(nn.Conv2d(out_channels, out_channels, 3, padding=1)),
        )
        self.skip_connection = (
            nn.Identity()
            if channels == out_channels
            else nn.Conv2d(channels, out_channels, kernel_size=1)
        )

    def forward(self, x: Tensor, embedding: Tensor) -> Tensor:
        """x [N, C, H, W] to [N, C_out, H', W']."""
        norm, act, conv = self.in_layers
        h = act(norm(x))
        h, x = self._resampled(h), self._resampled(x)
        h = conv(h)
        shift = self.emb_layers(embedding)[:, :, None, None]
        if self.scale_shift:
            norm, *rest = self.out_layers
            scale, shift = shift.chunk(2, dim=1)
            h = norm(h) * (1 + scale) + shift
            for layer in rest:
                h = layer(h)
        else:
            h = self.out_layers(h + shift)
        return cast(Tensor, self.skip_connection(x) + h)

    def _resampled(self, x: Tensor) -> Tensor:
        if self.resample == "down":
            return F.avg_pool2d(x, 2)
        if self.resample == "up":
            return F.interpolate(x, scale_factor=2, mode="nearest")
        return x


class Attention(nn.Module):
    """Self-attention over all positions, q, k and v in either of guided-diffusion's two orders."""

    def __init__(self, config: UNetConfig, channels: int):
        super().__init__()
        self.heads = (
            config.num_heads
            if config.num_head_channels is None
            else channels // config.num_head_channels
        )
        self.new_order = config.use_new_attention_order
        self.norm = nn.GroupNorm(config.groups, channels)
        self.qkv = nn.Conv1d(channels, 3 * channels, 1)
        self.proj_out = _zeroed(nn.Conv1d(channels, channels, 1))

    def forward(self, x: Tensor) -> Tensor:
        """x [N, C, H, W] to the same shape."""
        n, c, height, width = x.shape
        flat = x.reshape(n, c, height * width)
        qkv = self.qkv(self.norm(flat))
        if self.new_order:
            q, k, v = qkv.reshape(n, 3, self.heads, c // self.heads, -1).unbind(1)
        else:
            q, k, v = qkv.reshape(n, self.heads, 3, c // self.heads, -1).unbind(2)
        h = F.scaled_dot_product_attention(
            q.transpose(-1, -2), k.transpose(-1, -2), v.transpose(-1, -2)
        )
        h = self.proj_out(h.transpose(-1, -2).reshape(n, c, -1))
        return cast(Tensor, (flat + h).reshape(n, c, height, width))


class Downsample(nn.Module):
    """Half the resolution by a strided convolution."""

    def __init__(self, channels: int):
        super().__init__()
        self.op = nn.Conv2d(channels, channels, 3, stride=2, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """[N, C, H, W] to [N, C, H/2, W/2]."""
        return cast(Tensor, self.op(x))


class Upsample(nn.Module):
    """Twice the resolution: nearest neighbour, then a convolution."""

    def __init__(self, channels: int):
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """[N, C, H, W] to [N, C, 2H, 2W]."""
        return cast(Tensor, self.conv(F.interpolate(x, scale_factor=2, mode="nearest")))


def _zeroed(module: Layer) -> Layer:
    for parameter in module.parameters():
        nn.init.zeros_(parameter)
    return module
