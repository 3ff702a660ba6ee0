"""This adapter gives the `Unet` of denoising-diffusion-pytorch the interface of our networks.

Importing this raises ImportError where denoising-diffusion-pytorch is not installed.
"""

from typing import cast

from denoising_diffusion_pytorch.denoising_diffusion_pytorch import Unet
from torch import Tensor

from ddib.networks.configurations import LucidrainsConfig


class LucidrainsUNet(Unet):
    """The library's own network under the library's own names of weights; it takes no labels.

    A self-conditioned one is evaluated without an earlier estimate, as in half of its training.
    """

    def __init__(self, config: LucidrainsConfig):
        learned = config.learned_sinusoidal_dim
        super().__init__(  # type: ignore[no-untyped-call]
            **config.model_dump(exclude={"kind", "learned_sinusoidal_dim"}),
            learned_sinusoidal_cond=learned is not None,
            learned_sinusoidal_dim=learned or 16,
        )

    def condition(self, timesteps: Tensor, labels: Tensor | None = None) -> Tensor:
        """What `forward` takes, for a batch of any size: the timesteps, float [1]."""
        return timesteps

    def forward(self, z: Tensor, condition: Tensor) -> Tensor:  # type: ignore[override]
        """Network output [N, C_out, H, W] for z [N, C, H, W]."""
        return cast(Tensor, super().forward(z, condition))  # type: ignore[no-untyped-call]
