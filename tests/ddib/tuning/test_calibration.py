"""Calibration: the choice by its rule, what it measures, and what is stored."""

from pathlib import Path

import pytest
import torch

import ddib
from ddib.checkpoints.files import resolve
from ddib.checkpoints.header import CheckpointFacts
from ddib.checkpoints.loading import load
from ddib.checkpoints.writing import write_checkpoint
from ddib.denoising.evaluation import FLOAT32, Evaluation
from ddib.errors import RunError
from ddib.networks.configurations import UNetConfig
from ddib.networks.unet import UNet
from ddib.tuning import calibration
from ddib.tuning.calibration import (
    ERROR_BOUND,
    Measurement,
    choose_evaluation,
    choose_fastest,
    find_calibration,
    read_calibrations,
)

BF16 = Evaluation(precision="bf16")
LAST = Evaluation(channels_last=True)


def measured(
    evaluation: Evaluation, milliseconds: float, error: float | None = 0.0, problem: str = ""
) -> Measurement:
    times = {1: 1.0, 16: milliseconds} if error is not None else {1: milliseconds}
    return Measurement(evaluation=evaluation, milliseconds=times, error=error, problem=problem)


@pytest.mark.parametrize(
    ("others", "wanted"),
    [
        ([measured(LAST, 20), measured(BF16, 10, 0.004)], BF16),
        ([measured(LAST, 20), measured(BF16, 10, ERROR_BOUND * 1.01)], LAST),
        ([measured(LAST, 29), measured(BF16, 30, 0.001)], FLOAT32),  # within the noise of timing
        ([measured(LAST, 20), measured(BF16, 19.5, 0.001)], LAST),
        ([measured(LAST, 400, None, "much slower"), measured(BF16, 31)], FLOAT32),
        ([Measurement(evaluation=BF16, problem="no such kernel")], FLOAT32),
    ],
)
def test_the_fastest_within_the_bound(others: list[Measurement], wanted: Evaluation) -> None:
    assert choose_fastest([measured(FLOAT32, 30), *others]) == wanted


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    small = UNetConfig(model_channels=32, channel_mult=(1,), num_heads=1)
    path = tmp_path / "small.safetensors"
    facts = CheckpointFacts(
        kind="denoiser",
        domain="test",
        image_size=8,
        channels=3,
        architecture=small,
        parameters=0,
    )
    write_checkpoint(path, UNet(small).state_dict(), facts)
    return path


def test_what_is_stored_is_used_and_what_is_damaged_is_not(
    checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calibration, "SECONDS", 0.0)
    monkeypatch.setattr(calibration, "STEADY", 1e9)
    folder = tmp_path / "calibration"
    first = choose_evaluation(checkpoint, "cpu", "auto", folder)
    assert find_calibration(checkpoint, "cpu", folder) == read_calibrations(folder)[0]
    assert read_calibrations(folder)[0].measurements[0].error == 0
    (place,) = folder.glob("*.json")
    written = place.stat().st_mtime_ns
    assert choose_evaluation(checkpoint, "cpu", "auto", folder) == first
    assert place.stat().st_mtime_ns == written
    place.write_text(place.read_text()[:-20])
    assert read_calibrations(folder) == []
    assert find_calibration(checkpoint, "cpu", folder) is None
    choose_evaluation(checkpoint, "cpu", "auto", folder)
    assert find_calibration(checkpoint, "cpu", folder) is not None
    assert [path.suffix for path in folder.iterdir()] == [".json"]


def test_a_disturbed_measurement_is_not_kept(
    checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calibration, "SECONDS", 0.0)
    monkeypatch.setattr(calibration, "STEADY", 1.0)
    with pytest.raises(RunError, match="repeat it when the machine is quiet"):
        list(calibration.calibrate(checkpoint, "cpu", tmp_path / "none"))
    assert choose_evaluation(checkpoint, "cpu", "auto", tmp_path / "none") == FLOAT32
    assert not (tmp_path / "none").exists()


def test_what_is_asked_for_is_not_measured(checkpoint: Path, tmp_path: Path) -> None:
    assert choose_evaluation(checkpoint, "cpu", "bf16", tmp_path / "none") == BF16
    assert choose_evaluation(checkpoint, "cpu", "float32", tmp_path / "none") == FLOAT32
    assert not (tmp_path / "none").exists()


def test_bf16_stays_near_float32() -> None:
    exact, half = load("cmnist-fives"), load("cmnist-fives", evaluation=BF16)
    assert (str(exact.evaluation), str(half.evaluation)) == ("float32", "bf16")
    images = ddib.colored_mnist(digit=5, count=4, seed=0)
    latent, other = ddib.encode(images, exact), ddib.encode(images, half)
    assert other.dtype == torch.float32
    assert 0 < float((latent - other).square().mean().sqrt()) < ERROR_BOUND
    back, other = ddib.decode(latent, exact), ddib.decode(latent, half)
    assert 0 < float((back - other).square().mean().sqrt()) < ERROR_BOUND


def test_channels_last_only_rounds_differently() -> None:
    z = torch.randn((2, 3, 32, 32), generator=torch.Generator().manual_seed(0))
    path = resolve("cmnist-digits")
    one, other = (load(path, evaluation=way).denoiser(z, 0.7, 3) for way in (FLOAT32, LAST))
    assert torch.allclose(one, other, atol=1e-5)
