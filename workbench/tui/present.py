"""From sessions, checkpoints and runs to what the widgets show. Pure functions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from ddib.operations import Operation
from ddib.points import CHANNELS as POINT_CHANNELS
from ddib.recipe import Sweepable
from workbench import curves
from workbench.curves import Swept
from workbench.engine.messages import Metrics
from workbench.library import Listed
from workbench.metrics import METRICS
from workbench.session import End, Session, Source, Target
from workbench.session import variants as all_variants
from workbench.tui.results import ORDER, Pictures, RunView
from workbench.tui.values import summarize
from workbench.tui.views import (
    CheckpointView,
    FlowView,
    OperationView,
    PanelView,
    PictureRow,
    RecipeView,
    SheetRowView,
    SheetView,
    TradeOffView,
)

if TYPE_CHECKING:
    from workbench.tui.views import Pixels

SHOWN = 64  # images the engine sends pictures of
NUMBERS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def in_word(label: int | None) -> str:
    """A digit in words, any other label as it is."""
    if label is None:
        return ""
    return NUMBERS[label] if 0 <= label < len(NUMBERS) else str(label)


def in_words_plural(label: int | None) -> str:
    """Fives, sixes, sevens."""
    word = in_word(label)
    return word + ("es" if word == "six" else "s") if word.isalpha() else word


def find(listed: Sequence[Listed], name: str) -> Listed | None:
    """The usable checkpoint of a name."""
    return next((one for one in listed if one.name == name and one.facts is not None), None)


def wanted_label(session: Session, listed: Sequence[Listed], label: Any = None) -> int | None:
    """The label that results should have: the last end's, or its checkpoint's only one."""
    last = session.chain[-1] if session.chain else session.target
    label = last.label if label is None or session.chain else label
    if isinstance(label, int):
        return label
    found = find(listed, last.checkpoint) if isinstance(last.checkpoint, str) else None
    labels = found.facts.labels if found and found.facts else ()
    return labels[0] if label is None and len(labels) == 1 else None


# ---- library


def checkpoints(session: Session, listed: Sequence[Listed]) -> tuple[CheckpointView, ...]:
    """The library's lines: denoisers only, since a probe is no end of a bridge."""
    return tuple(
        CheckpointView(
            one.name,
            _labels(one.facts.labels) if one.facts else "",
            _facts(one),
            one.problem,
            is_source=one.name == session.source.checkpoint and one.problem is None,
            is_target=one.name == session.target.checkpoint and one.problem is None,
            path=str(one.path),
            domain=one.facts.domain if one.facts else "",
            parameters=one.facts.parameters if one.facts else 0,
            modified=one.modified,
            details=_details(one),
            sample=one.facts.thumbnail if one.facts else None,
        )
        for one in listed
        if one.facts is None or one.facts.kind == "denoiser"
    )


def _labels(labels: Sequence[int]) -> str:
    if len(labels) > 2 and list(labels) == list(range(labels[0], labels[-1] + 1)):
        return f"{labels[0]}–{labels[-1]}"
    text = " ".join(map(str, labels))
    return text if len(text) <= 7 else f"{len(labels)} labels"


def _facts(one: Listed) -> str:
    facts = one.facts
    if facts is None or one.problem is not None:
        return ""
    size = (
        "points" if facts.channels == POINT_CHANNELS else f"{facts.image_size}×{facts.image_size}"
    )
    return f"{size} · {facts.parameters / 1e6:.2g} M"


def _details(one: Listed) -> tuple[str, ...]:
    """Lines about a checkpoint: why it cannot be used, or what it is and how it was trained."""
    if one.problem is not None or one.facts is None:
        return (one.problem or "",)
    facts, training = one.facts, one.facts.training
    kind = ", conditional" if facts.class_conditional else ""
    lines = [facts.domain, _facts(one), f"{_labels(facts.labels)}{kind}"]
    if isinstance(steps := training.get("steps_done"), int):
        lines.append(f"{steps:,} steps")
    if isinstance(loss := training.get("loss"), int | float):
        lines.append(f"loss {loss:.3f}")
    lines.append(f"file of {date.fromtimestamp(one.modified):%Y-%m-%d}")
    return tuple(line for line in lines if line)


# ---- recipe


def recipe(session: Session) -> RecipeView:
    """The recipe's lines."""
    return RecipeView(
        solver(session),
        tuple(map(_operation, session.recipe.image)),
        tuple(map(_operation, session.recipe.latent)),
    )


