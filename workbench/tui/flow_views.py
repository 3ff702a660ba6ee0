"""The stops of the flow from source to result, as the screen shows them. Pure functions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from workbench.session import Session
from workbench.tui.keys import key
from workbench.tui.results import ORDER, Pictures, RunView
from workbench.tui.views import FlowView, PanelView
from workbench.tui.words import in_word

if TYPE_CHECKING:
    from workbench.tui.views import Pixels


def kinds(session: Session, run: RunView | None) -> tuple[str, ...]:
    """The stops of the flow: an edit is one when there is an operation that does something."""
    edits = {
        "edited_image": any(op.enabled for op in session.recipe.image),
        "edited_latent": any(op.enabled for op in session.recipe.latent),
    }
    return tuple(kind for kind in ORDER if edits.get(kind, True))


def flow(
    session: Session,
    run: RunView | None,
    sources: Pixels | None,
    names: Sequence[str],
    image: int,
    variant: int | None,
    size: int,
) -> FlowView:
    """The panels for one image and one variant."""
    shown = kinds(session, run)
    panels = tuple(_panel(kind, session, run, sources, names, image, variant) for kind in shown)
    return FlowView(panels, _arrows(shown), size)


def _panel(
    kind: Any,
    session: Session,
    run: RunView | None,
    sources: Pixels | None,
    names: Sequence[str],
    image: int,
    variant: int | None,
) -> PanelView:
    title = "edited" if kind.startswith("edited") else kind
    if kind == "source":
        if sources is None or image >= len(sources):
            return PanelView(kind, title, "absent", hint="no image")
        name = names[image] if image < len(names) else ""
        return PanelView(kind, title, "fresh", sources[image], (name, f"{image + 1}"))
    if run is None:
        return PanelView(kind, title, "absent", hint=_hint(kind))
    freshness = run.freshness(kind, variant, session)
    pictures = run.row(kind, variant)
    if pictures is None:
        waiting = run.active and freshness != "stale"
        return PanelView(kind, title, freshness, hint="…" if waiting else _hint(kind))
    if image >= len(pictures.pixels):
        return PanelView(kind, title, "absent", hint=_hint(kind))
    said = captions(kind, pictures, image)
    return PanelView(kind, title, freshness, pictures.pixels[image], said)


def _hint(kind: str) -> str:
    return f"press {key('run')}" if kind == "result" else ""


def _arrows(shown: Sequence[str]) -> tuple[str, ...]:
    words = {
        "edited_image": "edit",
        "latent": "encode",
        "edited_latent": "edit",
        "result": "decode",
    }
    return tuple(words[kind] for kind in shown[1:])


def captions(kind: str, pictures: Pictures, image: int) -> tuple[str, ...]:
    """What is known of one image, from the longest to the shortest way of saying it."""
    if pictures.partial:
        return ("partial",)
    if kind == "result":
        label = pictures.number("probe_label", image)
        hue = pictures.number("hue_error", image)
        said = [in_word(None if label is None else int(label))]
        said.append("" if hue is None else f"{hue:.0f}°")
        return (" · ".join(part for part in said if part),)
    deviation = pictures.number(f"{kind}_std", image)
    kurtosis = pictures.number(f"{kind}_kurtosis", image)
    if deviation is None:
        return ()
    if kurtosis is None:
        return (f"σ {deviation:.2f}",)
    return (
        f"σ {deviation:.2f}  κ {kurtosis:.1f}",
        f"σ {deviation:.2f} κ {kurtosis:.1f}",
        f"σ {deviation:.2f} κ {kurtosis:.0f}",
        f"σ {deviation:.2f}",
    )
