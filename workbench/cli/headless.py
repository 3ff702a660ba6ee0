"""Headless runs: read the sessions, check all, run one after the other, report each."""

import json
import logging
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Table

from ddib.data.file_names import escape_name, unescape_name
from ddib.errors import InputError
from workbench.cli.console import data, print_path
from workbench.engine.planning.plan import Plan, make_plan
from workbench.engine.protocol.messages import Finished, Message
from workbench.engine.protocol.messages import Progress as Progressed
from workbench.library.folders import folders
from workbench.metrics.metric import measured, shown_on
from workbench.runs.comparison import compare_runs
from workbench.runs.files import SESSION
from workbench.runs.leftovers import UNFINISHED
from workbench.runs.manifest import read_manifest
from workbench.runs.sheet_file import read_session_from_sheet
from workbench.runs.writing import safe_name, stamped_name
from workbench.session.overrides import set_value
from workbench.session.reading import load_session, parse_session
from workbench.session.schema import Session
from workbench.session.titles import without_family
from workbench.support.durations import readable_duration
from workbench.support.text import clean

if TYPE_CHECKING:
    from workbench.engine.execution.engine import Engine

log = logging.getLogger(__name__)

LATENT_TOLERANCE = 1e-3  # of `--check`: other devices and versions round differently
PIXEL_TOLERANCE = 2  # levels of 255


@dataclass(frozen=True)
class Script:
    """A session and where it came from."""

    session: Session
    name: str
    base: Path
    file: Path | None  # the YAML to name lines of; None when values were set over it


def read_script(path: Path, settings: Sequence[str] = ()) -> Script:
    """A session file, a run directory or a contact sheet, with `PATH=VALUE` settings applied.

    Raises InputError.
    """
    file: Path | None = path
    if path.is_dir():
        name, file = read_manifest(path).session, path / SESSION
        session = load_session(file)
    elif path.suffix.lower() == ".png":
        session = parse_session(read_session_from_sheet(path), str(path))
        name = path.resolve().parent.name if path.stem == "sheet" else path.stem
        file = None
    else:
        session, name = load_session(path), path.stem
    for setting in settings:
        key, sign, value = setting.partition("=")
        if not sign:
            raise InputError(f"--set {setting}: expected PATH=VALUE, as in solver.steps=10")
        session, file = set_value(session, key.strip(), value), None
    return Script(session, escape_name(name), path.resolve().parent, file)


def make_plans(
    paths: Sequence[Path], settings: Sequence[str], checkpoints: Sequence[Path]
) -> list[Plan]:
    """Plans of all sessions; raises one InputError for all that is wrong with any of them."""
    plans, problems = [], []
    for path in paths:
        try:
            script = read_script(path, settings)
            plans.append(
                make_plan(
                    script.session,
                    script.base,
                    script.name,
                    file=script.file,
                    checkpoints=checkpoints,
                )
            )
        except InputError as error:
            text = str(error)
            problems.append(text if text.startswith(str(path)) else f"{path}: {text}")
    if problems:
        raise InputError("\n".join(problems))
    return plans


def replay(
    engine: "Engine",
    plans: Sequence[Plan],
    *,
    out: Path | None,
    store: Path,
    narrate: Console,
    as_json: bool,
    stopped: Sequence[int],
) -> list[Finished]:
    """Run every plan; a line of JSON each on stdout, or the run directory; progress on stderr."""
    from workbench.engine.execution.order import Order
    from workbench.engine.execution.run import run_plan

    endings = []
    for plan in plans:
        if stopped:
            break
        stamped = stamped_name(plan.name, datetime.now())
        unfinished = out / f".{safe_name(plan.name)}{UNFINISHED}" if out else None
        name = plan.name if out else stamped
        order = Order(store=out or store, run_name=name, unfinished=unfinished)
        with _Watch(plan, narrate) as watch:
            try:
                ending = run_plan(engine, plan, order, watch, lambda: bool(stopped))
            except Exception as error:  # of the user's own files too: it costs this session alone
                log.exception("%s failed", plan.name)
                ending = _failed(error)
        endings.append(ending)
        if as_json:
            print(json.dumps(as_line(plan, ending, str(engine.device)), separators=(",", ":")))
        elif ending.run:
            print_path(unescape_name(ending.run))
        sys.stdout.flush()
        if ending.error:
            narrate.print(f"{plan.name}: {ending.status}: {ending.error}")
        for note in ending.notes:
            narrate.print(f"{plan.name}: {note}", soft_wrap=True)
        if not as_json:
            title = plan.session.title or plan.name
            took = f"{ending.seconds['total']:.1f} s, {sum(ending.nfe.values())} evaluations"
            narrate.print(f"{title}: {took}", soft_wrap=True)
            narrate.print(figures_table(plan, ending))
    if not as_json and (cycles := cycles_table(plans, endings)) is not None:
        narrate.print(cycles)
    return endings


def _failed(error: Exception) -> Finished:
    words = f"{type(error).__name__}: {error}; details are in {folders().log}"
    return Finished(id="", status="failed", error=clean(words), seconds={"total": 0.0})


