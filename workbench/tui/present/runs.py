"""From runs to the line at the bottom and the lines of the queue. Pure functions."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from workbench.support.durations import readable_duration
from workbench.support.files import readable_size
from workbench.tui.actions import key_of
from workbench.tui.models import ProgressView, QueueLineView
from workbench.tui.present import recipe as recipe_views
from workbench.tui.state.runs.run_state import RunState, row_dependencies
from workbench.tui.state.session.ends import ends

if TYPE_CHECKING:
    from workbench.engine.protocol.messages import Finished, Progress
    from workbench.session.schema import Session
    from workbench.tui.state.runs.run_queue import RunQueue

DECODE_ONLY = "decode only, the encoding is known"
ENCODE_AND_DECODE = "encode and decode"


# ---- the line at the bottom


def progress_line(
    queue: RunQueue, session: Session, base: Path | None = None, device: str = ""
) -> ProgressView:
    """How far the run under way is, else how the last one ended or what the next would take."""
    badges = _badges(queue)
    run, waiting = queue.under_way, len(queue.waiting)
    if run is not None:
        return _under_way(run, waiting, device, badges)
    if waiting:
        words = "waiting for the engine" if waiting == 1 else f"{waiting} wait for the engine"
        return ProgressView("queued", text=words, badges=badges)
    last = queue.last
    if last is None or last.finished is None:
        return ProgressView("idle", text=_next(queue, session, base), badges=badges)
    if row_dependencies(last.session, "result") != row_dependencies(session, "result"):
        return ProgressView("idle", text=_next(queue, session, base), badges=badges)
    return ProgressView(last.finished.status, text=_ended(last, last.finished), badges=badges)


def _next(queue: RunQueue, session: Session, base: Path | None) -> str:
    """What pressing r would take."""
    if not queue.runs:
        return f"{key_of('run')} runs the session"
    known = queue.knows_encoding(session, base)
    return f"{key_of('run')}: {DECODE_ONLY if known else ENCODE_AND_DECODE}"


def _badges(queue: RunQueue) -> tuple[str, ...]:
    rate = {4.0: "", 0.0: "previews off"}.get(queue.previews, f"previews {queue.previews:g}/s")
    return tuple(badge for badge in (rate, "auto-run on" if queue.auto else "") if badge)


def _under_way(run: RunState, waiting: int, device: str, badges: tuple[str, ...]) -> ProgressView:
    if run.cancelling:
        more = f" · {waiting} waiting" if waiting else ""
        return ProgressView("queued", text=f"stopping after this step…{more}", badges=badges)
    progress = run.progress
    if progress is None:
        return ProgressView("running", "load", badges=badges)
    return ProgressView(
        "running",
        progress.stage,
        progress.evaluations,
        progress.total,
        _facts(run, progress, waiting, device),
        badges=badges,
    )


def _facts(run: RunState, progress: Progress, waiting: int, device: str) -> tuple[str, ...]:
    """What there is to say of a run under way, the most important first."""
    variants = len(run.started.variants) if run.started else 0
    variant = progress.variant if variants > 1 and progress.stage == "decode" else None
    memory = "" if progress.memory is None else readable_size(progress.memory)
    facts = (
        "" if progress.seconds_left is None else f"{readable_duration(progress.seconds_left)} left",
        f"{waiting} waiting" if waiting else "",
        "" if variant is None else f"variant {variant + 1} of {variants}",
        ends(run.session)[progress.end] if run.session.chain else "",
        f"NFE {progress.evaluations:,} of {progress.total:,}" if progress.total else "",
        f"step {progress.step}/{progress.steps}" if progress.steps else "",
        "" if progress.images_per_second is None else f"{progress.images_per_second:.2g} images/s",
        " ".join(part for part in (device, memory) if part),
    )
    return tuple(fact for fact in facts if fact)


def _ended(run: RunState, finished: Finished) -> str:
    """How a run ended, and what it took."""
    what = "auto-run " if run.auto else ""
    if finished.status == "failed":
        return f"{what}failed: {finished.error or 'for no reason given'}"
    kept = _short(finished.run) if finished.run else ""
    if finished.status == "cancelled":
        return "cancelled" + (f"; what was finished is in {kept}" if kept else "")
    parts = [_spent(finished)]
    if (total := finished.seconds.get("total")) is not None:
        parts.insert(0, f"{what}done in {readable_duration(total)}")
    parts.append(
        f"kept in {kept}" if kept else f"not kept; {key_of('run')} runs and keeps the whole"
    )
    return " · ".join(parts)


def _spent(finished: Finished) -> str:
    spent = sum(finished.nfe.values())
    if not spent:
        return "all from the cache"
    counted = f"{spent:,} evaluations an image"
    if finished.cache.get("encode") == "hit":
        return f"encode from the cache, decoded only · {counted}"
    return counted


def _short(path: str) -> str:
    """A path with the home folder as ~."""
    home = str(Path.home())
    return "~" + path[len(home) :] if path.startswith(f"{home}/") else path


# ---- the queue


def queue_lines(queue: RunQueue) -> tuple[QueueLineView, ...]:
    """Under way, then waiting in their order, then ended from the newest on."""
    waiting = queue.waiting
    begun = [run for run in queue.active if run not in waiting]
    ended = [run for run in reversed(queue.runs) if not run.active]
    return tuple(_line(run, queue) for run in (*begun, *waiting, *ended))


def _line(run: RunState, queue: RunQueue) -> QueueLineView:
    seconds = queue.seconds(run)
    return QueueLineView(
        run.id,
        run.number,
        "auto-run" if run.auto else run.name,
        recipe_line(run.session),
        "ended" if not run.active else "waiting" if run in queue.waiting else "under way",
        _state(run),
        "" if seconds is None else readable_duration(seconds),
        shown=run is queue.shown,
    )


def _state(run: RunState) -> str:
    if run.finished is not None:
        return run.finished.status
    if run.cancelling:
        return "stopping…"
    progress = run.progress
    if progress is None or not progress.total:
        return "begins" if run.started else "waiting"
    return f"{progress.stage} {progress.evaluations / progress.total:.0%}"


def recipe_line(session: Session) -> str:
    """`normalize max · add noise c = 0.1 0.4 · dpmpp_2m · 20`."""
    recipe = recipe_views.recipe(session)
    operations = [op for op in (*recipe.image, *recipe.latent) if op.enabled]
    parts = [f"{op.name} {op.summary}".strip() for op in operations]
    return " · ".join([*parts, recipe.solver])
