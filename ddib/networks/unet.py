"""This U-Net is that of guided-diffusion (Dhariwal & Nichol 2021) and loads its state dicts.

Parameter names and shapes are those of openai/guided-diffusion's `UNetModel`, so that its weights
load. `patch_size` folds pixels into channels at the input and back at the output, which makes
small images two to three times cheaper on a CPU.
"""

import math
from collections.abc import Iterator
from typing import TypeVar, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ddib.networks.configurations import UNetConfig

Layer = TypeVar("Layer", bound=nn.Module)
Condition = tuple[Tensor, ...]
"""The conditioning on time and label for each residual block, in the order of the blocks."""


class UNet(nn.Module):
    """Predicts ε, v or x₀ from a noisy image: `network(x, network.condition(timesteps, labels))`.

    A condition of one (timesteps [1]) serves a batch of any size, and is cheaper than one of N.
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
            _zero(nn.Conv2d(first, config.out_channels * patches, 3, padding=1)),
        )

    def inner_stages(self) -> Iterator["Stage"]:
        """The stages below the finest level, which may be evaluated in another precision."""
        fine = self.config.num_res_blocks + 1  # stages at each end
        inner = (*self.input_blocks[fine:], self.middle_block, *self.output_blocks[:-fine])
        return iter(cast(tuple[Stage, ...], inner))

    def condition(self, timesteps: Tensor, labels: Tensor | None = None) -> Condition:
        """All that depends only on the timesteps, float [N] or [1], and on the labels, int as many.

        A negative label, or None, is unconditional: nothing is added to the time embedding.
        """
        embedding = self.time_embed(timestep_embedding(timesteps, self.config.model_channels))
        if labels is not None and self.config.num_classes is not None:
            known = (labels >= 0).unsqueeze(1).to(embedding.dtype)
            embedding = embedding + known * self.label_emb(labels.clamp(min=0))
        blocks = (module for module in self.modules() if isinstance(module, ResBlock))
        return tuple(block.condition(embedding) for block in blocks)

    def forward(self, x: Tensor, condition: Condition) -> Tensor:
        """Network output [N, C_out, H, W] for x [N, C, H, W], in x's dtype."""
        conditions = iter(condition)
        h = x.to(next(self.input_blocks.parameters()).dtype)
        if self.config.patch_size > 1:
            h = F.pixel_unshuffle(h, self.config.patch_size)
        skips = []
        for stage in self.input_blocks:
            h = stage(h, conditions)
            skips.append(h)
        h = self.middle_block(h, conditions)
        for stage in self.output_blocks:
            h = stage(torch.cat([h, skips.pop()], dim=1), conditions)
        h = self.out(h)
        if self.config.patch_size > 1:
            h = F.pixel_shuffle(h, self.config.patch_size)
        return h.to(x.dtype)


def timestep_embedding(timesteps: Tensor, dim: int, max_period: float = 10_000.0) -> Tensor:
    """Sinusoidal embeddings [N, dim], cosines first, of timesteps [N] (they may be fractional)."""
    half = dim // 2
    exponents = torch.arange(half, dtype=torch.float32, device=timesteps.device) / half
    angles = timesteps[:, None].float() * torch.exp(-math.log(max_period) * exponents)
    embedding = torch.cat([angles.cos(), angles.sin()], dim=-1)
    return F.pad(embedding, (0, dim % 2))


class Stage(nn.Sequential):
    """Layers in a row; each residual block takes the next of the conditions.

    `dtype`: what x is cast to first, where a stage is evaluated in another precision.
    """

    dtype: torch.dtype | None = None

    def forward(self, x: Tensor, conditions: Iterator[Tensor]) -> Tensor:  # type: ignore[override]
        """x [N, C, H, W] through every layer."""
        x = x if self.dtype is None else x.to(self.dtype)
        for layer in self:
            x = layer(x, next(conditions)) if isinstance(layer, ResBlock) else layer(x)
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
            _zero(nn.Conv2d(out_channels, out_channels, 3, padding=1)),
        )
        self.skip_connection = (
            nn.Identity()
            if channels == out_channels
            else nn.Conv2d(channels, out_channels, kernel_size=1)
        )

    def condition(self, embedding: Tensor) -> Tensor:
        """What is added before the second norm, [N, C_out], or that norm's own weight and bias,
        [N, 2, C_out], from the time embedding [N, E].
        """
        norm, projected = self.out_layers[0], self.emb_layers(embedding)
        if self.scale_shift:
            scale, shift = projected.chunk(2, dim=1)
            affine = norm.weight * (1 + scale), norm.bias * (1 + scale) + shift
            projected = torch.stack(affine, dim=1)
        return cast(Tensor, projected.to(norm.weight.dtype))

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        """x [N, C, H, W] to [N, C_out, H', W']."""
        norm, act, conv = self.in_layers
        h = act(norm(x))
        h, x = self._resampled(h), self._resampled(x)
        h = conv(h)
        norm, *rest = self.out_layers
        if self.scale_shift:
            h = _group_norm(h, cast(nn.GroupNorm, norm), *condition.unbind(1))
        else:
            h = norm(h + condition[:, :, None, None])
        for layer in rest:
            h = layer(h)
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
        self.proj_out = _zero(nn.Conv1d(channels, channels, 1))

    def forward(self, x: Tensor) -> Tensor:
        """x [N, C, H, W] to the same shape."""
        n, c, height, width = x.shape
        tokens = self.norm(x).flatten(2).transpose(1, 2)
        qkv = F.linear(tokens, self.qkv.weight.squeeze(-1), self.qkv.bias)
        if self.new_order:
            q, k, v = qkv.reshape(n, -1, 3, self.heads, c // self.heads).unbind(2)
        else:
            q, k, v = qkv.reshape(n, -1, self.heads, 3, c // self.heads).unbind(3)
        h = F.scaled_dot_product_attention(q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2))
        h = h.transpose(1, 2).reshape(n, -1, c)
        h = F.linear(h, self.proj_out.weight.squeeze(-1), self.proj_out.bias)
        return x + h.transpose(1, 2).reshape(n, c, height, width)


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


def _group_norm(x: Tensor, norm: nn.GroupNorm, weight: Tensor, bias: Tensor) -> Tensor:
    """The norm with another weight and bias, [1, C] for the whole batch or [N, C]."""
    if len(weight) == 1:  # fused
        return F.group_norm(x, norm.num_groups, weight[0], bias[0], norm.eps)
    normed = F.group_norm(x, norm.num_groups, eps=norm.eps)
    weight, bias = (t.to(x.dtype)[:, :, None, None] for t in (weight, bias))
    return torch.addcmul(bias, normed, weight)


def _zero(module: Layer) -> Layer:
    for parameter in module.parameters():
        nn.init.zeros_(parameter)
    return module
