"""The inspector's views: what the engine found in the latents, ready to be drawn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from math import erf, sqrt
from typing import TYPE_CHECKING

from ddib.data.file_names import escape_name
from workbench.tui.models import BarsView

if TYPE_CHECKING:
    from workbench.engine.protocol.messages import Inspect, Inspection, LatentStep
    from workbench.tui.models import Pixels
    from workbench.tui.state.workspace import Workspace

FAR = 3  # standard errors: beyond, a value is not white noise's
REACH = 4.0  # of the histogram to either side, as ddib.measures.latents has it
STATISTICS = ("mean", "std", "kurtosis", "autocorrelation")


@dataclass(frozen=True, eq=False)
class Subject:
    """Whose latents are looked at."""

    names: tuple[str, ...]  # of the images that are shown
    images: int
    label: str  # of the variant
    request: Callable[[str, int | None], Inspect]  # by its id and the image, None: all


@dataclass(frozen=True, eq=False)
class StepView:
    """A latent before the first operation, or after one of them."""

    label: str
    values: tuple[tuple[str, bool], ...]  # of STATISTICS: the figure, whether it is far off
    histogram: BarsView
    spectrum: BarsView
    channels: tuple[Pixels, ...]


@dataclass(frozen=True, eq=False)
class InspectionView:
    """All steps, and what white noise would give."""

    images: int
    white: tuple[str, ...]  # of STATISTICS: expected ± what is not far off
    steps: tuple[StepView, ...]


def subject_of(workspace: Workspace, variant: int) -> Subject:
    """A variant of the run that is shown; before any run, of the session."""
    from workbench.engine.protocol.messages import Inspect, Sample
    from workbench.session.variants import variants

    run = workspace.run
    if run is None or run.started is None:
        session, base, sample = workspace.session, workspace.document.base, None
        names = workspace.images.loaded.names
        images, label = len(names), variants(session)[variant].label
    else:
        session, base = run.session, run.base or workspace.document.base
        sample = Sample() if run.auto else None
        names, images = tuple(run.started.names), run.started.images
        label = run.started.variants[variant].label

    if session.chain:
        label += " · the first latent of the chain"

    def request(request_id: str, image: int | None) -> Inspect:
        return Inspect(
            id=request_id,
            session=session.model_dump(mode="json"),
            base=escape_name(base),
            sample=sample,
            variant=variant,
            image=image,
        )

    return Subject(names, images, label, request)


def view_of(answer: Inspection) -> InspectionView:
    """An answer of the engine as something to show."""
    bands = [answer.bands.get(name) for name in STATISTICS]
    white = tuple(f"{band[0]:g} ± {FAR * band[1]:.3f}" if band else "–" for band in bands)
    top = max([1.5, *(1.05 * power for step in answer.steps for power in step.spectrum)])
    steps = tuple(_step(answer, step, top) for step in answer.steps)
    return InspectionView(answer.images, white, steps)


def _step(answer: Inspection, step: LatentStep, top: float) -> StepView:
    from workbench.tui.state.runs.run_state import split

    figures = [getattr(step, name) for name in STATISTICS]
    bands = [answer.bands.get(name) for name in STATISTICS]
    columns = len(step.spectrum)
    return StepView(
        step.label,
        tuple(_figure(value, band) for value, band in zip(figures, bands, strict=True)),
        _histogram(step.histogram, answer.values),
        BarsView(
            tuple(step.spectrum),
            (1.0,) * columns,
            tuple(
                abs(power - 1) > FAR * error
                for power, error in zip(step.spectrum, answer.spectrum_errors, strict=True)
            ),
            top,
            ("1", "cycles per picture", str(columns)),
        ),
        tuple(split(step.png, _channels(step.png))),
    )


def _figure(value: float | None, band: tuple[float, float] | None) -> tuple[str, bool]:
    """A figure, and whether it is far off; points have no neighbours and so no such figures."""
    if value is None or band is None:
        return "–", band is not None
    expected, error = band
    return f"{value:z.3f}", abs(value - expected) > FAR * error


def _histogram(counts: list[int], values: int) -> BarsView:
    """Densities; what is expected is the mean of N(0, 1)'s density over each bin."""
    width = 2 * REACH / len(counts)
    edges = [(i * width - REACH) / sqrt(2) for i in range(len(counts) + 1)]
    normal = [(erf(b) - erf(a)) / 2 / width for a, b in pairwise(edges)]
    densities = [count / values / width for count in counts]
    top = max(0.5, 1.05 * max(densities))
    return BarsView(
        tuple(densities),
        tuple(normal),
        (False,) * len(counts),
        min(top, 1.0),
        (f"-{REACH:g}", "0", f"{REACH:g}"),
    )


def _channels(png: bytes) -> int:
    """Square pictures side by side."""
    from io import BytesIO

    from PIL import Image

    width, height = Image.open(BytesIO(png)).size
    return width // height
