"""From the states that the engine tells to what the trajectory's screen shows."""

from __future__ import annotations

import uuid
from math import log
from typing import TYPE_CHECKING

from ddib.data.file_names import escape_name
from workbench.engine.protocol.messages import State, States, Trace
from workbench.tui.present import recipe as recipe_views
from workbench.tui.present.models import SheetRowView, SheetView, TrajectoryView
from workbench.tui.state.run_state import split

if TYPE_CHECKING:
    from workbench.tui.state.workspace import Desk

ENDS = {
    "encode": ("the image", "the latent"),
    "decode": ("the edited latent", "the result"),
}


def request(desk: Desk, image: int, variant: int) -> Trace:
    """What to ask the engine: of the run that is shown, else of the session as it stands."""
    run = desk.run
    session = desk.session if run is None else run.session
    base = run.base if run is not None and run.base is not None else desk.document.base
    return Trace(
        id=uuid.uuid4().hex,
        session=session.model_dump(mode="json"),
        base=escape_name(base),
        variant=variant,
        image=image,
    )


def title(desk: Desk, image: int, variant: int) -> str:
    """What is followed."""
    started = desk.run.started if desk.run is not None else None
    label = started.variants[variant].label if started and variant < len(started.variants) else ""
    names = started.names if started else desk.pictures.names
    name = names[image] if image < len(names) else ""
    session = desk.session if desk.run is None else desk.run.session
    ends = recipe_views.ends(session)
    way = " → ".join(ends[:2]) + (f" (the first of {len(ends) - 1} links)" if ends[2:] else "")
    parts = ("Trajectory", f"image {image + 1}", name, label, way)
    return " · ".join(part for part in parts if part)


def trajectory(told: States) -> TrajectoryView:
    """Rows of z and of estimates, and the facts of each state."""
    columns = len(told.states)
    rows = (
        SheetRowView("z", pixels=split(told.png_state, columns), freshness="fresh"),
        SheetRowView("x̂₀", pixels=split(told.png_denoised, columns), freshness="fresh"),
    )
    heads = tuple(f"{state.direction[:3]} {state.step}" for state in told.states)
    sheet = SheetView(rows=rows, columns=columns, heads=heads)
    return TrajectoryView(sheet, tuple(map(_title, told.states)), tuple(map(facts, told.states)))


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
