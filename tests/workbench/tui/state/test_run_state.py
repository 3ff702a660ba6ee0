import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from ddib.data.digits import digit_word, digits_word
from workbench.engine.protocol.messages import Finished, Progress, Row, Started, VariantInfo
from workbench.session.reading import parse_session
from workbench.session.schema import Session
from workbench.tui.models import Position
from workbench.tui.present import runs as run_views
from workbench.tui.present import sweeps as sweep_views
from workbench.tui.state.runs.run_queue import RunQueue
from workbench.tui.state.runs.run_state import RunState, split
from workbench.tui.state.session import edits as editing

SESSION = parse_session(
    """\
version: 1
source: {checkpoint: fives, images: [{dataset: colored-mnist, count: 2}]}
target: {checkpoint: sevens}
recipe:
  image: [{op: blur, sigma: [1, 2]}]
  latent: [{op: add_noise, coefficient: [0.1, 0.4]}]
"""
)
VALUES = [{"image.0.sigma": s, "latent.0.coefficient": c} for s in (1.0, 2.0) for c in (0.1, 0.4)]


def png(level: int, columns: int = 2) -> bytes:
    out = io.BytesIO()
    pixels = np.full((4, 4 * columns, 3), level, np.uint8)
    pixels[:, :4] = 0
    Image.fromarray(pixels).save(out, "PNG")
    return out.getvalue()


def row(kind: Any, variant: int | None, level: int = 9, **more: Any) -> Row:
    return Row.model_construct(
        id="1", kind=kind, variant=variant, columns=2, png=png(level), **({"partial": False} | more)
    )


def started() -> RunState:
    run = RunState("1", SESSION)
    variants = [VariantInfo(values=v, label="x") for v in VALUES]
    run.receive(Started(id="1", images=2, names=["a", "b"], variants=variants, evaluations=40))
    return run


def test_strips_are_split() -> None:
    pixels = split(png(9), 2)
    assert pixels.shape == (2, 4, 4, 3) and pixels[0].max() == 0 and pixels[1].min() == 9


def test_variants_share_what_they_do_not_change() -> None:
    run = started()
    run.receive(row("latent", 0, 10))
    run.receive(row("latent", 2, 20))
    levels = [run.row("latent", v).pixels.max() for v in range(4)]  # type: ignore[union-attr]
    assert levels == [10, 10, 20, 20]
    assert run.row("result", 1) is None


def test_fresh_stale_computing() -> None:
    run = started()
    assert run.freshness("latent", 0, SESSION) == "absent"
    run.receive(Progress(id="1", stage="encode", variant=0))
    assert run.freshness("latent", 1, SESSION) == "computing"
    run.receive(row("latent", 0))
    run.receive(Progress(id="1", stage="decode", variant=0, end=1))
    assert run.freshness("latent", 0, SESSION) == "fresh"
    assert run.freshness("result", 0, SESSION) == "computing"
    assert run.freshness("result", 1, SESSION) == "absent"
    run.receive(row("result", 0, partial=True))
    assert run.freshness("result", 0, SESSION) == "computing"
    run.receive(row("result", 0))
    run.receive(Finished(id="1", status="done"))
    assert run.freshness("result", 0, SESSION) == "fresh"


@pytest.mark.parametrize(
    ("change", "stale"),
    [
        (lambda s: editing.with_target(s, "other"), {"result"}),
        (lambda s: editing.toggle(s, Position("latent", 0)), {"edited_latent", "result"}),
        (
            lambda s: editing.with_solver(s, s.solver.model_copy(update={"steps": 7})),
            {"latent", "edited_latent", "result"},
        ),
        (
            lambda s: editing.with_solver(s, s.solver.model_copy(update={"clip": "decode"})),
            {"result"},
        ),
        (
            lambda s: editing.toggle(s, Position("image", 0)),
            {"edited_image", "latent", "edited_latent", "result"},
        ),
        (lambda s: editing.with_title(s, "other words"), set()),
    ],
)
def test_a_change_makes_stale_what_lies_to_its_right(change: Any, stale: set[str]) -> None:
    run = started()
    kinds: tuple[Any, ...] = ("edited_image", "latent", "edited_latent", "result")
    for kind in kinds:
        run.receive(row(kind, 0))
    run.receive(Finished(id="1", status="done"))
    after: Session = change(SESSION)
    assert {kind for kind in kinds if run.freshness(kind, 0, after) == "stale"} == stale


def test_progress_is_said_in_words() -> None:
    queue = RunQueue()
    assert run_views.progress_line(queue, SESSION).state == "idle"
    run = RunState("1", SESSION)
    queue.add(run)
    assert run_views.progress_line(queue, SESSION).state == "queued"
    queue.receive(Progress(id="1", stage="decode", evaluations=3, total=40, seconds_left=1.5))
    view = run_views.progress_line(queue, SESSION)
    assert (view.state, view.stage, view.done, view.total) == ("running", "decode", 3, 40)
    assert view.facts == ("1.5 s left", "NFE 3 of 40")
    queue.receive(Finished(id="1", status="failed", error="out of memory"))
    assert run_views.progress_line(queue, SESSION).text == "failed: out of memory"


def test_notes_are_for_the_label_of_the_variant() -> None:
    assert digits_word(6) == "sixes" and digits_word(7) == "sevens"
    assert digits_word(12) == "12" and digit_word(None) == ""


def test_the_trade_off_has_a_point_for_each_variant_that_is_done() -> None:
    run = started()
    assert sweep_views.trade_off(None, None).points == ()
    for index, (hue, accuracy) in enumerate([(10.0, 1.0), (20.0, 0.5)]):
        metrics = {"hue_error_median": hue, "target_accuracy": accuracy}
        run.receive(row("result", index, metrics=metrics, per_image={}))
    run.receive(row("result", 2, partial=True))
    view = sweep_views.trade_off(run, 1)
    assert view.points == ((10.0, 1.0), (20.0, 0.5)) and view.cursor == 1
