"""Chains, swept targets and labels of each image's own: runs against what a hand would do."""

from io import StringIO
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from chain_runs import CYCLE, DIGITS, Done, plan, run
from rich.console import Console
from safetensors.torch import load_file
from torch import Tensor, nn

import ddib
from ddib.checkpoints.files import ZOO
from ddib.checkpoints.header import read_facts
from ddib.checkpoints.model import Model
from ddib.data.pixels import to_pixels, to_tensor
from ddib.data.sources.colored_mnist import colored_mnist
from ddib.denoising.denoiser import Denoiser
from ddib.schedules.noise_schedules import schedule_sigmas
from ddib.solvers.solver import Solver
from workbench.cli.headless import cycles_table
from workbench.engine.execution.engine import Engine
from workbench.engine.inspection.forecast import forecast
from workbench.engine.protocol.messages import Message, Progress, Row
from workbench.metrics.metric import all_figures
from workbench.runs.manifest import read_manifest
from workbench.tui.state.runs.reopen_run import reopen

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine("cpu")


@pytest.fixture(scope="module")
def cycle(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Done:
    store = tmp_path_factory.mktemp("runs")
    ending, heard = run(engine, plan(CYCLE), store)
    assert ending.status == "done", ending.error
    return Done(ending, heard, store / "chain")


def by_hand(engine: Engine, *names: str) -> list[Tensor]:
    """Latent and picture of each link, by the library's own functions."""
    models = [engine.model(ZOO / f"{name}.safetensors") for name in names]
    solver, pictures, made = Solver(steps=3), colored_mnist(digit=5, count=3), []
    for source, target in pairwise(models):
        z = ddib.encode(pictures, source, solver)
        pictures = ddib.decode(z, target, solver)
        made += [z, pictures]
    return made


# ---- a chain


def test_each_link_is_an_encode_and_a_decode(engine: Engine, cycle: Done) -> None:
    z, there, again, back = by_hand(engine, "cmnist-fives", "cmnist-sevens", "cmnist-fives")
    (variant,) = cycle.manifest.variants
    (passed,) = variant.intermediates
    assert torch.equal(cycle.latents["latent"], z)
    assert torch.equal(cycle.latents["intermediate_latent-1"], again)
    assert np.array_equal(cycle.pixels(passed.images), to_pixels(there))
    assert np.array_equal(cycle.pixels(variant.images), to_pixels(back))
    assert (passed.end, passed.title) == (1, "cmnist-sevens")
    assert len(list((cycle.path / "images").iterdir())) == 6
    assert not any(" " in name for name in passed.images)


def test_rows_come_in_the_order_of_the_way(cycle: Done) -> None:
    rows = [m for m in cycle.heard if isinstance(m, Row) and not m.partial]
    assert [(row.kind, row.variant, row.end) for row in rows] == [
        ("source", None, 0),
        ("latent", None, 0),
        ("intermediate", 0, 1),
        ("intermediate_latent", 0, 1),
        ("result", 0, 0),
    ]
    told = [m for m in cycle.heard if isinstance(m, Progress) and m.stage in ("encode", "decode")]
    assert sorted({(m.stage, m.end) for m in told}) == [
        ("decode", 1),
        ("decode", 2),
        ("encode", 0),
        ("encode", 1),
    ]
    assert told[-1].evaluations == told[-1].total == 4 * 3
    assert cycle.ending.nfe == {"encode": 6, "decode": 6}


def test_the_way_back_is_measured_against_the_source(engine: Engine, cycle: Done) -> None:
    off = by_hand(engine, "cmnist-fives", "cmnist-sevens", "cmnist-fives")[-1] - colored_mnist(
        digit=5, count=3
    )
    norms = off.double().flatten(1).norm(dim=1)
    (metrics,) = cycle.ending.metrics
    assert metrics["cycle_l2_mean"] == pytest.approx(norms.mean().item())
    assert metrics["cycle_l2_max"] == pytest.approx(norms.max().item())
    rmse = norms / (3 * 32 * 32) ** 0.5
    assert metrics["cycle_psnr"] == pytest.approx((20 * (2 / rmse).log10()).mean().item(), rel=1e-5)
    (passed,) = cycle.manifest.variants[0].intermediates
    assert "cycle_psnr" not in passed.metrics
    assert {"target_accuracy", "hue_error_median"} <= set(passed.metrics)


@pytest.mark.parametrize(
    "values",
    [
        {"chain": "[{checkpoint: cmnist-sevens}]"},
        {"solver__start_noise": "0.03"},
        {"recipe__latent": "[{op: scale, factor: 1.1}]"},
    ],
)
def test_only_an_unedited_way_back_is_a_cycle(values: dict[str, str]) -> None:
    made = plan(CYCLE, **values)
    assert not made.is_cycle(made.variants[0])
    assert plan(CYCLE).is_cycle(plan(CYCLE).variants[0])


def test_what_is_known_is_not_computed_again(engine: Engine, cycle: Done) -> None:
    again, _ = run(engine, plan(CYCLE))
    assert again.nfe == {"encode": 0, "decode": 0}
    assert again.metrics == cycle.ending.metrics
    elsewhere, _ = run(engine, plan(CYCLE, chain__0__checkpoint="cmnist-digits"))
    assert elsewhere.nfe == {"encode": 0, "decode": 3}


def test_operations_act_on_the_first_link_only(engine: Engine, cycle: Done, tmp_path: Path) -> None:
    made = plan(CYCLE, recipe__latent="[{op: scale, factor: [1.0, 1.5]}]")
    ending, heard = run(engine, made, tmp_path)
    assert ending.nfe == {"encode": 6, "decode": 12}  # the first encoding is known
    latents = load_file(tmp_path / "chain" / "latents.safetensors")
    assert torch.equal(1.5 * latents["latent"], latents["edited_latent.001"])
    again = by_hand(engine, "cmnist-fives", "cmnist-sevens", "cmnist-fives")[2]
    assert torch.allclose(latents["intermediate_latent-1.000"], again, atol=1e-4)
    assert not torch.allclose(latents["intermediate_latent-1.001"], again, atol=0.1)
    assert {row.variant for row in heard if isinstance(row, Row) and row.end} == {0, 1}


def test_a_cancel_in_a_later_link_keeps_what_is_whole(tmp_path: Path) -> None:
    def second_link(heard: list[Message]) -> bool:
        return any(isinstance(m, Row) and m.kind == "intermediate" for m in heard)

    ending, _ = run(Engine("cpu"), plan(CYCLE), tmp_path, second_link)
    assert ending.status == "cancelled"
    (variant,) = read_manifest(tmp_path / "chain").variants
    (passed,) = variant.intermediates
    assert variant.images == [] and len(passed.images) == 3
    there = {path.name for path in (tmp_path / "chain" / "images").iterdir()}
    assert there == set(passed.images)
    assert "target_accuracy" not in variant.metrics
    shown = reopen(tmp_path / "chain")
    assert shown.problems == () and shown.run is not None
    assert shown.run.row("intermediate", 0, 1) is not None
    assert shown.run.row("result", 0) is None


def test_a_chain_is_taken_up_again_with_all_its_rows(cycle: Done) -> None:
    shown = reopen(cycle.path)
    assert shown.problems == () and shown.run is not None
    live = {(m.kind, m.variant, m.end): m for m in cycle.heard if isinstance(m, Row)}
    for (kind, variant, end), row in live.items():
        pictures = shown.run.row(kind, variant, end)
        assert pictures is not None, kind
        assert len(pictures.pixels) == 3
        if kind.startswith("intermediate"):
            assert pictures.metrics == row.metrics != {}


def test_a_forecast_counts_every_link(cycle: Done) -> None:
    fresh = Engine("cpu", chunk=3)
    made = plan(CYCLE)
    before = forecast(fresh, made)
    assert (before.encode, before.decode) == (before.encode_left, before.decode_left) == (6, 6)
    assert before.seconds > 0
    run(fresh, made)
    after = forecast(fresh, made)
    assert (after.encode_left, after.decode_left, after.seconds) == (0, 0, 0)
    further = forecast(fresh, plan(CYCLE, chain__0__checkpoint="cmnist-digits"))
    assert (further.encode_left, further.decode_left) == (0, 3)
    assert made.evaluations == 12


def test_replay_tells_how_far_off_a_cycle_ends(cycle: Done) -> None:
    made = plan(CYCLE)
    table = cycles_table([made], [cycle.ending])
    assert table is not None
    said = StringIO()
    Console(file=said, width=100).print(table)
    mean = all_figures()["cycle_l2_mean"].text(cycle.ending.metrics[0]["cycle_l2_mean"])
    row = next(line for line in said.getvalue().splitlines() if "fives" in line)
    assert row.split()[:4] == ["fives", "sevens", "3", mean]
    assert cycles_table([plan(DIGITS)], [cycle.ending.model_copy(update={"metrics": [{}]})]) is None


def test_an_exact_solver_comes_back_through_every_link(engine: Engine, tmp_path: Path) -> None:
    text = CYCLE.replace("steps: 3", "name: obelm, steps: 3")
    ending, _ = run(engine, plan(text, target__checkpoint="cmnist-fives"), tmp_path)
    assert ending.metrics[0]["cycle_identical"] == 1
    assert read_manifest(tmp_path / "chain").variants[0].cycle == "exact"
    elsewhere, _ = run(engine, plan(text))
    assert elsewhere.notes == ["result: no exact inverse: another model, label or guidance decodes"]


# ---- Gaussian domains, where the map is known


class Gaussian(nn.Module):
    """The exact x₀-network of N(mean, std²), every pixel on its own."""

    def __init__(self, mean: float, std: float, sigmas: np.ndarray):
        super().__init__()
        self.mean, self.std, self.sigmas = mean, std, sigmas

    def condition(self, timesteps: Tensor, labels: Tensor | None = None) -> Tensor:
        steps = np.arange(len(self.sigmas))
        return torch.from_numpy(np.exp(np.interp(timesteps.numpy(), steps, np.log(self.sigmas))))

    def forward(self, z: Tensor, sigma: Tensor) -> Tensor:
        noisy = z.double() * (1 + sigma[:, None, None, None] ** 2).sqrt()
        share = self.std**2 / (self.std**2 + sigma[:, None, None, None] ** 2)
        return (self.mean + share * (noisy - self.mean)).to(z.dtype)


DOMAINS = {"cmnist-fives": (0.2, 0.5), "cmnist-sevens": (-0.3, 0.2), "cmnist-digits": (0, 1)}


class GaussianEngine(Engine):
    """Takes fives for N(0.2, 0.5²), sevens for N(-0.3, 0.2²), digits for N(0, 1)."""

    def model(self, path: Path) -> Model:
        facts = read_facts(path).model_copy(update={"parameterisation": "x0"})
        sigmas = schedule_sigmas(facts.schedule.name, facts.schedule.steps)
        network = Gaussian(*DOMAINS[path.stem], sigmas)
        return Model(path.stem, path, facts, path.stem, Denoiser(network, sigmas, "x0"))


def test_gaussian_domains_are_scaled_into_each_other(tmp_path: Path) -> None:
    made = plan(
        CYCLE,
        chain="[{checkpoint: cmnist-digits}, {checkpoint: cmnist-fives}]",
        solver="{name: unipc, steps: 60}",
    )
    ending, heard = run(GaussianEngine("cpu"), made, tmp_path)
    assert ending.status == "done", ending.error
    (variant,) = read_manifest(tmp_path / "chain").variants
    latents = load_file(tmp_path / "chain" / "latents.safetensors")
    white = (to_tensor(made.images.pixels) - 0.2) / 0.5  # what every end scales and moves
    for name in ("latent", "intermediate_latent-1", "intermediate_latent-2"):
        assert (latents[name] - white).abs().max() < 0.03
    pixels = [passed.images for passed in variant.intermediates]
    for names, (mean, std) in zip(pixels, [(-0.3, 0.2), (0, 1)], strict=True):
        done = Done(ending, heard, tmp_path / "chain")
        expected = to_pixels(mean + std * white)
        off = done.pixels(names).astype(int) - expected
        assert np.abs(off).max() <= 2
    assert variant.metrics["cycle_l2_max"] < 0.5
    assert variant.metrics["cycle_psnr"] > 45


# ---- several targets


def test_swept_targets_are_as_sessions_of_their_own(engine: Engine, tmp_path: Path) -> None:
    names = ["cmnist-sevens", "cmnist-digits"]
    both = plan(CYCLE, target__checkpoint=f"[{', '.join(names)}]", chain="[]")
    assert [variant.label for variant in both.variants] == [f"target = {name}" for name in names]
    ending, _ = run(engine, both, tmp_path / "both")
    assert ending.status == "done", ending.error
    manifest = read_manifest(tmp_path / "both" / "chain")
    roles = ("target.0", "target.1")
    assert [manifest.checkpoints[role].name for role in roles] == names
    for name, result in zip(names, manifest.variants, strict=True):
        alone, _ = run(Engine("cpu"), plan(CYCLE, target__checkpoint=name, chain="[]"), tmp_path)
        (single,) = read_manifest(Path(str(alone.run))).variants
        one = Done(alone, [], Path(str(alone.run)))
        other = Done(ending, [], tmp_path / "both" / "chain")
        assert np.array_equal(one.pixels(single.images), other.pixels(result.images))
        assert result.metrics == single.metrics


# ---- labels


def test_own_labels_are_as_runs_of_each_digit(engine: Engine, tmp_path: Path) -> None:
    ending, _ = run(engine, plan(DIGITS), tmp_path)
    assert ending.status == "done", ending.error
    together = load_file(tmp_path / "chain" / "latents.safetensors")["latent"]
    model, solver = ddib.load("cmnist-digits"), Solver(steps=3)
    for places, digit, count in ((slice(0, 2), 3, 2), (slice(2, 3), 8, 1)):
        images = colored_mnist(digit=digit, count=count)
        alone, wrong = (ddib.encode(images, model, solver, label) for label in (digit, 0))
        assert torch.allclose(together[places], alone, atol=1e-4)
        assert not torch.allclose(together[places], wrong, atol=0.1)
    assert torch.equal(
        together, ddib.encode(to_tensor(plan(DIGITS).images.pixels), model, solver, (3, 3, 8))
    )


def test_own_is_the_label_where_all_have_the_same(engine: Engine) -> None:
    one = {"source__images": "[{dataset: colored-mnist, digit: 3, count: 2}]"}
    run(engine, plan(DIGITS, **one))
    same, _ = run(engine, plan(DIGITS, **one, source__label="3"))
    assert same.nfe == {"encode": 0, "decode": 0}


def test_digits_come_back_to_their_own(engine: Engine) -> None:
    made = plan(DIGITS, chain="[{checkpoint: cmnist-digits, label: own}]")
    assert made.is_cycle(made.variants[0])
    ending, _ = run(engine, made)
    assert {"cycle_psnr", "target_accuracy"} <= set(ending.metrics[0])
    forth = plan(DIGITS, chain="[{checkpoint: cmnist-digits, label: 3}]")
    assert not forth.is_cycle(forth.variants[0])