def solver(session: Session) -> str:
    """`dpmpp_2m · 20`."""
    return f"{session.solver.name} · {summarize(session.solver.steps)}"


def recipe_line(session: Session) -> str:
    """`latent: normalize standard, add noise c 0.1 0.4`, what is switched off in parentheses."""
    view, stages = recipe(session), []
    for stage, operations in (("image", view.image), ("latent", view.latent)):
        words = [f"{one.name} {one.summary}".strip() for one in operations]
        shown = [
            word if one.enabled else f"({word})"
            for one, word in zip(operations, words, strict=True)
        ]
        if shown:
            stages.append(f"{stage}: {', '.join(shown)}")
    return " · ".join(stages) or "no operation"


def ends(session: Session) -> list[str]:
    """`cmnist-digits:5` and so on: the source, the target, and the chain's further ends."""
    passed: list[Source | Target | End] = [session.source, session.target, *session.chain]
    return [end(one.checkpoint, one.label) for one in passed]


def end(checkpoint: str | tuple[str, ...], label: Any) -> str:
    """`cmnist-digits:5`, an end of the bridge."""
    names = checkpoint if isinstance(checkpoint, tuple) else (checkpoint,)
    name = " ".join(each.rpartition("/")[2].removesuffix(".safetensors") for each in names)
    if label is None:
        return name
    labels = " ".join(map(str, label)) if isinstance(label, tuple) else str(label)
    return f"{name}:{labels}"


def title_of(operation: Operation) -> str:
    """An operation's name in words."""
    return operation.op.replace("_", " ")


def _operation(operation: Operation) -> OperationView:
    return OperationView(title_of(operation), _summary(operation), operation.enabled)


def _summary(operation: Operation) -> str:
    """What is swept, or else the first parameter."""
    swept: dict[str, Any] = operation.sweeps() if isinstance(operation, Sweepable) else {}
    names = [name for name in type(operation).model_fields if name not in ("op", "enabled")]
    shown = list(swept) or names[:1]
    return ", ".join(_named(operation, name) for name in shown)


def _named(operation: Operation, name: str) -> str:
    extra = type(operation).model_fields[name].json_schema_extra
    symbol = extra.get("symbol") if isinstance(extra, dict) else None
    value = summarize(getattr(operation, name))
    return f"{symbol} {value}" if symbol else value


# ---- flow


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
    captions = _captions(kind, pictures, image)
    return PanelView(kind, title, freshness, pictures.pixels[image], captions)


def _hint(kind: str) -> str:
    return "press r" if kind == "result" else ""


def _arrows(shown: Sequence[str]) -> tuple[str, ...]:
    words = {
        "edited_image": "edit",
        "latent": "encode",
        "edited_latent": "edit",
        "result": "decode",
    }
    return tuple(words[kind] for kind in shown[1:])


def _captions(kind: str, pictures: Pictures, image: int) -> tuple[str, ...]:
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


# ---- contact sheet


