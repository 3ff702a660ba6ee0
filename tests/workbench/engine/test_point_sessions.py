"""Sessions of points and of colours on the shipped checkpoints, small enough to be quick."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.numpy import load_file
from scipy.stats import wasserstein_distance

from ddib.checkpoints.loading import load
from ddib.data.pixels import read_png, to_pixels
from ddib.data.scatter import SIZE
from ddib.data.sources.moons import Moons
from ddib.data.sources.rings import Rings
from ddib.errors import InputError
from ddib.operations.operation import OPERATIONS
from workbench.engine.execution.engine import Engine
from workbench.engine.execution.order import Order
from workbench.engine.execution.run import run_plan
from workbench.engine.inspection.latents import inspect
from workbench.engine.inspection.trajectory import trace
from workbench.engine.planning.plan import make_plan
from workbench.engine.protocol.messages import (
    Finished,
    Inspect,
    Inspection,
    Message,
    Row,
    Sample,
    States,
    Trace,
)
from workbench.runs.manifest import read_manifest
from workbench.runs.strips import split_strip
from workbench.session.overrides import set_value
from workbench.session.reading import parse_session
from workbench.session.schema import Session, schema

POINTS = """\
version: 1
title: There and back
source:
  checkpoint: synthetic-moons
  images: [{dataset: moons, count: 300}]
target: {checkpoint: synthetic-concentric-rings}
chain: [{checkpoint: synthetic-moons}]
solver: {steps: 25}
"""
PICTURES = Path(__file__).parents[3] / "sessions" / "pictures"
COLOURS = f"""\
version: 1
title: Recoloured
source:
  checkpoint: colours-coffee
  images: [{{path: {PICTURES / "coffee.png"}}}]
