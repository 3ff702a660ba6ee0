"""The metrics of a run under the names that the screen, the manifest and `--json` share.

They are computed on the CPU, in float64, which not every device has.
"""

from collections.abc import Mapping, Sequence
from math import isnan

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ddib.data.pixels import to_pixels
from ddib.measures.images import hue_error, probe_labels, psnr
from ddib.measures.latents import latent_moments
from ddib.measures.transport import MOST_POINTS, projections
from ddib.networks.probe import Probe
from workbench.engine.protocol.messages import Metrics

MOST_PSNR = 200.0  # dB; an image that comes back to the last digit has no error to speak of

PerImage = dict[str, list[float | None]]
"""A value for each image, None where an image has no such value."""


def latents(z: Tensor, prefix: str) -> PerImage:
    """`latent_mean`, `latent_std` and `latent_kurtosis` of z [N, C, H, W], per image."""
    return {f"{prefix}_{name}": _listed(values) for name, values in latent_moments(z.cpu()).items()}


def results(
    images: Tensor,
    sources: Tensor,
    *,
    wanted: Sequence[int | None],
    probe: Probe | None,
    cycle: bool,
    points: bool = False,
) -> PerImage:
    """What can be said of results [N, C, H, W], per image.

    `target_accuracy` is 1 where the probe takes the image for the one `wanted`, else 0, and
    `probe_label` what it takes it for; `hue_error` in degrees against the source. With `cycle`,
    `cycle_psnr` in dB, at most 200, `cycle_l2`, the Euclidean norm of all that is off, and
    `cycle_identical`, 1 where every 8-bit pixel came back. What cannot be computed is absent.
    Of points there is only, with `cycle`, the Euclidean distance of each from where it began:
    `cycle_l2_mean` and `cycle_l2_max` over the points of an image.
    """
    if points:
        return _distances(images, sources) if cycle else {}
    measured: PerImage = {}
    classes = [label for label in wanted if label is not None]
    if probe is not None and len(classes) == len(images):
        labels = probe_labels(images, probe)
        measured["probe_label"] = _listed(labels)
        measured["target_accuracy"] = _listed((labels.cpu() == torch.tensor(classes)).double())
    if images.shape[1] == 3:
        measured["hue_error"] = _listed(hue_error(images.cpu(), sources.cpu()))
    if cycle:
        off = (images.cpu().double() - sources.cpu().double()).flatten(1)
        measured["cycle_psnr"] = _listed(psnr(images.cpu(), sources.cpu()).clamp(max=MOST_PSNR))
        measured["cycle_l2"] = _listed(off.norm(dim=1))
        same = (to_pixels(images) == to_pixels(sources)).reshape(len(images), -1).all(1)
        measured["cycle_identical"] = [float(each) for each in same]
    return measured


def transport(images: Tensor, sources: Tensor, picture: Tensor) -> PerImage:
    """`ot_mse` and `sinkhorn_mse`: the mean squared difference of each image's colours
    [N, C, H, W] from where optimal transport takes the source's, to the colours of a picture
    [1, C, H, W]. Nothing for clouds beyond `ddib.measures.transport.MOST_POINTS`.
    """
    wanted = _colours(picture[0])
    measured: PerImage = {}
    if max(len(wanted), sources[0, 0].numel()) > MOST_POINTS:
        return measured
    for image, source in zip(images, sources, strict=True):
        for name, moved in projections(_colours(source), wanted).items():
            error = float(np.square(_colours(image) - moved).mean())
            measured.setdefault(f"{name}_mse", []).append(error)
    return measured


def summary(per_image: Mapping[str, list[float | None]]) -> Metrics:
    """A variant's figures: means, and the quantiles that the hue and the cycle error have."""
    figures: Metrics = {}
    for name, listed in per_image.items():
        values = np.array([value for value in listed if value is not None])
        if name == "hue_error" and len(values) < len(listed):
            figures["hue_error_left_out"] = float(len(listed) - len(values))
        if name == "probe_label" or not len(values):
            continue
        if name == "hue_error":
            figures["hue_error_mean"] = float(values.mean())
            figures["hue_error_median"] = float(np.median(values))
            figures["hue_error_p95"] = float(np.percentile(values, 95))
        elif name == "cycle_l2":
            figures["cycle_l2_mean"] = float(values.mean())
            figures["cycle_l2_max"] = float(values.max())
        else:
            figures[name] = float(values.max() if name == "cycle_l2_max" else values.mean())
        if name == "cycle_psnr":
            figures["cycle_psnr_p5"] = float(np.percentile(values, 5))
    return figures


def _distances(images: Tensor, sources: Tensor) -> PerImage:
    distance = (images.cpu().double() - sources.cpu().double()).norm(dim=1).flatten(1)
    return {
        "cycle_l2_mean": _listed(distance.mean(1)),
        "cycle_l2_max": _listed(distance.amax(1)),
    }


def _colours(image: Tensor) -> NDArray[np.float64]:
    return np.ascontiguousarray(image.double().cpu().flatten(1).T.numpy())


def _listed(values: Tensor) -> list[float | None]:
    return [None if isnan(value) else value for value in values.tolist()]
