"""Sessions that guide, run in this process on the shipped conditional model."""

from pathlib import Path

import pytest
from safetensors.numpy import load_file

from ddib.errors import InputError
from ddib.solvers.scheme import SOLVERS
from workbench.engine.execution.engine import Engine
from workbench.engine.execution.order import Order
from workbench.engine.execution.run import run_plan
from workbench.engine.inspection.forecast import forecast
from workbench.engine.inspection.trajectory import trace
from workbench.engine.planning.plan import Plan, make_plan
from workbench.engine.protocol.messages import Finished, Started, States, Trace
from workbench.runs.manifest import read_manifest
from workbench.session.reading import load_session, parse_session
from workbench.session.schema import Session
from workbench.session.variants import variants
from workbench.session.writing import dump_session

pytestmark = pytest.mark.slow

TEXT = """\
version: 1
source:
  checkpoint: cmnist-digits
  label: 5
  images: [{dataset: colored-mnist, digit: 5, count: 2}]
target:
  checkpoint: cmnist-digits
  label: 7
  guidance: 1
solver: {steps: 2, start_noise: 0.03}
"""


def session(**changed: str) -> Session:
    text = TEXT
    for key, value in changed.items():
        before = {"target": "  guidance: 1\n", "source": "  label: 5\n", "solver": "steps: 2, "}[
            key
        ]
        text = text.replace(before, value)
    return parse_session(text)


def plan(made: Session) -> Plan:
    return make_plan(made, Path(), "guided")


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine("cpu")


def run(engine: Engine, made: Session, store: Path) -> tuple[Finished, Path]:
    ending = run_plan(engine, plan(made), Order(id="1", store=store, run_name="guided"))
    assert ending.status == "done", ending.error
    assert ending.run is not None
    return ending, Path(ending.run)


def images(folder: Path) -> list[bytes]:
    return [path.read_bytes() for path in sorted((folder / "images").iterdir())]


def test_a_sweep_tells_the_truth_about_what_it_takes(engine: Engine, tmp_path: Path) -> None:
    """Two evaluations a step, but where one is enough."""
    swept = session(target="  guidance: [0, 1, 2]\n")
    made = plan(swept)
    assert [v.label for v in made.variants] == ["guidance = 0", "guidance = 1", "guidance = 2"]
    assert made.evaluations == 2 + (2 + 2 + 4)
    found = forecast(Engine("cpu"), made)
    assert (found.encode, found.decode, found.decode_left) == (2, 8, 8)
    heard: list[object] = []
    ending = run_plan(engine, made, Order(id="1"), heard.append)
    assert ending.nfe == {"encode": 2, "decode": 8}
    assert next(m for m in heard if isinstance(m, Started)).evaluations == 10
    again, folder = run(engine, swept, tmp_path)
    assert again.nfe == {"encode": 0, "decode": 0}
    assert again.cache == {"encode": "hit", "decode": "hit"}
    assert read_manifest(folder).variants[2].values == {"target.guidance": 2}


def test_scale_one_is_the_plain_model(engine: Engine, tmp_path: Path) -> None:
    plain = parse_session(TEXT.replace("  guidance: 1\n", ""))
    _, one = run(engine, plain, tmp_path)
    ending, same = run(engine, session(), tmp_path)
    assert images(one) == images(same)
    assert ending.cache == {"encode": "hit", "decode": "hit"}
    _, led = run(engine, session(target="  guidance: 3\n"), tmp_path)
    assert images(led) != images(one)


def test_the_source_is_guided_only_when_asked(engine: Engine, tmp_path: Path) -> None:
    ending, plain = run(engine, session(target="  guidance: 2\n"), tmp_path)
    ending, led = run(engine, session(source="  label: 5\n  guidance: 2\n"), tmp_path)
    assert ending.nfe["encode"] == 4
    latents = [load_file(run / "latents.safetensors")["latent"] for run in (plain, led)]
    assert abs(latents[0] - latents[1]).max() > 0.01


