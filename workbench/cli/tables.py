"""What can be used is listed here as tables: checkpoints, members of registries, runs."""

from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from ddib.checkpoints.header import CheckpointFacts
from ddib.data.sources import IMAGE_SOURCES
from ddib.guides.guide import GUIDES
from ddib.operations.operation import OPERATIONS
from ddib.registry import Registry
from ddib.schedules.grids import GRIDS
from ddib.solvers.scheme import SOLVERS
from ddib.solvers.solver import Solver
from ddib.tuning.calibration import ERROR_BOUND, Calibration
from workbench.library.checkpoints import Listed
from workbench.metrics.metric import METRICS, Metric, range_text, shown_on
from workbench.runs.store import StoredRun


def checkpoints_table(listed: Iterable[Listed]) -> Table:
    """A line for each checkpoint, or the reason why it cannot be used."""
    table = _table("name", "domain", "labels", "size", "parameters", "trained")
    _fold(table, "name", "domain")
    for found in listed:
        if found.problem or found.facts is None:
            table.add_row(found.name, found.problem or "", style="red")
            continue
        facts = found.facts
        table.add_row(
            found.name,
            facts.domain,
            shown_labels(facts.labels),
            facts.shape,
            f"{facts.parameters / 1e6:.1f} M",
            trained(facts),
        )
    return table


def shown_labels(labels: tuple[int, ...]) -> str:
    """Labels in a few characters: `7`, `0-9`, `1 4 8`."""
    if len(labels) > 2 and list(labels) == list(range(labels[0], labels[-1] + 1)):
        return f"{labels[0]}-{labels[-1]}"
    return " ".join(map(str, labels))


def trained(facts: CheckpointFacts) -> str:
    """How long a checkpoint was trained, and how well a probe reads."""
    training = facts.training
    parts = []
    if "steps_done" in training:
        parts.append(f"{training['steps_done']:,} steps")
    if "wall_seconds" in training:
        parts.append(f"{training['wall_seconds'] / 60:.0f} min")
    if "held_out_accuracy" in training:
        parts.append(f"{100 * training['held_out_accuracy']:.2f} % held-out accuracy")
    return ", ".join(parts)


def calibration_table(found: Calibration) -> Table:
    """Each way of evaluating a network: ms at each batch size, speed-up at the largest, error."""
    plain = found.measurements[0].milliseconds
    table = _table("evaluation", *(f"ms at {batch}" for batch in plain), "speed", "error", "")
    for one in found.measurements:
        times = [f"{one.milliseconds[n]:.1f}" if n in one.milliseconds else "" for n in plain]
        ratio = found.speedup(one)
        words = one.problem
        if not words and one.error is not None and one.error > ERROR_BOUND:
            words = f"above {ERROR_BOUND:g}"
        if one.evaluation == found.choice:
            words = "chosen by auto"
        table.add_row(
            str(one.evaluation),
            *times,
            f"{ratio:.2f}×" if ratio else "",
            "" if one.error is None else f"{one.error:.4f}",
            words,
        )
    return table


def operations_page() -> Group:
    """Every operation with its parameters, their defaults and ranges."""
    return _models_page(OPERATIONS, hidden=("op", "enabled"))


def guides_page() -> Group:
    """Every guide with its parameters, their defaults and ranges."""
    return _models_page(GUIDES, hidden=("guide", "enabled"))


def sources_page() -> Group:
    """Every image source with the keys of an entry."""
    return _models_page(IMAGE_SOURCES)


def metrics_page() -> Group:
    """Every metric with its figures: name, unit, which direction is better."""
    return _page(
        (_heading(name, metric, METRICS), _figures(metric)) for name, metric in METRICS.items()
    )


def solvers_page() -> Group:
    """Every solver and grid and what it is, then the settings that all of them take."""
    return Group(
        *(_heading(name, scheme.solve, SOLVERS) for name, scheme in SOLVERS.items()),
        "",
        *(_heading(f"grid {name}", grid) for name, grid in GRIDS.items()),
        "",
        Text("settings", style="bold"),
        _parameters(Solver, hidden=("name", "grid")),
    )


def runs_table(stored: Iterable[StoredRun]) -> Table:
    """A line for each kept run, newest first as they come; a star is a pin."""
    figures = shown_on("runs")
    names = [figure.labels["runs"] for figure in figures]
    table = _table("run", "status", "images", "variants", *names, "seconds", "notes")
    _fold(table, "run", "status", "notes")
    for run in stored:
        if run.manifest is None:
            table.add_row(run.name, run.problem or "", style="red")
            continue
        manifest = run.manifest
        table.add_row(
            run.name,
            manifest.status,
            str(len(manifest.inputs)),
            str(len(manifest.variants)),
            *(range_text(figure, (v.metrics for v in manifest.variants)) for figure in figures),
            f"{manifest.seconds.get('total', 0):.1f}",
            ("* " if run.notes.pinned else "") + run.notes.name,
        )
    return table


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False)
    for column in columns:
        table.add_column(column)
    return table


def _fold(table: Table, *names: str) -> None:
    """Break these columns where a terminal is narrow, anywhere in a word, and no others."""
    for column in table.columns:
        column.no_wrap, column.overflow = column.header not in names, "fold"


def _models_page(registry: Registry[Any], hidden: tuple[str, ...] = ()) -> Group:
    """Every member of a registry of pydantic models with its fields, save the hidden ones."""
    return _page(
        (_heading(name, model, registry), _parameters(model, hidden))
        for name, model in registry.items()
    )


def _page(parts: Iterable[tuple[RenderableType, RenderableType]]) -> Group:
    """Headings with what belongs to each, a blank line between."""
    lines = [line for heading, body in parts for line in (heading, body, "")]
    return Group(*lines[:-1])


def _heading(name: str, documented: object, registry: Registry[Any] | None = None) -> Text:
    """A name and the first paragraph of its docstring, and the file of a user's own member."""
    first = (documented.__doc__ or "").strip().split("\n\n")[0]
    heading = Text.assemble((name, "bold"), "  ", " ".join(first.split()))
    if registry is not None and name in registry.origins:
        heading.append(f"  ({registry.origins[name].name})", "dim")
    return heading


def _figures(metric: Metric) -> Table:
    table = Table(box=None, show_header=False, padding=(0, 1, 0, 3))
    for figure in metric.figures:
        table.add_row(figure.name, figure.unit, figure.aim, figure.title)
    return table


def _parameters(model: type[BaseModel], hidden: tuple[str, ...]) -> Table:
    table = Table(box=None, show_header=False, padding=(0, 1, 0, 3))
    properties: dict[str, dict[str, Any]] = model.model_json_schema()["properties"]
    for name, schema in properties.items():
        if name in hidden:
            continue
        table.add_row(
            name,
            str(schema.get("default", "")),
            _limits(schema),
            schema.get("description", ""),
        )
    return table


def _limits(schema: dict[str, Any]) -> str:
    """What a parameter may be: its choices, or its least and largest value."""
    if "anyOf" in schema:
        return " | ".join(filter(None, map(_limits, schema["anyOf"])))
    choices = schema.get("enum", [schema["const"]] if "const" in schema else [])
    if choices:
        return " | ".join(map(str, choices))
    low = schema.get("minimum", schema.get("exclusiveMinimum"))
    high = schema.get("maximum", schema.get("exclusiveMaximum"))
    if low is None:
        return ""
    return f"≥ {low:g}" if high is None or high >= 2**31 else f"{low:g} … {high:g}"
