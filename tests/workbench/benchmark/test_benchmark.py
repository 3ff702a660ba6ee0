"""The benchmark's figures: a wrong one would be believed."""

import importlib.util
import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from functools import partial
from math import inf
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

import ddib
from ddib.errors import InputError
from ddib.measures.images import rmse
from ddib.solvers.scheme import SOLVERS
from ddib.solvers.solver import Solver
from workbench.benchmark import command, frontier, network, original, overhead, peers
from workbench.benchmark.frontier import Found, Point
from workbench.benchmark.peer import Peer
from workbench.benchmark.report import Column, Report, Table, as_json, as_markdown
from workbench.benchmark.subject import Subject, load_subject

COMMAND = [sys.executable, "-m", "workbench", "bench"]
needs_diffusers = pytest.mark.skipif(
    importlib.util.find_spec("diffusers") is None,
    reason="diffusers is not installed: pip install 'ddib-workbench[bench]'",
)


@pytest.fixture(scope="module")
def subject() -> Subject:
    return load_subject(torch.device("cpu"), 1, Solver(name="dpmpp_3m", steps=100))


# ---- the command


@pytest.mark.slow
def test_the_command_prints_what_it_writes(tmp_path: Path) -> None:
    done = subprocess.run(
        [*COMMAND, "--images", "1", "--nfe", "2", "--repeats", "1",
         "--json", "bench.json", "--markdown", "bench.md"],
        capture_output=True, text=True, cwd=tmp_path, check=False,
        env=os.environ | {"PYTHONPATH": without_diffusers(tmp_path)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout == (tmp_path / "bench.md").read_text()
    assert "pip install 'ddib-workbench[bench]'" in done.stdout
    assert "--original PATH" in done.stdout
    found = json.loads((tmp_path / "bench.json").read_text())
    assert found["status"] == "done"
    rows = found["tables"]["frontier"]["rows"]
    assert {row["solver"] for row in rows} == set(SOLVERS)
    assert all(row["seconds"] > 0 for row in rows)
    for row in rows:
        start = f"| {row['solver']} | {row['grid']} |"
        (line,) = [line for line in done.stdout.splitlines() if line.startswith(start)]
        assert line.endswith(
            f" {row['nfe_encode']} | {row['nfe_decode']} | {row['cycle_psnr']:.1f} "
            f"| {row['latent_rmse']:.4f} | {row['translation_rmse']:.4f} | {row['seconds']:.2f} |"
        )
    assert {row["direction"] for row in found["tables"]["overhead"]["rows"]} == {
        "encode",
        "decode",
    }


def without_diffusers(folder: Path) -> str:
    """A path of imports on which diffusers cannot be imported."""
    blocked = folder / "blocked"
    (blocked / "diffusers").mkdir(parents=True)
    (blocked / "diffusers" / "__init__.py").write_text("raise ImportError('not here')")
    return os.pathsep.join([str(blocked), os.environ.get("PYTHONPATH", "")])


@pytest.mark.slow
def test_an_interrupted_run_keeps_what_was_finished(tmp_path: Path) -> None:
    child = subprocess.Popen(
        [*COMMAND, "--images", "1", "--nfe", "1", "--nfe", "500", "--json", "bench.json"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path,
    )  # fmt: skip
    assert child.stderr is not None
    for line in child.stderr:
        if "500" in line:
            break
    child.send_signal(signal.SIGINT)
    stdout, stderr = child.communicate(timeout=60)
    assert child.returncode == 130, stderr
    assert "interrupted" in stdout
    found = json.loads((tmp_path / "bench.json").read_text())
    assert found["status"] == "interrupted"
    assert [row["steps"] for row in found["tables"]["frontier"]["rows"]] == [1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--json", "there.json"], "there.json is there already"),
        (["--markdown", "."], "a folder"),
        (["--original", "."], "no guided_diffusion/gaussian_diffusion.py"),
        (["--images", "100000"], "count 100000 is more than"),
    ],
)
@pytest.mark.slow
def test_what_cannot_work_is_refused_at_once(
    tmp_path: Path, arguments: list[str], message: str
) -> None:
    (tmp_path / "there.json").write_text("mine")
    done = subprocess.run(
        [*COMMAND, *arguments],
        capture_output=True, text=True, cwd=tmp_path, check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert done.returncode == 2, done.stderr
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert (tmp_path / "there.json").read_text() == "mine"


def test_a_file_is_replaced_after_asking_only(tmp_path: Path) -> None:
    path = tmp_path / "bench.json"
    path.write_text("mine")
    with pytest.raises(InputError):
        command.check_outputs({"json": path}, lambda _: False)
    (output,) = command.check_outputs({"json": path}, lambda _: True)
    command.write(Report({}, []), [output])
    assert json.loads(path.read_text())["status"] == "interrupted"


# ---- the tables


def test_markdown_and_json_say_the_same() -> None:
    table = Table("t", "Title", (Column("name", "name"), Column("value", "v", ".2f")), "Read so.")
    table.rows += [{"name": "a", "value": 1.005}, {"name": "b", "value": inf}]
    table.rows.append({"name": "c", "value": None})
    empty = Table("e", "Empty", (), "Read so.")
    report = Report({"cpu": "x"}, [table, empty], "done")
    assert as_markdown(report) == (
        "cpu x\n\n## Title\n\n| name | v |\n|---|--:|\n| a | 1.00 |\n| b | ∞ |\n| c | – |\n\n"
        "- Read so.\n"
    )
    written = json.loads(as_json(report))["tables"]
    assert [row["value"] for row in written["t"]["rows"]] == [1.005, None, None]
    assert "e" not in written


# ---- solvers


def remember(subject: Subject, latent: Tensor, translation: Tensor) -> None:
    """Take these for the exact solution."""
    vars(subject).update(latent=latent, translation=translation)


def test_the_exact_solution_has_no_error_against_itself(subject: Subject) -> None:
    solver = Solver(name="dpmpp_2m", steps=3)
    exact = replace(subject)
    latent = ddib.encode(subject.images, subject.source, solver)
    remember(exact, latent, ddib.decode(latent, subject.target, solver))
    point = frontier.measure(exact, solver)
    assert point.latent_rmse == 0
    assert point.translation_rmse == 0
    assert (point.nfe_encode, point.nfe_decode) == (3, 3)
    cycled = ddib.decode(latent, subject.source, solver)
    wanted = ddib.psnr(cycled, subject.images).mean().item()
    assert point.cycle_psnr == pytest.approx(wanted)


def test_errors_fall_towards_the_exact_solution(subject: Subject) -> None:
    few, many = (
        frontier.measure(subject, Solver(name="dpmpp_2m", steps=steps)) for steps in (10, 50)
    )
    assert many.latent_rmse < few.latent_rmse / 8
    assert many.latent_rmse < 0.01
    assert many.translation_rmse < 0.02


def test_a_chunk_more_is_no_evaluation_more(subject: Subject) -> None:
    many = replace(subject, images=subject.images[:1].repeat(17, 1, 1, 1))
    remember(many, many.images, many.images)
    assert frontier.measure(many, Solver(steps=1)).nfe_encode == 1


def test_settings_spend_the_same_and_fit_their_grids() -> None:
    chosen = list(frontier.settings((6, 10), (1e-2,), frontier.grids(full=True), 1000))
    assert {solver.evaluations for solver in chosen} <= {6, 10, None}
    on_reference = [solver for solver in chosen if solver.grid == "reference"]
    assert [(solver.name, solver.steps) for solver in on_reference] == [("ddim", 10)]
    assert {solver.name for solver in chosen} == set(SOLVERS)


# ---- peers


def test_ours_is_the_cheapest_within_the_bound() -> None:
    settings = [setting(nfe=20, error=0.01), setting(nfe=12, error=0.03), setting(10, error=0.05)]
    assert peers.cheapest(settings, 0.03) == settings[1]
    assert peers.cheapest(settings, 0.001) is None
    assert peers.cheapest(settings, 0.03, cycle_psnr=15) == settings[0]
    assert peers.cheapest(settings, 0.03, cycle_psnr=99) is None


def setting(nfe: int, error: float) -> Found:
    reached = Point("dpmpp_3m", "log", nfe, None, nfe, nfe, float(nfe), error, 0.0, 0.0)
    return Found(Solver(name="dpmpp_3m", steps=nfe), reached)


def test_ratio_is_of_the_times_that_a_clock_shows(
    subject: Subject, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 0.0

    def slow(z: Tensor) -> Tensor:
        nonlocal now
        now += 30
        return z

    def quick(z: Tensor, *, model: object, solver: object) -> Tensor:
        nonlocal now
        now += 0.5
        return z

    monkeypatch.setattr(Subject, "clock", property(lambda _: lambda: now))
    monkeypatch.setattr(ddib, "encode", quick, raising=False)
    monkeypatch.setattr(ddib, "decode", quick, raising=False)
    peer = Peer("slow", 50, slow, slow, lambda: subject.images + 0.2, bound=0.1)
    monkeypatch.setattr(ddib, "psnr", lambda *_: torch.tensor([15.0]), raising=False)
    settings = [setting(nfe=12, error=0.019), setting(nfe=20, error=0.01)]
    theirs, ours, no_worse = peers.compare(subject, peer, settings, 2)
    assert theirs.latent_rmse == pytest.approx(0.2)
    assert theirs.wanted == pytest.approx(0.02)
    assert theirs.seconds == 60
    assert ours.seconds == 1
    assert ours.ratio == 60
    assert (ours.nfe, no_worse.nfe) == (12, 20)
    theirs, ours = peers.compare(subject, peer, [setting(nfe=12, error=0.03)], 1)
    assert ours.ratio is None


@needs_diffusers
def test_diffusers_walks_as_our_ddim_does(subject: Subject) -> None:
    from diffusers import DDIMScheduler

    from workbench.benchmark import huggingface

    model, noise = subject.source, torch.randn(2, 3, 32, 32)
    scheduler = DDIMScheduler(
        beta_start=1e-4, beta_end=0.02, prediction_type="v_prediction", clip_sample=False
    )
    theirs = huggingface.walk(scheduler, model, noise, 20)
    ours = ddib.decode(noise, model, Solver(name="ddim", grid="reference", steps=20))
    assert rmse(theirs, ours) < 1e-4


@needs_diffusers
def test_a_fine_inverse_of_diffusers_nears_our_exact_latent(subject: Subject) -> None:
    from workbench.benchmark import huggingface

    errors = [
        rmse(peer.encode(subject.images), peer.exact())
        for peer in (
            huggingface.multistep(subject, 20, karras=True),
            huggingface.multistep(subject, 50, karras=True),
        )
    ]
    assert errors[1] < 0.05
    assert errors[1] < errors[0]


FAKE_CHECKOUT = {
    "gaussian_diffusion": """
import enum
class ModelMeanType(enum.Enum): START_X = 1
class ModelVarType(enum.Enum): FIXED_LARGE = 1
class LossType(enum.Enum): MSE = 1
""",
    "respace": """
import numpy as np
def space_timesteps(count, words):
    return range(0, count, count // int(words.removeprefix("ddim")))
class SpacedDiffusion:
    def __init__(self, use_timesteps, betas, **kinds):
        self.timesteps = list(use_timesteps)
        self.num_timesteps = len(self.timesteps)
        self.levels = np.append(np.cumprod(1 - betas)[self.timesteps], 0.0)
    def ddim_reverse_sample(self, model, x, t, clip_denoised):
        i = int(t[0])
        here, there = self.levels[i], self.levels[i + 1]
        x0 = model(x, t * 0 + self.timesteps[i])
        noise = (x - here**0.5 * x0) / (1 - here) ** 0.5
        return {"sample": there**0.5 * x0 + (1 - there) ** 0.5 * noise}
""",
    "unet": """
from torch import nn
from ddib.networks.configurations import UNetConfig
from ddib.networks.unet import UNet
class UNetModel(UNet):
    def __init__(self, *, image_size, attention_resolutions, **words):
        super().__init__(UNetConfig(attention_factors=attention_resolutions, **words))
    def forward(self, x, timesteps):
        return super().forward(x, self.condition(timesteps[:1]))
""",
}


def test_a_checkout_is_run_with_our_weights_on_its_own_loops(
    subject: Subject, tmp_path: Path
) -> None:
    """A checkout that has the step alone, as openai's: DDIM's equation 12 at ᾱ of our schedule."""
    package = tmp_path / "guided_diffusion"
    package.mkdir()
    for name, text in FAKE_CHECKOUT.items():
        (package / f"{name}.py").write_text(text)
    before = list(sys.path)
    (peer,) = original.peers(subject, tmp_path, full=False)
    assert sys.path == before
    solver = Solver(name="ddim", grid="reference", steps=peer.evaluations)
    latent = ddib.encode(subject.images, subject.source, solver)
    assert rmse(peer.encode(subject.images), latent) < 1e-4


# ---- network and overhead


class Ticking(nn.Module):
    """A network whose forward pass takes nine seconds of its own clock."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def forward(self, x: Tensor) -> Tensor:
        self.now += 9
        return x


def test_the_share_outside_is_what_the_clock_did_not_see_inside() -> None:
    network = Ticking()

    def work() -> None:
        for _ in range(3):
            network(torch.zeros(1))
            network.now += 1  # outside

    assert overhead.split(work, network, lambda: network.now) == (30, 27)
    work()  # no longer measured: the hooks are gone
    assert not network._forward_hooks
    assert not network._forward_pre_hooks


def test_the_share_of_real_solves_is_a_share(subject: Subject) -> None:
    for row in overhead.measure(subject, Solver(steps=2), 1):
        assert 0 < row.network_seconds < row.seconds
        assert 0 < row.outside < 0.5


def test_operations_are_counted_two_for_a_multiply_and_add() -> None:
    convolution = nn.Conv2d(3, 8, 3, padding=1, bias=False)
    counted = network.operations(partial(convolution, torch.zeros(2, 3, 16, 16)))
    assert counted == 2 * (2 * 16 * 16) * (8 * 3 * 3 * 3)


def test_speeds_agree_with_their_times(subject: Subject) -> None:
    one, two, *channels_last = network.measure(subject, "float32", (1, 2), 1)
    assert one.difference == two.difference == 0
    assert all(speed.difference < 1e-4 for speed in channels_last)
    assert one.gflops * one.milliseconds == pytest.approx(two.gflops * two.milliseconds / 2)
    assert two.share == pytest.approx(two.gflops / two.product_gflops)
