"""The states of one image's way, computed in this process on the shipped checkpoints."""

import numpy as np
import pytest

from ddib.data.pixels import Pixels
from ddib.errors import InputError
from workbench.engine.execution.engine import Engine
from workbench.engine.execution.order import Order
from workbench.engine.execution.run import run_plan
from workbench.engine.inspection import trajectory as module
from workbench.engine.inspection.trajectory import trace
from workbench.engine.planning.plan import make_plan
from workbench.engine.protocol.messages import Finished, Row, States, Trace, read_event, to_line
from workbench.runs.strips import split_strip
from workbench.session.overrides import set_value
from workbench.session.reading import parse_session
from workbench.session.schema import Session
from workbench.tui.present.trajectory import facts

IMAGE = 2  # not the first, so that noise has to be keyed by its place


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine("cpu")


def followed(engine: Engine, session: Session, variant: int = 0, image: int = IMAGE) -> States:
    request = Trace(
        id="1", session=session.model_dump(mode="json"), base=".", variant=variant, image=image
    )
    answer = trace(engine, request)
    assert isinstance(answer, States)
    told = read_event(to_line(answer))
    assert isinstance(told, States)
    return told


def pictures(told: States) -> list[Pixels]:
    return split_strip(told.png_state, len(told.states))


def rows(engine: Engine, session: Session, tmp_path) -> dict[tuple[str, int | None], Pixels]:
    heard: list[Row] = []
    plan = make_plan(session, tmp_path, "small")
    ending = run_plan(
        engine,
        plan,
        Order(id="1"),
        lambda told: heard.append(told) if isinstance(told, Row) else None,
    )
    assert ending.status == "done", ending.error
    return {(r.kind, r.variant): split_strip(r.png, r.columns)[IMAGE] for r in heard}


def furthest(one: Pixels, other: Pixels) -> int:
    return int(np.abs(one.astype(int) - other.astype(int)).max())


@pytest.mark.parametrize("solver", ["dpmpp_2m", "heun", "obelm"])
def test_the_ends_are_those_of_a_run(engine, small, tmp_path, solver) -> None:
    session = set_value(small, "solver.name", solver)
    session = set_value(session, "recipe.latent.0.proportion", "0.2")
    noisy = session.model_dump(mode="json")
    noisy["recipe"]["latent"].append({"op": "add_noise", "coefficient": 0.3, "per_image": True})
    session = Session.model_validate(noisy)
    run = rows(engine, session, tmp_path)
    told = followed(engine, session)
    states = pictures(told)
    assert [(s.direction, s.step) for s in told.states] == [
        (direction, step) for direction in ("encode", "decode") for step in range(5)
    ]
    assert furthest(states[4], run["latent", None]) <= 1
    assert furthest(states[5], run["edited_latent", 0]) <= 1
    assert furthest(states[-1], run["result", 0]) <= 1
    per_step = 2 if solver == "heun" else 1
    assert [s.evaluations for s in told.states] == [per_step * i for i in range(5)] * 2
    assert all(s.steps == 4 for s in told.states)
    sigmas = [s.sigma for s in told.states if s.sigma is not None]
    assert len(sigmas) == len(told.states)
    assert sigmas[0] == pytest.approx(0.03)
    assert sigmas[:5] == sorted(sigmas[:5]) and sigmas[5:] == sorted(sigmas[5:], reverse=True)
    assert told.states[4].std == pytest.approx(1, abs=0.3)


def test_it_starts_with_the_image(engine, small, tmp_path) -> None:
    session = set_value(small, "solver.start_noise", "0")
    told = followed(engine, session, variant=1)
    source = make_plan(session, tmp_path).images.pixels[IMAGE]
    assert furthest(pictures(told)[0], source) <= 1


def test_many_steps_are_thinned_evenly_and_keep_their_ends(engine, small, monkeypatch) -> None:
    monkeypatch.setattr(module, "MOST_STATES", 4)
    told = followed(engine, set_value(small, "solver.steps", "9"))
    assert [s.step for s in told.states] == [0, 4, 8, 9] * 2
    assert [s.evaluations for s in told.states] == [0, 4, 8, 9] * 2
    told = followed(engine, set_value(small, "solver.steps", "7"))
    assert [s.step for s in told.states] == [0, 4, 7] * 2


def test_the_ends_of_the_reference_grid_can_be_told(engine, small) -> None:
    session = set_value(small, "solver.start_noise", "0")
    for path, value in (("name", "ddim"), ("grid", "reference"), ("steps", "4")):
        session = set_value(session, f"solver.{path}", value)
    told = followed(engine, session)
    assert told.states[4].sigma is None and told.states[-1].sigma == 0
    assert "log-SNR −∞" in facts(told.states[4]) and "σ 0 · log-SNR ∞" in facts(told.states[-1])
    assert len(pictures(told)) == len(told.states) == 10


def test_what_is_not_there_is_named(engine, small) -> None:
    with pytest.raises(InputError, match="no image 9: the session takes 3"):
        followed(engine, small, image=8)
    with pytest.raises(InputError, match="no variant 3: the session has 2"):
        followed(engine, small, variant=2)


def test_it_can_be_cancelled(engine) -> None:
    session = parse_session(
        "version: 1\nsource: {checkpoint: cmnist-fives, images: "
        "[{dataset: colored-mnist, digit: 5, count: 1}]}\ntarget: {checkpoint: cmnist-sevens}"
    )
    request = Trace(id="1", session=session.model_dump(mode="json"), base=".", variant=0, image=0)
    asked = iter(range(100))
    answer = trace(engine, request, lambda: next(asked) == 3)
    assert answer == Finished(id="1", status="cancelled")
    assert next(asked) == 4
