"""The manifest of a run: versions, checkpoints, inputs, costs and metrics."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch

from ddib.checkpoints.files import file_sha256
from ddib.checkpoints.model import Model
from ddib.data.file_names import escape_name
from ddib.networks.probe import Probe
from ddib.versions import versions
from workbench.engine.devices.device import device_name
from workbench.engine.planning.plan import Plan
from workbench.engine.protocol.messages import Status
from workbench.engine.results.files import picture_name
from workbench.engine.results.measure import PerImage, summary
from workbench.engine.results.rows import RunResults
from workbench.metrics.metric import METRICS
from workbench.runs.manifest import (
    CheckpointUsed,
    InputUsed,
    IntermediateResult,
    Manifest,
    OperationUsed,
    VariantResult,
)
from workbench.session.needs import needed_parts
from workbench.session.paths import named_checkpoints, named_classifiers

Probes = Mapping[Path, tuple[Path, Probe] | None]
"""The probe, and its file, that judges the pictures of each checkpoint."""


@dataclass(frozen=True)
class Ending:
    """How a run ended and what it took."""

    status: Status
    error: str | None
    device: torch.device
    nfe: dict[str, int]
    seconds: dict[str, float]
    cache: dict[str, Literal["hit", "miss"]]
    chunk: int
    notes: list[str]


def checkpoints_used(
    plan: Plan, models: Mapping[Path, Model], probes: Probes
) -> dict[str, CheckpointUsed]:
    """The checkpoints of a run by their role, those of the classifiers and probes too."""
    used: dict[str, CheckpointUsed] = {}
    for key, name in named_checkpoints(plan.session).items():
        model = models[plan.checkpoints[name].path]
        facts = model.name, model.path, model.sha256, str(model.evaluation)
        used[key.replace(".checkpoint", "")] = _used(*facts)
    for role, name in named_classifiers(plan.session).items():
        path = plan.classifiers[name].path
        used[role] = _used(path.stem, path, file_sha256(path), "float32")
    judges = dict.fromkeys(probe[0] for probe in probes.values() if probe is not None)
    for number, path in enumerate(judges):
        role = f"probe.{number}" if len(judges) > 1 else "probe"
        used[role] = _used(path.stem, path, file_sha256(path), "float32")
    return used


def make_manifest(
    results: RunResults, checkpoints: dict[str, CheckpointUsed], ending: Ending
) -> Manifest:
    """The manifest of a run that ended so, with what it finished."""
    plan = results.plan
    return Manifest(
        session=plan.name,
        title=plan.session.title,
        status=ending.status,
        error=ending.error,
        device=ending.device.type,
        device_name=device_name(ending.device),
        dtype=checkpoints["source"].evaluation.split()[0],
        threads=torch.get_num_threads(),
        chunk_size=ending.chunk,
        versions=versions(),
        checkpoints=checkpoints,
        operations=_own_parts(results),
        inputs=[
            InputUsed(name=name, sha256=hashlib.sha256(pixels.tobytes()).hexdigest())
            for name, pixels in zip(plan.images.names, plan.images.pixels, strict=True)
        ],
        nfe=ending.nfe,
        seconds=ending.seconds,
        cache=ending.cache,
        variants=[_variant_result(results, index) for index in results.reached],
        notes=ending.notes,
    )


def _variant_result(results: RunResults, index: int) -> VariantResult:
    plan, pictures = results.plan, results.pictures(index)
    places = range(len(plan.images.names))
    titles = [end.title for end in plan.ends(plan.variants[index])]
    files = {end: [picture_name(plan, index, end, place) for place in places] for end in pictures}
    return VariantResult(
        values=plan.variants[index].values,
        label=plan.variants[index].label,
        cycle="exact" if index in results.exact else "free",
        metrics=results.figures(index),
        per_image=results.per_image(index),
        images=files.get(plan.links, []),
        intermediates=[
            IntermediateResult(
                end=end,
                title=titles[end],
                metrics=summary(figures),
                per_image=figures,
                images=files[end],
            )
            for end, row in pictures.items()
            if end < plan.links
            for figures in [row.metrics | _moments(results, index, end)]
        ],
    )


def _moments(results: RunResults, index: int, end: int) -> PerImage:
    """The figures of the latents that an end encoded again, where all images have one."""
    latent = results.row("intermediate_latent", index, end)
    return latent.metrics if latent.count == len(results.plan.images.names) else {}


def _used(name: str, path: Path, sha256: str, evaluation: str) -> CheckpointUsed:
    return CheckpointUsed(
        name=escape_name(name), path=escape_name(path), sha256=sha256, evaluation=evaluation
    )


def _own_parts(results: RunResults) -> dict[str, OperationUsed]:
    """What the run used that is not the program's own: of its session, and its metrics."""
    used = needed_parts(results.plan.session)
    measured = {name for row in results.rows.values() for name in row.metrics}
    metrics = {name: one for name, one in METRICS.origins.items() if name in measured}
    return {
        name: OperationUsed(source=origin.name, sha256=origin.sha256)
        for name, origin in (used | metrics).items()
    }
