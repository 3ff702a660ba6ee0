"""Stored runs as the history shows them: their lines, a preview, rows of pictures to compare."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from ddib.errors import InputError
from workbench.metrics.metric import captions, range_text, shown_on
from workbench.runs.files import SESSION
from workbench.runs.manifest import Manifest, VariantResult, read_manifest
from workbench.runs.notes import readable_notes
from workbench.session.reading import load_session
from workbench.session.schema import Session
from workbench.session.variants import variants as variants_of
from workbench.support.durations import readable_duration
from workbench.tui.models import PictureRow, RunLineView, RunPreview, SheetRowView, SheetView
from workbench.tui.present import recipe as recipe_views
from workbench.tui.present.sheet import picture_rows, sheet
from workbench.tui.state.runs.reopen_run import reopen, stored_pictures
from workbench.tui.state.runs.run_list import StoredRun
from workbench.tui.state.session.ends import ends
from workbench.tui.state.values import summarize

THUMBNAILS = 4  # pictures beside a run's line
PREVIEWED = 12  # pictures of each variant, and variants, in the preview


def stored_picture_rows(path: Path) -> tuple[PictureRow, ...]:
    """A run's pictures row by row, to look at closely; slow and raises as `reopen`."""
    reopened = reopen(path)
    if reopened.run is None:
        return ()
    names = reopened.run.started.names if reopened.run.started else ()
    view = sheet(
        reopened.document.session, reopened.run, None, (), 1, latents=False, taken=0, names=names
    )
    return picture_rows(view, reopened.run)


# ---- a line


def plain_line(run: StoredRun, now: datetime, before: RunLineView | None = None) -> RunLineView:
    """What the quick look knows, and what was known `before`: only notes change."""
    known = before or RunLineView(run.path.name, "", "")
    date = when(run.created, now)
    return replace(known, title=run.name, when=date, pinned=run.notes.pinned)


def line(run: StoredRun, now: datetime) -> RunLineView:
    """A line with recipe, numbers and pictures; slow, for a thread."""
    plain = plain_line(run, now)
    session = _session(run.path)
    recipe = one_line(session) if session else "its session cannot be read"
    try:
        manifest = read_manifest(run.path)
    except InputError as error:
        reason = str(error).removeprefix(f"{run.path}/")
        return replace(plain, status="damaged", recipe=recipe, numbers=reason, read=True)
    return replace(
        plain,
        status=manifest.status,
        recipe=recipe,
        numbers=numbers(manifest),
        size=_size(manifest, session),
        pictures=stored_pictures(run.path, _thumbnails(manifest.variants)),
        read=True,
    )


def one_line(session: Session) -> str:
    """Edits and ends: `blend p 0.1 0.3 · cmnist-fives → cmnist-sevens`."""
    recipe = recipe_views.recipe(session)
    edits = [
        f"{stage}{operation.name} {operation.summary}".strip()
        for stage, operations in (
            ("image: ", recipe.image),
            ("", recipe.latent),
            ("guide: ", recipe.guide),
        )
        for operation in operations
        if operation.enabled
    ]
    return " · ".join([*(edits or ["no edits"]), " → ".join(ends(session))])


def numbers(manifest: Manifest) -> str:
    """The figures of the history, evaluations, seconds."""
    metrics = [variant.metrics for variant in manifest.variants]
    parts = [
        f"{figure.labels['history']} {values}".strip()
        for figure in shown_on("history")
        if (values := range_text(figure, metrics))
    ]
    parts.append(f"{sum(manifest.nfe.values()):,} NFE")
    if "total" in manifest.seconds:
        parts.append(readable_duration(manifest.seconds["total"]))
    return " · ".join(parts)


def when(created: datetime, now: datetime) -> str:
    """A date as near as it is: today 12:03, yesterday 12:03, 24 Nov 12:03, 24 Nov 2025."""
    local, today = created.astimezone(), now.astimezone()
    days = (today.date() - local.date()).days
    if days in (0, 1):
        return f"{('today', 'yesterday')[days]} {local:%H:%M}"
    day = f"{local.day} {local:%b}"
    return f"{day} {local:%H:%M}" if local.year == today.year else f"{day} {local.year}"


# ---- the preview


def preview(run: StoredRun) -> RunPreview:
    """Facts and first rows of a run; slow, for a thread."""
    session = _session(run.path)
    facts = [run.path.name, f"{run.created.astimezone():%-d %B %Y %H:%M}"]
    problems = [problem for problem in (readable_notes(run.path)[1],) if problem]
    if session is not None:
        facts += [one_line(session), _solving(session)]
    rows: list[SheetRowView] = []
    try:
        manifest = read_manifest(run.path)
    except InputError as error:
        problems.append(str(error))
    else:
        facts += [f"{_size(manifest, session)} · {manifest.device_name or manifest.device}"]
        facts += [numbers(manifest), *manifest.notes]
        if manifest.status != "done":
            problems.append(manifest.error or manifest.status)
        rows = [_row(run.path, variant) for variant in manifest.variants[:PREVIEWED]]
    columns = max((len(row.pixels) for row in rows if row.pixels is not None), default=0)
    size = next((row.pixels.shape[1] for row in rows if row.pixels is not None), 32)
    sheet = SheetView("", tuple(rows), columns, size)
    return RunPreview(run.name, run.notes.note, tuple(facts), "\n".join(problems), sheet)


def _row(path: Path, variant: VariantResult) -> SheetRowView:
    notes = captions(variant.metrics, "row", "target")
    pixels = stored_pictures(path, variant.furthest[:PREVIEWED])
    hint = "" if pixels is not None else "pictures missing"
    return SheetRowView(variant.label, tuple(notes), pixels, "fresh", hint)


def _solving(session: Session) -> str:
    """`dpmpp_2m · 20 · start noise 0.03`."""
    noise = session.solver.start_noise
    return recipe_views.solver(session) + (f" · start noise {summarize(noise)}" if noise else "")


# ---- the parts


def _session(path: Path) -> Session | None:
    try:
        return load_session(path / SESSION)
    except InputError:
        return None


def _size(manifest: Manifest, session: Session | None) -> str:
    """`16 images × 4`, or how many of the variants there are in the end."""
    images, done = len(manifest.inputs), len(manifest.variants)
    text = f"{images} image{'' if images == 1 else 's'}"
    wanted = len(variants_of(session)) if session is not None else done
    if wanted != done:
        return f"{text} × {done} of {wanted}"
    return f"{text} × {done}" if done > 1 else text


def _thumbnails(variants: Sequence[VariantResult]) -> list[str]:
    """The first result of each variant, or the first ones of the only variant."""
    if len(variants) == 1:
        return variants[0].furthest[:THUMBNAILS]
    return [variant.furthest[0] for variant in variants[:THUMBNAILS] if variant.furthest]
