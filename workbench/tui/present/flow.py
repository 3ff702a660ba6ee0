"""The stops of the flow from source to result, as the screen shows them. Pure functions."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from workbench.engine.protocol.messages import RowKind
from workbench.metrics.metric import Subject, metrics_of
from workbench.session.schema import Session
from workbench.tui.actions import key_of
from workbench.tui.models import FlowView, PanelView
from workbench.tui.state.runs.run_state import ORDER, RowPictures, RunState
from workbench.tui.state.session.ends import end_names

if TYPE_CHECKING:
    from workbench.tui.models import Pixels

_SUBJECTS: dict[RowKind, Subject] = {
    "latent": "latent",
    "intermediate_latent": "latent",
    "edited_latent": "edited_latent",
    "intermediate": "result",
    "result": "result",
}


def stops(session: Session) -> tuple[tuple[RowKind, int], ...]:
    """The stops of the flow, each with its end of the chain: an edit is one when there is an
    operation that does something; later latents are left to the sheet.
    """
    edits = {
        "edited_image": any(op.enabled for op in session.recipe.image),
        "edited_latent": any(op.enabled for op in session.recipe.latent),
    }
    found: list[tuple[RowKind, int]] = [(kind, 0) for kind in ORDER[:4] if edits.get(kind, True)]
    found += [("intermediate", end) for end in range(1, 1 + len(session.chain))]
    return *found, ("result", 0)


def flow(
    session: Session,
    run: RunState | None,
    sources: Pixels | None,
    names: Sequence[str],
    image: int,
    variant: int | None,
    size: int,
) -> FlowView:
    """The panels for one image and one variant."""
    shown = stops(session)
    panels = tuple(_panel(*stop, session, run, sources, names, image, variant) for stop in shown)
    return FlowView(panels, _arrows([kind for kind, _ in shown]), size)


def _panel(
    kind: RowKind,
    end: int,
    session: Session,
    run: RunState | None,
    sources: Pixels | None,
    names: Sequence[str],
    image: int,
    variant: int | None,
) -> PanelView:
    title = "edited" if kind.startswith("edited") else str(kind)
    if end:
        values = {} if run is None else run.values(variant)
        title = end_names(session, values)[end]
    if kind == "source":
        if sources is None or image >= len(sources):
            return PanelView(kind, title, "absent", hint="no image")
        name = names[image] if image < len(names) else ""
        return PanelView(kind, title, "fresh", sources[image], (name, f"{image + 1}"))
    if run is None:
        return PanelView(kind, title, "absent", hint=_hint(kind))
    freshness = run.freshness(kind, variant, session, end)
    pictures = run.row(kind, variant, end)
    if pictures is None:
        waiting = run.active and freshness != "stale"
        return PanelView(kind, title, freshness, hint="…" if waiting else _hint(kind))
    if image >= len(pictures.pixels):
        return PanelView(kind, title, "absent", hint=_hint(kind))
    captions = image_captions(kind, pictures, image)
    return PanelView(kind, title, freshness, pictures.pixels[image], captions)


def _hint(kind: str) -> str:
    return f"press {key_of('run')}" if kind == "result" else ""


def _arrows(shown: Sequence[str]) -> tuple[str, ...]:
    words = {
        "edited_image": "edit",
        "latent": "encode",
        "edited_latent": "edit",
    }
    return tuple(
        words.get(kind, "translate" if before == "intermediate" else "decode")
        for before, kind in pairwise(shown)
    )


def image_captions(kind: RowKind, pictures: RowPictures, image: int) -> tuple[str, ...]:
    """What is known of one image, from the longest to the shortest way of saying it."""
    if pictures.partial:
        return ("partial",)
    if kind not in _SUBJECTS:
        return ()
    subject = _SUBJECTS[kind]
    values = [(metric, pictures.number(metric.name, image)) for metric in metrics_of(subject)]
    found = [metric.image_captions(value) for metric, value in values if value is not None]
    return _joined([each for each in found if each], " · " if subject == "result" else "  ")


def _joined(parts: Sequence[tuple[str, ...]], separator: str) -> tuple[str, ...]:
    """All parts in a line, then with less between them, then shortened, then fewer of them."""
    if not parts:
        return ()
    longest, shortest = [part[0] for part in parts], [part[-1] for part in parts]
    fewer = [" ".join(shortest[:count]) for count in range(len(parts), 0, -1)]
    return tuple(dict.fromkeys([separator.join(longest), " ".join(longest), *fewer]))
