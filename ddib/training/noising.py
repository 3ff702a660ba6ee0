"""Images are noised to a level of each."""

from torch import Tensor


def signal_and_noise(sigma: Tensor) -> tuple[Tensor, Tensor]:
    """√ᾱ and √(1-ᾱ) of levels σ [N], as [N, 1, 1, 1]."""
    sigma = sigma[:, None, None, None]
    return 1 / (1 + sigma**2).sqrt(), sigma / (1 + sigma**2).sqrt()
