"""A classifier of noisy images guides a denoiser by its gradient (Dhariwal & Nichol 2021)."""

from typing import cast

from torch import Tensor, nn
from torch.nn import functional as F

from ddib.networks.configurations import ClassifierConfig
from ddib.networks.unet import timestep_embedding

EMBEDDING = 128  # of the noise level
TIMES = 100.0  # what log σ is multiplied by, so that its embedding's slowest waves tell it apart


class NoisyClassifier(nn.Module):
    """p(y | z, σ): a variance-preserving state z [N, C, H, W] at any level σ, [N] or [1], to
    class logits [N, classes].

    It is told σ and no schedule's timestep, so that one classifier serves every checkpoint of its
    kind of images. Smooth throughout, as its gradient is what it is for.
    """

    def __init__(self, config: ClassifierConfig):
        super().__init__()
        self.patch_size = config.patch_size
        self.embed = nn.Sequential(
            nn.Linear(EMBEDDING, EMBEDDING), nn.SiLU(), nn.Linear(EMBEDDING, EMBEDDING), nn.SiLU()
        )
        widths = [config.in_channels * config.patch_size**2, *config.widths]
        self.stages = nn.ModuleList(map(Stage, widths, widths[1:]))
        self.head = nn.Linear(4 * widths[-1], config.classes)

    def forward(self, z: Tensor, sigma: Tensor) -> Tensor:
        """Class logits, see the class."""
        embedding = self.embed(timestep_embedding(TIMES * sigma.log(), EMBEDDING).to(z.dtype))
        h = F.pixel_unshuffle(z, self.patch_size)
        for stage in self.stages:
            h = stage(h, embedding)
        return cast(Tensor, self.head(F.adaptive_avg_pool2d(h, 2).flatten(1)))


class Stage(nn.Module):
    """Two convolutions, scaled and shifted by the noise level in between, then half the size."""

    def __init__(self, in_channels: int, channels: int):
        super().__init__()
        self.first = nn.Conv2d(in_channels, channels, 3, padding=1)
        self.norm = nn.GroupNorm(8, channels)
        self.level = nn.Linear(EMBEDDING, 2 * channels)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, h: Tensor, embedding: Tensor) -> Tensor:
        """[N, in_channels, H, W] and [N or 1, EMBEDDING] to [N, channels, H/2, W/2]."""
        scale, shift = self.level(embedding)[:, :, None, None].chunk(2, dim=1)
        h = F.silu(self.norm(self.first(h)) * (1 + scale) + shift)
        return F.avg_pool2d(F.silu(self.second(h)), 2)
