"""Operations that lead from one image of a session towards another: slerp, frequency_mix."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file
from torch import Tensor

from ddib.data.pictures import open_image
from ddib.operations.operation import Context
from ddib.operations.sphere import Slerp
from workbench.engine.execution.engine import Engine
from workbench.engine.execution.order import Order
from workbench.engine.execution.run import Run, run_plan
from workbench.engine.inspection.forecast import forecast
from workbench.engine.inspection.latents import inspect
from workbench.engine.inspection.trajectory import trace
from workbench.engine.planning.chunks import Encoded, Part, Unedited, Work
from workbench.engine.planning.plan import Plan, make_plan
from workbench.engine.protocol.messages import Inspect, Inspection, States, Trace
from workbench.engine.results.filmstrip import filmstrip
from workbench.engine.results.rows import RunResults
from workbench.runs.manifest import read_manifest
from workbench.runs.sheet_file import read_session_from_sheet
from workbench.runs.strips import split_strip
from workbench.session.overrides import set_value
from workbench.session.reading import parse_session
from workbench.session.schema import Session

pytestmark = pytest.mark.slow

COUNT, CHUNK, OFFSET = 5, 2, 3  # five images in three chunks; the third further is in another

SESSION = f"""\
version: 1
source:
  checkpoint: cmnist-fives
  images:
    - {{dataset: colored-mnist, digit: 5, count: {COUNT}, seed: 0}}
target:
  checkpoint: cmnist-sevens
solver: {{steps: 2, start_noise: 0.03}}
recipe:
  latent:
    - {{op: slerp, fraction: [0, 0.5, 1], other: image, offset: {OFFSET}}}
