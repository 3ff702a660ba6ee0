"""The figures of a run: how they are called in the manifest, and how people are told of them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Literal


@dataclass(frozen=True)
class Metric:
    """A figure of a variant."""

    name: str  # in the manifest
    title: str  # in words
    heading: str = ""  # over a table's column; empty: not in tables
    unit: str = ""
    factor: float = 1.0  # from the manifest's number to one of the unit
    digits: int = 2
    better: Literal["higher", "lower"] | None = None
    gaussian: float | None = None  # of a standard normal latent
    detail: bool = False  # shown when asked for

    def text(self, value: float) -> str:
        """A value with its unit: 97 %, 14°, 1.00."""
        blank = "" if self.unit in ("", "°") else " "
        return f"{self.factor * value:.{self.digits}f}{blank}{self.unit}"

    @property
    def axis(self) -> str:
        """The title with its unit: `target accuracy (%)`."""
        return f"{self.title} ({self.unit})" if self.unit else self.title

    @property
    def aim(self) -> str:
        """Which way is better, in words; empty where none is."""
        if self.gaussian is not None:
            return f"Gaussian: {self.gaussian:g}"
        return f"{self.better} is better" if self.better else ""


METRICS = {
    metric.name: metric
    for metric in (
        Metric("target_accuracy", "target accuracy", "target", "%", 100, 0, "higher"),
        Metric("hue_error_median", "hue error, median", "hue median", "°", 1, 0, "lower"),
        Metric("hue_error_mean", "hue error, mean", "hue mean", "°", 1, 0, "lower"),
        Metric("hue_error_p95", "hue error, 95th percentile", "", "°", 1, 0, "lower", detail=True),
        Metric("hue_error_left_out", "images without a hue", "", "", 1, 0, "lower", detail=True),
        Metric("latent_mean", "latent mean", gaussian=0, detail=True),
        Metric("latent_std", "latent std", "latent std", gaussian=1),
        Metric("latent_kurtosis", "latent kurtosis", "kurtosis", digits=1, gaussian=3),
        Metric("edited_latent_mean", "edited latent mean", gaussian=0, detail=True),
        Metric("edited_latent_std", "edited latent std", "edited std", gaussian=1),
        Metric("edited_latent_kurtosis", "edited latent kurtosis", digits=1, gaussian=3),
        Metric(
            "cycle_identical", "images back pixel for pixel", "identical", "%", 100, 0, "higher"
        ),
        Metric("cycle_psnr", "round trip", "cycle", "dB", 1, 1, "higher"),
        Metric(
            "cycle_psnr_p5", "round trip, 5th percentile", "", "dB", 1, 1, "higher", detail=True
        ),
        Metric("cycle_l2_mean", "round trip, mean distance", "cycle L2", digits=5, better="lower"),
        Metric(
            "cycle_l2_max", "round trip, largest distance", "largest L2", digits=5, better="lower"
        ),
        Metric("ot_mse", "MSE to optimal transport", "OT MSE", digits=4, better="lower"),
        Metric("sinkhorn_mse", "MSE to Sinkhorn", "Sinkhorn MSE", digits=4, better="lower"),
    )
}


def measured(variants: Iterable[Mapping[str, float]]) -> list[Metric]:
    """The metrics that at least one variant has, in the order of the table."""
    there = {name for figures in variants for name, value in figures.items() if isfinite(value)}
    return [metric for name, metric in METRICS.items() if name in there]