def as_line(plan: Plan, ending: Finished, device: str) -> dict[str, Any]:
    """What `--json` prints of a run."""
    return {
        "session": plan.name,
        "run": ending.run and unescape_name(ending.run),
        "status": ending.status,
        **({"error": ending.error} if ending.error else {}),
        "device": device,
        "images": len(plan.images.names),
        "variants": [
            {"values": variant.values, "metrics": metrics}
            for variant, metrics in zip(plan.variants, ending.metrics, strict=False)
        ],
        "nfe": ending.nfe,
        "seconds": ending.seconds,
        "cache": ending.cache,
        **({"notes": ending.notes} if ending.notes else {}),
        "sheet": ending.sheet and unescape_name(ending.sheet),
    }


def figures_table(plan: Plan, ending: Finished) -> Table:
    """The metrics of a run for a person's eyes."""
    table = Table(box=None, pad_edge=False)
    columns = [metric for metric in measured(ending.metrics) if metric.heading]
    table.add_column("")
    for metric in columns:
        table.add_column(metric.heading, justify="right")
    for variant, figures in zip(plan.variants, ending.metrics, strict=False):
        cells = [m.text(figures[m.name]) if m.name in figures else "" for m in columns]
        table.add_row(variant.label, *cells)
    return table


def cycles_table(plans: Sequence[Plan], endings: Sequence[Finished]) -> Table | None:
    """The round-trip errors of the variants that return to their source, of all sessions.

    L2 is the Euclidean norm of an image's error over all its values, which go from -1 to 1; of
    points, whose domains have unit variance, it is the distance of each from where it began.
    """
    table = Table(box=None, pad_edge=False, title="cycle consistency", title_justify="left")
    table.add_column("source")
    table.add_column("via")
    errors = sorted(shown_on("cycles"), key=lambda each: each.better == "higher")
    for heading in ("steps", *(error.labels["cycles"] for error in errors)):
        table.add_column(heading, justify="right")
    for plan, ending in zip(plans, endings, strict=False):
        for variant, figures in zip(plan.variants, ending.metrics, strict=False):
            if any(error.name in figures for error in errors):
                source, *between, _ = without_family([end.title for end in plan.ends(variant)])
                cells = [e.text(figures[e.name]) if e.name in figures else "–" for e in errors]
                cells = [str(variant.solver.steps), *cells]
                table.add_row(source, " → ".join(between) or "itself", *cells)
    return table if table.row_count else None


def dry_run(engine: "Engine", plans: Sequence[Plan], as_json: bool) -> None:
    """Print what each session would take: evaluations, those still to make, and seconds."""
    from workbench.engine.inspection.forecast import forecast

    for plan in plans:
        found = forecast(engine, plan)
        facts = {"session": plan.name, "images": len(plan.images.names)}
        if as_json:
            line = facts | {"variants": len(plan.variants)} | asdict(found)
            print(json.dumps(line, separators=(",", ":")))
            continue
        data.print(
            f"{plan.name}: {facts['images']} images, {len(plan.variants)} variants; evaluations "
            f"per image: encode {found.encode} ({found.encode_left} to make), "
            f"decode {found.decode} ({found.decode_left} to make); "
            f"about {readable_duration(found.seconds)}",
            soft_wrap=True,
        )


class _Watch:
    """A bar on stderr, or nothing where stderr is no terminal."""

    def __init__(self, plan: Plan, narrate: Console):
        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TextColumn("{task.fields[facts]}", markup=False),
        )
        self._bar = Progress(
            *columns, console=narrate, transient=True, disable=not narrate.is_terminal
        )
        self._task = self._bar.add_task(plan.name, total=plan.evaluations, facts="")

    def __enter__(self) -> "_Watch":
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def __call__(self, message: Message) -> None:
        if isinstance(message, Progressed):
            left = message.seconds_left
            facts = f"{message.stage}  {message.evaluations} of {message.total} evaluations"
            if message.images_per_second is not None:
                facts += f"  {message.images_per_second:.3g} images/s"
            if left is not None:
                facts += f"  {readable_duration(left)} left"
            self._bar.update(self._task, completed=message.evaluations, facts=facts)


def check_against(endings: Sequence[Finished], earlier: Path) -> tuple[bool, str]:
    """Whether a run is an earlier one within the tolerances, and in words how far it is off."""
    run = endings[0].run
    if run is None:
        return False, "nothing to compare: the run wrote no directory"
    found = compare_runs(Path(unescape_name(run)), earlier)
    if found.same_bytes:
        return True, f"same bytes as {earlier}"
    fine = found.within(LATENT_TOLERANCE, PIXEL_TOLERANCE)
    parts = [
        f"latents differ by at most {found.latents:.3g}",
        f"images by at most {found.pixels} of 255 levels",
    ]
    if found.missing:
        parts.append(f"only in one of them: {', '.join(found.missing[:5])}")
    word = "within" if fine else "above"
    return fine, (
        f"{'; '.join(parts)}: {word} the tolerance ({LATENT_TOLERANCE:g}, {PIXEL_TOLERANCE})"
    )
