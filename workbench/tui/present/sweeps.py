"""A run's sweep as points of curves. Pure functions."""

from __future__ import annotations

from workbench.engine.protocol.messages import Metrics
from workbench.metrics.metric import usual_trade_off
from workbench.runs import curves
from workbench.runs.curves import Swept
from workbench.tui.models import TradeOffView
from workbench.tui.state.runs.run_state import RunState


def sweep(run: RunState | None) -> tuple[Swept, ...]:
    """The variants of a run, those that are whole with their metrics."""
    if run is None or run.started is None:
        return ()
    return tuple(
        Swept(info.values, info.label, _metrics(run, index))
        for index, info in enumerate(run.started.variants)
    )


def _metrics(run: RunState, variant: int) -> Metrics:
    result = run.row("result", variant)
    if result is None or result.partial:
        return {}
    latents = [run.row("latent", variant), run.row("edited_latent", variant)]
    earlier = [row.metrics for row in latents if row is not None and not row.partial]
    return {
        name: value for metrics in (*earlier, result.metrics) for name, value in metrics.items()
    }


def trade_off(run: RunState | None, variant: int | None) -> TradeOffView:
    """The usual trade-off of the variants that have both figures, where there are several."""
    variants = sweep(run)
    if not curves.parameters(variants):
        return TradeOffView()
    points = curves.trade_off(variants, *usual_trade_off(), curves.across(variants)).points
    if len(points) < 2:
        return TradeOffView()
    cursor = next((i for i, point in enumerate(points) if point.variant == variant), -1)
    return TradeOffView(tuple((point.x, point.y) for point in points), cursor)
