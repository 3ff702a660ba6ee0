"""Looking at a run's latents: the same ones, and without work when the run has made them."""

from io import BytesIO
from pathlib import Path

import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from ddib.measures.latents import autocorrelation, latent_moments, pool, radial_spectrum
from workbench.engine.execution.engine import Engine
from workbench.engine.execution.order import Order
from workbench.engine.execution.run import run_plan
from workbench.engine.inspection.latents import inspect
from workbench.engine.planning.plan import Plan, make_plan
from workbench.engine.protocol.messages import Finished, Inspect, Inspection, read_event, to_line
from workbench.session.reading import parse_session

SESSION = """\
version: 1
source:
  checkpoint: cmnist-fives
  images:
    - {dataset: colored-mnist, digit: 5, count: 5, seed: 0}
target:
  checkpoint: cmnist-sevens
solver: {steps: [2, 3], start_noise: 0.03}
recipe:
  latent:
    - {op: normalize}
    - {op: blur, sigma: 1, enabled: false}
    - {op: add_noise, coefficient: [0.1, 0.4]}
"""


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine("cpu", chunk=4)  # five images in two chunks


@pytest.fixture(scope="module")
def plan() -> Plan:
    return make_plan(parse_session(SESSION), Path(), "small")


@pytest.fixture(scope="module")
def stored(
    engine: Engine, plan: Plan, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, torch.Tensor]:
    store = tmp_path_factory.mktemp("runs")
    ending = run_plan(engine, plan, Order(store=store, run_name="small"))
    assert ending.status == "done", ending.error
    return load_file(store / "small" / "latents.safetensors")


def ask(engine: Engine, plan: Plan, variant: int, image: int | None) -> Inspection:
    request = Inspect(id="1", session={}, base=".", variant=variant, image=image)
    answer = inspect(engine, plan, request)
    assert isinstance(answer, Inspection), answer
    heard = read_event(to_line(answer))
    assert isinstance(heard, Inspection)
    return heard


@pytest.mark.parametrize("image", [0, 4, None])
@pytest.mark.parametrize("variant", [1, 2])
def test_the_last_step_is_what_the_run_decoded(
    engine: Engine,
    plan: Plan,
    stored: dict[str, torch.Tensor],
    variant: int,
    image: int | None,
) -> None:
    model = engine.model(plan.ends(plan.variants[0])[0].path)
    before = model.denoiser.evaluations
    answer = ask(engine, plan, variant, image)
    assert model.denoiser.evaluations == before
    assert [step.label for step in answer.steps] == ["latent", "normalize", "add noise"]
    z = stored[f"edited_latent.{variant:03d}"]
    z = pool(z if image is None else z[[image]])
    last = answer.steps[-1]
    moments = latent_moments(z)
    assert (last.mean, last.std, last.kurtosis) == tuple(moments[n].item() for n in moments)
    assert last.autocorrelation == autocorrelation(z).item()
    assert last.spectrum == radial_spectrum(z)[0].tolist()
    assert sum(last.histogram) <= z.numel() == answer.values
    assert answer.bands["std"][1] == pytest.approx((2 * z.numel()) ** -0.5)
    assert len(answer.spectrum_errors) == len(last.spectrum) == 16
    assert Image.open(BytesIO(last.png)).size == (3 * 32, 32)


def test_what_is_not_there_is_said(engine: Engine, plan: Plan) -> None:
    for variant, image in ((4, 0), (0, 5)):
        request = Inspect(id="1", session={}, base=".", variant=variant, image=image)
        answer = inspect(engine, plan, request)
        assert isinstance(answer, Finished) and answer.status == "failed"
        assert answer.error is not None and answer.error.startswith("there is no")


def test_it_can_be_cancelled() -> None:
    fresh = Engine("cpu")
    made = make_plan(parse_session(SESSION.replace("[2, 3]", "2000")), Path(), "small")
    request = Inspect(id="1", session={}, base=".")
    answer = inspect(fresh, made, request, cancelled=lambda: True)
    assert isinstance(answer, Finished) and answer.status == "cancelled"