"""


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine("cpu", chunk=CHUNK)


@pytest.fixture(scope="module")
def session() -> Session:
    return parse_session(SESSION)


@pytest.fixture(scope="module")
def plan(session: Session) -> Plan:
    return make_plan(session, Path(), "film")


@pytest.fixture(scope="module")
def stored(engine: Engine, plan: Plan, tmp_path_factory: pytest.TempPathFactory) -> Path:
    store = tmp_path_factory.mktemp("runs")
    ending = run_plan(engine, plan, Order(store=store, run_name="film"))
    assert ending.status == "done", ending.error
    return store / "film"


@pytest.fixture(scope="module")
def latents(stored: Path) -> dict[str, Tensor]:
    return load_file(stored / "latents.safetensors")


def results(stored: Path, variant: int) -> np.ndarray:
    names = read_manifest(stored).variants[variant].images
    return np.stack([np.asarray(open_image(stored / "images" / name)) for name in names])


def test_each_latent_is_turned_towards_the_one_of_another_chunk(latents) -> None:
    z = latents["latent"]
    assert torch.equal(latents["edited_latent.000"], z)
    assert torch.equal(latents["edited_latent.002"], z.roll(-OFFSET, 0))
    slerp = Slerp(fraction=0.5, other="image", offset=OFFSET)
    assert torch.equal(latents["edited_latent.001"], slerp(z, Context(everything=z)))


def test_a_film_begins_with_the_translation_and_ends_with_the_other_image_s(
    stored: Path, engine: Engine, session: Session, tmp_path: Path
) -> None:
    plain = make_plan(set_value(session, "recipe.latent", "[]"), Path(), "plain")
    assert run_plan(engine, plain, Order(store=tmp_path, run_name="plain")).status == "done"
    translated = results(tmp_path / "plain", 0)
    assert np.array_equal(results(stored, 0), translated)
    # The other image's latent is decoded in a chunk with others, which rounds differently.
    last = results(stored, 2).astype(int)
    assert np.abs(last - np.roll(translated, -OFFSET, 0)).max() <= 1
    middle = results(stored, 1).astype(int)
    assert min(np.abs(middle - results(stored, i)).mean() for i in (0, 2)) > 1


def test_the_filmstrip_has_a_row_for_each_pair(engine: Engine, plan: Plan, stored: Path) -> None:
    run = Run(engine, plan, Order(), lambda _: None, lambda: False)
    assert run.run().status == "done"
    rows, heads = filmstrip(run.results)
    assert heads == ["source", "t = 0", "t = 0.5", "t = 1", "source"]
    assert [row.label for row in rows] == ["1 → 4", "2 → 5", "3 → 1", "4 → 2", "5 → 3"]
    made = [results(stored, variant) for variant in range(3)]
    for one, row in enumerate(rows):
        other = (one + OFFSET) % COUNT
        sources = plan.images.pixels[one], plan.images.pixels[other]
        frames = [sources[0], *(images[one] for images in made), sources[1]]
        assert np.array_equal(row.pixels, np.stack(frames))
    assert parse_session(read_session_from_sheet(stored / "filmstrip.png")) == plan.session
    with Image.open(stored / "filmstrip.png") as strip:
        pixels = np.asarray(strip)
    large = rows[1].pixels[2].repeat(3, 0).repeat(3, 1)  # 32 pixels are shown as 96
    windows = np.lib.stride_tricks.sliding_window_view(pixels, large.shape)[:, :, 0]
    corner = (windows[..., 0, 0, :] == large[0, 0]) & (windows[..., 50, 50, :] == large[50, 50])
    found = [at for at in np.argwhere(corner.all(-1)) if np.array_equal(windows[*at], large)]
    assert len(found) == 1


@pytest.mark.parametrize(
    "latent",
    [
        "[{op: slerp, fraction: [0, 1]}]",
        "[{op: slerp, fraction: 0.5, other: image}]",
        "[{op: slerp, fraction: [0, 1], other: image}, {op: scale, factor: [1, 2]}]",
        "[{op: slerp, other: image}, {op: blur, sigma: [1, 2]}]",
    ],
)
def test_other_sweeps_are_no_films(latent: str, engine: Engine, session: Session) -> None:
    made = make_plan(set_value(session, "recipe.latent", latent), Path(), "other")
    assert filmstrip(RunResults(made, [])) == ([], [])


def test_nothing_is_encoded_twice_and_the_cache_serves_the_films(
    engine: Engine, plan: Plan, session: Session, stored: Path
) -> None:
    assert read_manifest(stored).nfe == {"encode": 2, "decode": 6}
    assert run_plan(engine, plan, Order()).nfe == {"encode": 0, "decode": 0}
    other = make_plan(set_value(session, "recipe.latent.0.offset", "4"), Path(), "other")
    ending = run_plan(engine, other, Order())
    assert ending.nfe == {"encode": 0, "decode": 4}, "where a film begins is known"


def test_forecast_needs_the_other_latents_too(plan: Plan) -> None:
    engine = Engine("cpu", chunk=CHUNK)
    before = forecast(engine, plan)
    assert (before.encode_left, before.decode_left) == (2, 6)
    run_plan(engine, plan, Order())
    after = forecast(engine, plan)
    assert (after.encode_left, after.decode_left) == (0, 0)


def test_the_inspector_shows_what_the_run_made(engine: Engine, session: Session, plan, latents):
    request = Inspect(id="1", session={}, base=".", variant=1, image=4)
    answer = inspect(engine, plan, request)
    assert isinstance(answer, Inspection)
    assert [step.label for step in answer.steps] == ["latent", "slerp"]
    expected = [latents[name][4] for name in ("latent", "edited_latent.001")]
    for step, z in zip(answer.steps, expected, strict=True):
        assert step.std == pytest.approx(z.std(correction=0).item(), rel=1e-4)


def test_the_trajectory_leads_to_the_result_of_the_run(engine, session: Session, stored: Path):
    request = Trace(id="1", session=session.model_dump(mode="json"), base=".", variant=2, image=3)
    answer = trace(engine, request)
    assert isinstance(answer, States)
    end = split_strip(answer.png_state, len(answer.states))[-1].astype(int)
    assert np.abs(end - results(stored, 2)[3]).max() <= 1


def test_on_the_image_stage_it_is_the_other_image(engine: Engine, session: Session, tmp_path):
    session = set_value(set_value(session, "recipe.latent", "[]"), "solver.start_noise", "0")
    for name, image in (("plain", "[]"), ("next", "[{op: slerp, fraction: 1, other: image}]")):
        made = make_plan(set_value(session, "recipe.image", image), Path(), name)
        assert run_plan(engine, made, Order(store=tmp_path, run_name=name)).status == "done"
    plain, following = (results(tmp_path / name, 0).astype(int) for name in ("plain", "next"))
    assert np.abs(following - np.roll(plain, -1, 0)).max() <= 1


def test_only_the_parts_that_are_asked_for_are_fetched(engine: Engine, plan: Plan) -> None:
    fetched: list[Part] = []

    def encoded(part: Part) -> Encoded:
        fetched.append(part)
        return torch.arange(part[1].start, part[1].stop).reshape(-1, 1, 1, 1).float(), None

    work = Work(plan, engine.models(plan), engine.device, CHUNK, encoded)
    everything = Unedited(work, 1)
    assert len(everything) == COUNT
    assert everything[[3, 4, 2]].flatten().tolist() == [3, 4, 2]
    assert fetched == [(1, range(2, 4)), (1, range(4, 5))]
