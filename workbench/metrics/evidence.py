"""What a metric is computed from: latents, or results with their sources."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

    from ddib.networks.probe import Probe


@dataclass(frozen=True)
class Latents:
    """Some of a run's latents, z [N, C, H, W], variance-preserving."""

    z: Tensor

    @cached_property
    def moments(self) -> dict[str, Tensor]:
        """`mean`, `std` and `kurtosis` of each latent, float64 [N]."""
        from ddib.measures.latents import latent_moments

        return latent_moments(self.z.cpu())


@dataclass(frozen=True)
class Results:
    """Some of a run's results and what they are measured against.

    images, sources: [N, C, H, W] in [-1, 1]; sources as they were before any edit.
    wanted: the label that each was to become, None where there is none.
    probe: the classifier that judges them, if there is one for the target.
    cycle: whether they should be their sources again.
    points: whether they are clouds of points, [N, 2, 1, points], and no pictures.
    target_picture: [1, 3, H, W]: the picture whose colours are the target domain, if it is one.
    """

    images: Tensor
    sources: Tensor
    wanted: Sequence[int | None]
    probe: Probe | None = None
    cycle: bool = False
    points: bool = False
    target_picture: Tensor | None = None

    @cached_property
    def probe_labels(self) -> Tensor:
        """What the probe takes each image for, int64 [N] on the CPU."""
        from ddib.measures.images import probe_labels

        assert self.probe is not None
        return probe_labels(self.images, self.probe).cpu()

    @property
    def labels_are_known(self) -> bool:
        """Whether there is a probe, and a label for each image."""
        return self.probe is not None and None not in self.wanted

    @cached_property
    def distances(self) -> Tensor:
        """The distance of each point from where it began, float64 [N, points]."""
        off = self.images.cpu().double() - self.sources.cpu().double()
        distances: Tensor = off.norm(dim=1).flatten(1)
        return distances


Evidence = Latents | Results