def test_a_classifier_leads_and_is_named(tmp_path: Path) -> None:
    engine = Engine("cpu")  # whose cache has none of the other tests' results
    by = "  guidance: 0\n  classifier: cmnist-classifier\n  classifier_scale: [0, 4]\n"
    ending, folder = run(engine, session(target=by), tmp_path)
    assert ending.nfe["decode"] == 4
    manifest = read_manifest(folder)
    assert [v.label for v in manifest.variants] == ["classifier scale = 0", "classifier scale = 4"]
    assert manifest.checkpoints["target.classifier"].name == "cmnist-classifier"
    pictures = images(folder)
    assert pictures[:2] != pictures[2:]
    _, unconditional = run(engine, session(target="  guidance: 0\n"), tmp_path)
    assert pictures[:2] == images(unconditional)
    kept = load_session(folder / "session.yaml")
    assert kept.target == session(target=by).target


def test_one_picture_is_followed_as_it_is_guided(engine: Engine) -> None:
    made = session(target="  guidance: 2\n").model_dump(mode="json")
    told = trace(engine, Trace(id="1", session=made, base=".", variant=0, image=1))
    assert isinstance(told, States)
    assert told.states[-1].evaluations == 4


def test_the_exact_cycle_takes_one_guidance_at_both_ends(engine: Engine, tmp_path: Path) -> None:
    obelm = parse_session(
        TEXT.replace("label: 7", "label: 5")
        .replace("guidance: 1", "guidance: [1, 2]")
        .replace("  label: 5\n  images", "  label: 5\n  guidance: 2\n  images")
        .replace("steps: 2, start_noise: 0.03", "name: obelm, steps: 2, cycle: exact")
    )
    assert SOLVERS[obelm.solver.name].invertible
    ending, folder = run(engine, obelm, tmp_path)
    assert [v.cycle for v in read_manifest(folder).variants] == ["free", "exact"]
    assert ending.metrics[1]["cycle_identical"] == 1
    assert "cycle_psnr" not in ending.metrics[0]
    why = "guidance = 1: no exact inverse: another model, label or guidance decodes"
    assert why in ending.notes


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        (
            "  checkpoint: cmnist-digits\n  label: 7\n  guidance: 1\n",
            "  checkpoint: cmnist-sevens\n  guidance: 2\n",
            r"small.yaml:8: target\.guidance: guidance takes a class-conditional model",
        ),
        (
            "  label: 7\n  guidance: 1\n",
            "  guidance: 2\n",
            r"small.yaml:6: target\.label: .*give one",
        ),
        (
            "guidance: 1",
            "guidance: -1",
            r"small.yaml:9: target\.guidance: is -1; expected at least 0",
        ),
        ("guidance: 1", "guidence: 2", "did you mean guidance?"),
        (
            "guidance: 1",
            "classifier: cmnist-probe",
            r"small.yaml:9: target\.classifier: cmnist-probe is a probe, not a classifier of noisy",
        ),
        ("guidance: 1", "classifier: cmnist-clasifier", r"small.yaml:9: target\.classifier: no "),
        (
            "  label: 7\n  guidance: 1\n",
            "  classifier: cmnist-classifier\n",
            r"target\.label: a classifier needs a label to move towards; give one",
        ),
    ],
)
def test_what_cannot_be_guided_is_told_with_its_line(
    tmp_path: Path, before: str, after: str, words: str
) -> None:
    assert before in TEXT
    file = tmp_path / "small.yaml"
    file.write_text(TEXT.replace(before, after))
    with pytest.raises(InputError, match=words):
        make_plan(load_session(file), tmp_path, file=file)


def test_guidance_stays_where_it_was_written() -> None:
    text = TEXT.replace("guidance: 1\n", "guidance: [1, 1.5]  # and more\n")
    made = parse_session(text)
    assert dump_session(made, text) == text
    assert [v.target.guidance for v in variants(made)] == [1, 1.5]


def test_a_guide_of_the_recipe_moves_the_decoding_and_scale_zero_does_not(
    engine: Engine, tmp_path: Path
) -> None:
    """In one batch or not: variants with other guides are decoded apart."""
    _, plain = run(engine, session(), tmp_path)
    recipe = "recipe: {guide: [{guide: colour, scale: [0, 1]}]}\n"
    ending, folder = run(engine, parse_session(TEXT + recipe), tmp_path)
    unmoved, moved = read_manifest(folder).variants
    assert [(folder / "images" / name).read_bytes() for name in unmoved.images] == images(plain)
    assert moved.metrics["hue_error_mean"] < unmoved.metrics["hue_error_mean"]
    assert ending.nfe["decode"] == 2, "the plain one is in the cache, the guided one is not"