def sheet(
    session: Session,
    run: RunView | None,
    sources: Pixels | None,
    listed: Sequence[Listed],
    size: int,
    latents: bool,
    taken: int,
    kept: bool = False,
    names: Sequence[str] = (),
) -> SheetView:
    """The rows: source, then a result for each variant (and its latents when asked for).

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
            rows.append(_row("edited_latent", "", index, session, run, listed))
        rows.append(_row("result", label, index, session, run, listed))
    title = _sheet_title(session, run, len(labels), count)
    return SheetView(title, tuple(rows), count, size, names=tuple(names))


def picture_rows(view: SheetView, run: RunView | None) -> tuple[PictureRow, ...]:
    """What the sheet shows, with what is known of each picture."""
    return tuple(
        PictureRow(row.label, row.pixels, _picture_facts(row, run), view.names)
        for row in view.rows
        if row.pixels is not None
    )


def _picture_facts(row: SheetRowView, run: RunView | None) -> tuple[str, ...]:
    if row.freshness == "computing" and row.pixels is not None:
        return ("emerging",) * len(row.pixels)
    kind: Any = row.kind
    pictures = run.row(kind, row.variant) if run is not None and kind != "source" else None
    if pictures is None:
        return ()
    stale = " · stale" if row.freshness == "stale" else ""
    images = range(len(pictures.pixels))
    return tuple(
        (next(iter(_captions(kind, pictures, image)), "") + stale).removeprefix(" · ")
        for image in images
    )


def _sheet_title(session: Session, run: RunView, variants: int, images: int) -> str:
    asked = len(all_variants(run.session)) if run.auto else variants
    counted = [f"{variants} variants"] if variants > 1 else []
    counted = [f"{variants} of {asked} variants"] if asked > variants else counted
    counted.append(f"{images} image{'' if images == 1 else 's'}")
    title = f"Results · {'auto-run · ' if run.auto else ''}{' × '.join(counted)}"
    stale = not run.active and run.freshness("result", 0, session) == "stale"
    if run.auto:
        return f"{title} · {'stale' if stale else 'not kept'}; r keeps"
    if stale:
        return f"{title} · stale, r runs again"
    if run.finished is not None and run.finished.status == "cancelled":
        return f"{title} · cancelled, r runs again"
    return title


def _row(
    kind: Any,
    label: str,
    variant: int | None,
    session: Session,
    run: RunView,
    listed: Sequence[Listed],
) -> SheetRowView:
    pictures = run.row(kind, variant)
    freshness = run.freshness(kind, variant, session)
    notes: tuple[str, ...] = ()
    if pictures is not None and not pictures.partial:
        values = variants_values(run, variant)
        label_wanted = wanted_label(run.session, listed, values.get("target.label"))
        notes = _notes(kind, pictures.metrics, len(pictures.pixels), label_wanted)
    elif pictures is not None and not run.active:
        notes = ("partial",)
    return SheetRowView(
        label or "edited",
        notes,
        None if pictures is None else pictures.pixels,
        freshness,
        "" if pictures is not None else _row_hint(run, freshness),
        variant,
        kind,
    )


def variants_values(run: RunView, variant: int | None) -> dict[str, Any]:
    """The sweep's values of a variant of a run."""
    if run.started is None or variant is None or variant >= len(run.started.variants):
        return {}
    return run.started.variants[variant].values


def _row_hint(run: RunView, freshness: str) -> str:
    if not run.active:
        return "not done"
    if freshness != "computing" or run.progress is None or not run.progress.steps:
        return "waiting"
    return f"{run.progress.stage} {run.progress.step}/{run.progress.steps}"


def _notes(kind: str, metrics: Metrics, images: int, label: int | None) -> tuple[str, ...]:
    notes: list[str] = []
    if kind != "result":
        prefix = "latent" if kind == "latent" else "edited_latent"
        if (deviation := metrics.get(f"{prefix}_std")) is not None:
            notes.append(f"σ {deviation:.2f}")
        if (kurtosis := metrics.get(f"{prefix}_kurtosis")) is not None:
            notes.append(f"κ {kurtosis:.1f}")
        return tuple(notes)
    if (accuracy := metrics.get("target_accuracy")) is not None:
        notes.append(f"{accuracy:.0%} {in_words_plural(label)}".strip())
    if (hue := metrics.get("hue_error_median")) is not None:
        notes.append(f"hue {hue:.0f}°")
    if (psnr := metrics.get("cycle_psnr")) is not None:
        notes.append(f"{psnr:.1f} dB")
    return tuple(notes)


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
        ("r", f"run: {images}, {session.source.checkpoint} → {session.target.checkpoint}"),
        ("a", "add an operation to the recipe"),
        ("1", "choose source (s) and target (t)"),
        ("o", "open a session or an example"),
        *([("h", "take up an earlier run")] if kept else []),
        ("?", "all keys"),
    )


def sweep(run: RunView | None) -> tuple[Swept, ...]:
    """The variants of a run, those that are whole with their metrics."""
    if run is None or run.started is None:
        return ()
    return tuple(
        Swept(info.values, info.label, _metrics(run, index))
        for index, info in enumerate(run.started.variants)
    )


def _metrics(run: RunView, variant: int) -> Metrics:
    result = run.row("result", variant)
    if result is None or result.partial:
        return {}
    latents = [run.row("latent", variant), run.row("edited_latent", variant)]
    earlier = [row.metrics for row in latents if row is not None and not row.partial]
    return {
        name: value for metrics in (*earlier, result.metrics) for name, value in metrics.items()
    }


def trade_off(run: RunView | None, variant: int | None) -> TradeOffView:
    """Accuracy and colour of the variants that have both, where there are several."""
    variants = sweep(run)
    if not curves.parameters(variants):
        return TradeOffView()
    hue, accuracy = METRICS["hue_error_median"], METRICS["target_accuracy"]
    points = curves.trade_off(variants, hue, accuracy, curves.across(variants)).points
    if len(points) < 2:
        return TradeOffView()
    cursor = next((i for i, point in enumerate(points) if point.variant == variant), -1)
    return TradeOffView(tuple((point.x, point.y) for point in points), cursor)
