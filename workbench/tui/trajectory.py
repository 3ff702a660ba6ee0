"""From the states that the engine tells to what the trajectory's screen shows."""

from __future__ import annotations

import uuid
from math import log
from typing import TYPE_CHECKING

from workbench.engine.messages import State, States, Trace
from workbench.tui.results import split
from workbench.tui.views import SheetRowView, SheetView, TrajectoryView

if TYPE_CHECKING:
    from workbench.tui.desk import Desk

ENDS = {
    "encode": ("the image", "the latent"),
    "decode": ("the latent as the recipe leaves it", "the result"),
}


def request(desk: Desk, image: int, variant: int) -> Trace:
    """What to ask the engine: of the run that is shown, else of the session as it stands."""
    run = desk.run
    session = desk.session if run is None else run.session
    base = run.base if run is not None and run.base is not None else desk.document.base
    return Trace(
        id=uuid.uuid4().hex,
        session=session.model_dump(mode="json"),
        base=str(base),
        variant=variant,
        image=image,
    )


def title(desk: Desk, image: int, variant: int) -> str:
    """What is followed."""
    started = desk.run.started if desk.run is not None else None
    label = started.variants[variant].label if started and variant < len(started.variants) else ""
    name = started.names[image] if started and image < len(started.names) else ""
    parts = ("Trajectory", f"image {image + 1}", name, label)
    return " · ".join(part for part in parts if part)


def trajectory(told: States) -> TrajectoryView:
    """Rows of z and of estimates, and the facts of each state."""
    columns = len(told.states)
    rows = (
        SheetRowView("z", pixels=split(told.png_state, columns), freshness="fresh"),
        SheetRowView("x̂₀", pixels=split(told.png_denoised, columns), freshness="fresh"),
    )
    names = tuple(state.direction[:3] for state in told.states)
    sheet = SheetView(rows=rows, columns=columns, names=names)
    return TrajectoryView(sheet, tuple(map(facts, told.states)))


def facts(state: State) -> str:
    """One line on a state."""
    level = "σ ∞ · log-SNR −∞"
    if state.sigma is not None:
        snr = f"{-2 * log(state.sigma):.2f}".replace("-", "−")
        level = f"σ {state.sigma:.4g} · log-SNR {snr}"
    first, last = ENDS[state.direction]
    place = {0: first, state.steps: last}.get(state.step, "")
    parts = (
        f"{state.direction} · step {state.step} of {state.steps}",
        level,
        f"NFE {state.evaluations}",
        f"std of z {state.std:.3f}",
        place,
    )
    return " · ".join(part for part in parts if part)
