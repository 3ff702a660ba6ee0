"""The contact sheet's rows and what is known of their pictures. Pure functions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ddib.data.digits import digits_word
from workbench.library.checkpoints import Listed
from workbench.metrics.metric import captions
from workbench.session.schema import Session
from workbench.session.variants import variants as all_variants
from workbench.tui.actions import key_of
from workbench.tui.models import SHOWN, PictureRow, SheetRowView, SheetView
from workbench.tui.present.flow import image_captions
from workbench.tui.state.runs.run_state import RunState
from workbench.tui.state.session.ends import end_names, ends
from workbench.tui.state.session.library import wanted_label

if TYPE_CHECKING:
    from workbench.tui.models import Pixels


def sheet(
    session: Session,
    run: RunState | None,
    sources: Pixels | None,
    listed: Sequence[Listed],
    size: int,
    latents: bool,
    taken: int,
    kept: bool = False,
    names: Sequence[str] = (),
) -> SheetView:
    """The rows: source, then for each variant a result, and what a chain passes before it (and the
    latents when asked for).

    `kept`: whether there are runs in the history.
    """
    if run is None or (run.started is None and not run.active):
        return SheetView("Results", (), 0, size, _teach(session, taken, listed, kept))
    count = 0 if sources is None else min(len(sources), SHOWN)
    rows = []
    source = run.row("source")
    pixels = source.pixels if source is not None else None
    if run.freshness("source", None, session) != "stale" and sources is not None:
        pixels = sources[: run.started.images if run.started else None][:SHOWN]
    if pixels is not None:
        count = len(pixels)
        rows.append(SheetRowView("source", (), pixels, "fresh", kind="source"))
    if latents and run.row("latent") is not None:
        rows.append(_row("latent", "latent", None, session, run, listed))
    labels = (
        [one.label for one in run.started.variants]
        if run.started
        else [one.label for one in all_variants(run.session)]
    )
    for index, label in enumerate(labels):
        if latents and run.row("edited_latent", index) is not None:
            rows.append(_row("edited_latent", "edited", index, session, run, listed))
        *way, last = end_names(run.session, run.values(index))[1:]
        for end, name in enumerate(way, start=1):
            rows.append(_row("intermediate", f"› {name}", index, session, run, listed, end))
            if latents and run.row("intermediate_latent", index, end) is not None:
                kind = "intermediate_latent"
                rows.append(_row(kind, "its latent", index, session, run, listed, end))
        result = f"› {last}" if way and label == "result" else label
        rows.append(_row("result", result, index, session, run, listed))
    title = _sheet_title(session, run, len(labels), count)
    return SheetView(title, tuple(rows), count, size, names=tuple(names))


def picture_rows(view: SheetView, run: RunState | None) -> tuple[PictureRow, ...]:
    """What the sheet shows, with what is known of each picture."""
    return tuple(
        PictureRow(row.label, row.pixels, _picture_facts(row, run), view.names)
        for row in view.rows
        if row.pixels is not None
    )


def _picture_facts(row: SheetRowView, run: RunState | None) -> tuple[str, ...]:
    if row.freshness == "computing" and row.pixels is not None:
        return ("emerging",) * len(row.pixels)
    kind: Any = row.kind
    shown = run is not None and kind != "source"
    pictures = run.row(kind, row.variant, row.end) if run is not None and shown else None
    if pictures is None:
        return ()
    stale = " · stale" if row.freshness == "stale" else ""
    images = range(len(pictures.pixels))
    return tuple(
        (next(iter(image_captions(kind, pictures, image)), "") + stale).removeprefix(" · ")
        for image in images
    )


def _sheet_title(session: Session, run: RunState, variants: int, images: int) -> str:
    asked = len(all_variants(run.session)) if run.auto else variants
    counted = [f"{variants} variants"] if variants > 1 else []
    counted = [f"{variants} of {asked} variants"] if asked > variants else counted
    total = run.started.images if run.started else images
    number = f"{images} of {total}" if total > images else f"{images}"
    counted.append(f"{number} image{'' if total == 1 else 's'}")
    title = f"Results · {'auto-run · ' if run.auto else ''}{' × '.join(counted)}"
    stale = not run.active and run.freshness("result", 0, session) == "stale"
    if run.auto:
        return f"{title} · {'stale' if stale else 'not kept'}; {key_of('run')} keeps"
    if stale:
        return f"{title} · stale, {key_of('run')} runs again"
    if run.finished is not None and run.finished.status == "cancelled":
        return f"{title} · cancelled, {key_of('run')} runs again"
    return title


def _row(
    kind: Any,
    label: str,
    variant: int | None,
    session: Session,
    run: RunState,
    listed: Sequence[Listed],
    end: int = 0,
) -> SheetRowView:
    pictures = run.row(kind, variant, end)
    freshness = run.freshness(kind, variant, session, end)
    notes: tuple[str, ...] = ()
    if pictures is not None and not pictures.partial:
        label_wanted = wanted_label(run.session, listed, run.values(variant), end or -1)
        notes = tuple(captions(pictures.metrics, "row", digits_word(label_wanted)))
    elif pictures is not None and not run.active:
        notes = ("partial",)
    return SheetRowView(
        label,
        notes,
        None if pictures is None else pictures.pixels,
        freshness,
        "" if pictures is not None else _row_hint(run, freshness),
        variant,
        kind,
        end,
    )


def _row_hint(run: RunState, freshness: str) -> str:
    if not run.active:
        return "not done"
    if freshness != "computing" or run.progress is None or not run.progress.steps:
        return "waiting"
    return f"{run.progress.stage} {run.progress.step}/{run.progress.steps}"


def _teach(
    session: Session, count: int, listed: Sequence[Listed], kept: bool
) -> tuple[tuple[str, str], ...]:
    """What to press next."""
    if not any(one.facts and one.facts.kind == "denoiser" for one in listed):
        return (
            ("", "There is no checkpoint yet."),
            ("", ""),
            ("", "ddib-workbench train --digit 5  makes one,"),
            ("", "ddib-workbench checkpoints import FILE  brings one in."),
        )
    images = "1 image" if count == 1 else f"{count:,} images"
    return (
        (key_of("run"), f"run: {images}, {' → '.join(ends(session))}"),
        (key_of("add"), "add an operation to the recipe"),
        ("1", "choose source (s) and target (t)"),
        (key_of("open"), "open a session or an example"),
        *([(key_of("history"), "take up an earlier run")] if kept else []),
        (key_of("help"), "all keys"),
    )