target: {{checkpoint: colours-rocket}}
solver: {{steps: 20}}
"""


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine("cpu")


def run(
    engine: Engine, session: Session, store: Path | None = None
) -> tuple[Finished, list[Message]]:
    heard: list[Message] = []
    plan = make_plan(session, Path(), "small")
    ending = run_plan(engine, plan, Order(id="1", store=store, run_name="small"), heard.append)
    assert ending.status == "done", ending.error
    return ending, heard


def test_points_there_and_back(engine: Engine, tmp_path: Path) -> None:
    ending, heard = run(engine, parse_session(POINTS), tmp_path)
    (metrics,) = ending.metrics
    assert set(metrics) == {
        "latent_mean", "latent_std", "latent_kurtosis", "cycle_l2_mean", "cycle_l2_max",
    }  # fmt: skip
    assert metrics["cycle_l2_mean"] < 0.0143  # the paper's largest
    assert metrics["latent_std"] == pytest.approx(1, abs=0.1)

    points = load_file(tmp_path / "small" / "points.safetensors")
    assert set(points) == {"source", "intermediate-1", "result"}
    assert np.array_equal(points["source"][0, :, 0].T, Moons(count=300).cloud())
    distance = np.linalg.norm(points["result"] - points["source"], axis=1)
    assert metrics["cycle_l2_mean"] == pytest.approx(distance.mean(), rel=1e-3)
    assert metrics["cycle_l2_max"] == pytest.approx(distance.max(), rel=1e-3)
    rings = Rings(count=8000).cloud()
    made = torch.from_numpy(points["intermediate-1"][0, :, 0].T)
    assert float(torch.cdist(made, torch.from_numpy(rings)).amin(1).median()) < 0.05

    (variant,) = read_manifest(tmp_path / "small").variants
    (name,) = variant.images
    drawn = np.asarray(Image.open(tmp_path / "small" / "images" / name))
    assert np.array_equal(drawn, to_pixels(torch.from_numpy(points["result"]))[0])
    rows = [message for message in heard if isinstance(message, Row)]
    assert {row.kind for row in rows} >= {"source", "latent", "result"}
    for row in rows:
        assert row.columns == 1
        assert split_strip(row.png, 1)[0].shape == (SIZE, SIZE, 3)


def test_latents_of_points_are_looked_at_and_followed(engine: Engine) -> None:
    session = set_value(parse_session(POINTS), "recipe.latent", "[{op: scale, factor: 2}]")
    found = inspect(
        engine, make_plan(session, Path()), Inspect(id="1", session={}, base=".", variant=0)
    )
    assert isinstance(found, Inspection)
    before, after = found.steps
    assert after.std == pytest.approx(2 * before.std)
    assert (before.autocorrelation, before.spectrum) == (None, [])
    assert "autocorrelation" not in found.bands
    request = Trace(id="2", session=session.model_dump(mode="json"), base=".", image=0, variant=0)
    states = trace(engine, request)
    assert isinstance(states, States)
    assert split_strip(states.png_state, len(states.states))[0].shape == (SIZE, SIZE, 3)


def test_the_first_images_of_a_session_are_whole_clouds() -> None:
    plan = make_plan(parse_session(POINTS), Path(), sample=Sample(images=1))
    assert plan.images.pixels.shape == (1, 1, 300, 2)


@pytest.mark.parametrize("name", [n for n, o in OPERATIONS.items() if o.pictures_only])
def test_an_operation_on_pictures_is_refused(name: str, tmp_path: Path) -> None:
    file = tmp_path / "session.yaml"
    file.write_text(POINTS + f"recipe:\n  latent:\n    - {{op: scale}}\n    - {{op: {name}}}\n")
    session = parse_session(file.read_text())
    with pytest.raises(InputError, match=rf"session.yaml:12: recipe.latent.1: {name} works on pic"):
        make_plan(session, tmp_path, file=file)
    left = set_value(session, "recipe.latent.1.enabled", "false")
    make_plan(left, tmp_path)


def test_ends_and_images_that_do_not_fit() -> None:
    session = parse_session(POINTS)
    with pytest.raises(InputError, match=r"makes 32×32×3 and synthetic-moons reads points of 2"):
        make_plan(set_value(session, "target.checkpoint", "cmnist-fives"), Path())
    with pytest.raises(InputError, match=r"source.images.0: the source's checkpoint reads points"):
        make_plan(set_value(session, "source.images.0", "{dataset: colored-mnist}"), Path())


def test_the_schema_and_its_errors_know_the_datasets() -> None:
    known = schema()["$defs"]["Rings"]["properties"]["dataset"]["enum"]
    assert known == ["concentric-rings", "parallel-rings"]
    with pytest.raises(InputError, match=r"dataset: moonz is not known; did you mean moons\?"):
        parse_session(POINTS.replace("dataset: moons", "dataset: moonz"))
    with pytest.raises(InputError, match=r"images.0.digit: unknown key; expected one of dataset"):
        parse_session(POINTS.replace("count: 300", "digit: 3"))


def test_a_picture_in_the_colours_of_another(engine: Engine, tmp_path: Path) -> None:
    """The comparison takes a while: only where the run is kept."""
    ending, heard = run(engine, parse_session(COLOURS))
    assert set(ending.metrics[0]) == {"latent_mean", "latent_std", "latent_kurtosis"}
    (result,) = (row for row in heard if isinstance(row, Row) and row.kind == "result")
    (picture,) = split_strip(result.png, 1)
    assert picture.shape == (64, 64, 3)
    wanted = read_png(load("colours-rocket").facts.picture or b"")
    for channel in range(3):  # the colours are the rocket's, wherever they now stand
        distance = wasserstein_distance(picture[..., channel].ravel(), wanted[..., channel].ravel())
        assert distance < 12


def test_how_far_colours_are_from_optimal_transport() -> None:
    """Results that are where the exact plan leads have no error; the sources themselves have."""
    pytest.importorskip("ot")
    from ddib.measures.transport import projections
    from workbench.engine.results.measure import measure
    from workbench.metrics.evidence import Results

    def transport(images: torch.Tensor, sources: torch.Tensor) -> dict[str, list[float | None]]:
        evidence = Results(images, sources, [None], points=True, target_picture=picture)
        return measure("result", evidence, 1)

    generator = torch.Generator().manual_seed(0)
    sources = torch.rand((1, 3, 5, 6), generator=generator) - 1
    picture = torch.rand((1, 3, 5, 6), generator=generator)
    moved = projections(
        sources[0].flatten(1).T.double().numpy().copy(),
        picture[0].flatten(1).T.double().numpy().copy(),
    )["ot"]
    results = torch.from_numpy(moved.T.reshape(1, 3, 5, 6))
    assert transport(results, sources)["ot_mse"] == [pytest.approx(0, abs=1e-9)]
    found = transport(sources, sources)
    assert set(found) == {"ot_mse", "sinkhorn_mse"}
    (off,) = found["ot_mse"]
    assert off is not None and off > 0.3
    large = torch.zeros(1, 3, 65, 64)
    assert transport(large, large) == {}
