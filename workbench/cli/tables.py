"""What can be used, as tables: checkpoints, operations, solvers, runs."""

from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from ddib.checkpoints.header import CheckpointFacts
from ddib.operations.operation import OPERATIONS
from ddib.schedules.grids import GRIDS
from ddib.solvers.scheme import SOLVERS
from ddib.solvers.solver import Solver
from ddib.tuning.calibration import ERROR_BOUND, Calibration
from workbench.library.library import Listed
from workbench.metrics.metric import range_text, shown_on
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
    parts: list[RenderableType] = []
    for name, operation in OPERATIONS.items():
        heading = _heading(name, operation)
        if name in OPERATIONS.origins:
            heading.append(f"  ({OPERATIONS.origins[name].name})", "dim")
        parts += [heading, _parameters(operation, hidden=("op", "enabled")), ""]
    return Group(*parts[:-1])


def solvers_page() -> Group:
    """Every solver and grid and what it is, then the settings that all of them take."""
    return Group(
        *(_heading(name, scheme.solve) for name, scheme in SOLVERS.items()),
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


def _heading(name: str, documented: object) -> Text:
    first = (documented.__doc__ or "").strip().split("\n\n")[0]
    return Text.assemble((name, "bold"), "  ", " ".join(first.split()))


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
