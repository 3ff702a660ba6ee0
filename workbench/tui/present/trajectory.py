"""From the states that the engine tells to what the trajectory's screen shows."""

from __future__ import annotations

import uuid
from math import log
from typing import TYPE_CHECKING

from ddib.data.file_names import escape_name
from workbench.engine.protocol.messages import State, States, Trace
from workbench.tui.models import SheetRowView, SheetView, TrajectoryView
from workbench.tui.state.runs.run_state import split
from workbench.tui.state.session.ends import ends

if TYPE_CHECKING:
    from workbench.tui.state.workspace import Workspace

ENDS = {
    "encode": ("the image", "the latent"),
    "decode": ("the edited latent", "the result"),
}


def request(workspace: Workspace, image: int, variant: int) -> Trace:
    """What to ask the engine: of the run that is shown, else of the session as it stands."""
    run = workspace.run
    session = workspace.session if run is None else run.session
    base = run.base if run is not None and run.base is not None else workspace.document.base
    return Trace(
        id=uuid.uuid4().hex,
        session=session.model_dump(mode="json"),
        base=escape_name(base),
        variant=variant,
        image=image,
    )


def title(workspace: Workspace, image: int, variant: int) -> str:
    """What is followed."""
    started = workspace.run.started if workspace.run is not None else None
    label = started.variants[variant].label if started and variant < len(started.variants) else ""
    images = started.names if started else workspace.images.loaded.names
    name = images[image] if image < len(images) else ""
    session = workspace.session if workspace.run is None else workspace.run.session
    names = ends(session)
    link = " → ".join(names[:2])
    link += f" (the first of {len(names) - 1} links)" if names[2:] else ""
    parts = ("Trajectory", f"image {image + 1}", name, label, link)
    return " · ".join(part for part in parts if part)


def trajectory(answer: States) -> TrajectoryView:
    """Rows of z and of estimates, and the facts of each state."""
    columns = len(answer.states)
    rows = (
        SheetRowView("z", pixels=split(answer.png_state, columns), freshness="fresh"),
        SheetRowView("x̂₀", pixels=split(answer.png_denoised, columns), freshness="fresh"),
    )
    heads = tuple(f"{state.direction[:3]} {state.step}" for state in answer.states)
    sheet = SheetView(rows=rows, columns=columns, heads=heads)
    return TrajectoryView(
        sheet, tuple(map(_title, answer.states)), tuple(map(facts, answer.states))
    )


def _title(state: State) -> str:
    """What z is: at the ends of the two ways it has a name."""
    first, last = ENDS[state.direction]
    return f"z, {({state.steps: last} | {0: first}).get(state.step, 'the state')}"


def facts(state: State) -> str:
    """One line on a state."""
    parts = (
        f"{state.direction} · step {state.step} of {state.steps}",
        _level(state.sigma),
        f"NFE {state.evaluations}",
        f"std of z {state.std:.3f}",
    )
    return " · ".join(parts)


def _level(sigma: float | None) -> str:
    """σ and log-SNR, which have no number at the ends of the reference grid."""
    if sigma is None:
        return "σ ∞ · log-SNR −∞"
    if sigma == 0:
        return "σ 0 · log-SNR ∞"
    return f"σ {sigma:.4g} · log-SNR {-2 * log(sigma):.2f}".replace("-", "−").replace(
        "log−", "log-"
    )
