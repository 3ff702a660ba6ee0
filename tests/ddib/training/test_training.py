"""Training: it learns, it resumes where it was, it says what is wrong."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from ddib.checkpoints.header import read_facts
from ddib.checkpoints.loading import load, load_classifier, load_probe
from ddib.data.mnist import PACKAGED_MNIST
from ddib.data.source import TrainingRequest
from ddib.data.sources.image_files import ImageFiles
from ddib.data.training import ColoredDigits, TrainingData
from ddib.errors import InputError, RunError
from ddib.networks.configurations import UNetConfig
from ddib.networks.unet import UNet
from ddib.training.classifiers import accuracy, train_classifier, train_probe
from ddib.training.configuration import TrainingConfig
from ddib.training.denoisers import train_denoiser

SMALL = UNetConfig(model_channels=32, channel_mult=(1,), num_heads=1, patch_size=4)
CONFIG = TrainingConfig(steps=12, batch=4, warmup=2, precision="float32")


@pytest.fixture(scope="module")
def digits() -> ColoredDigits:
    return ColoredDigits(PACKAGED_MNIST, (5, 7), "test")


def train(out: Path, data: TrainingData, config: TrainingConfig = CONFIG) -> None:
    for _ in train_denoiser(out, domain="test", data=data, architecture=SMALL, config=config):
        pass


def test_a_batch_is_colored_digits_with_their_labels(digits: ColoredDigits) -> None:
    images, labels = digits.batch(64, torch.Generator().manual_seed(0))
    assert images.shape == (64, 3, 32, 32)
    assert set(labels.tolist()) == {5, 7}
    again, _ = digits.batch(64, torch.Generator().manual_seed(0))
    assert torch.equal(images, again)


def test_a_training_that_was_stopped_goes_on_as_if_it_had_not_been(
    digits: ColoredDigits, tmp_path: Path
) -> None:
    train(tmp_path / "whole.safetensors", digits)
    out = tmp_path / "stopped.safetensors"
    progress = train_denoiser(out, domain="test", data=digits, architecture=SMALL, config=CONFIG)
    while next(progress).step < 5:
        pass
    progress.close()
    assert not out.exists()
    assert (tmp_path / "stopped.training.pt").exists()
    train(out, digits)
    whole, stopped = load(tmp_path / "whole.safetensors"), load(out)
    expected, found = whole.denoiser.network, stopped.denoiser.network
    assert isinstance(expected, UNet) and isinstance(found, UNet)
    for name, tensor in expected.state_dict().items():
        assert torch.equal(tensor, found.state_dict()[name]), name
    assert not (tmp_path / "stopped.training.pt").exists()
    assert Image.open(tmp_path / "stopped.samples.png").size == (256, 256)


def test_facts_say_how_it_was_made(digits: ColoredDigits, tmp_path: Path) -> None:
    out = tmp_path / "a.safetensors"
    train(out, digits)
    facts = read_facts(out)
    assert facts.labels == (5, 7)
    assert facts.training["steps_done"] == 12
    assert facts.training["seed"] == 0
    assert facts.data["images"] == 200
    assert facts.thumbnail is not None
    assert facts.thumbnail.startswith(b"\x89PNG")


def test_a_folder_of_pictures(tmp_path: Path) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for index in range(3):
        level = np.full((20, 20, 3), 80 * index, np.uint8)
        Image.fromarray(level).save(folder / f"{index}.png")
    data = ImageFiles.training_data(TrainingRequest(str(folder), size=16))
    train(tmp_path / "a.safetensors", data)
    facts = read_facts(tmp_path / "a.safetensors")
    assert (facts.image_size, facts.labels) == (16, ())
    with pytest.raises(InputError, match="no such folder"):
        ImageFiles.training_data(TrainingRequest(str(tmp_path / "none")))


def test_a_damaged_state_is_named(digits: ColoredDigits, tmp_path: Path) -> None:
    (tmp_path / "a.training.pt").write_bytes(b"not a state")
    with pytest.raises(InputError, match=r"a\.training\.pt: cannot be resumed"):
        train(tmp_path / "a.safetensors", digits)


def test_a_loss_that_is_not_finite_stops_it(digits: ColoredDigits, tmp_path: Path) -> None:
    mad = CONFIG.model_copy(update={"learning_rate": 1e30, "warmup": 0})
    with pytest.raises(RunError, match="no longer finite"):
        train(tmp_path / "a.safetensors", digits, mad)


def test_a_budget_is_needed(digits: ColoredDigits, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="budget"):
        train(tmp_path / "a.safetensors", digits, TrainingConfig())


def test_the_probe_learns_and_its_accuracy_is_recorded(
    digits: ColoredDigits, tmp_path: Path
) -> None:
    out = tmp_path / "probe.safetensors"
    config = TrainingConfig(steps=60, batch=32, warmup=5, precision="float32")
    for _ in train_probe(out, data=digits, held_out=digits, config=config):
        pass
    recorded = read_facts(out).training["held_out_accuracy"]
    assert recorded > 0.9
    assert accuracy(load_probe(out), digits, 2000) == pytest.approx(recorded, abs=0.02)


def test_the_shipped_probe_reads_held_out_digits() -> None:
    """At least 98.5 %, on the packaged test digits in hues of their own."""
    data = ColoredDigits(PACKAGED_MNIST, tuple(range(10)), "test")
    assert accuracy(load_probe("cmnist-probe"), data, 4000) >= 0.985


def test_a_classifier_of_noisy_digits_learns(
    digits: ColoredDigits, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ddib.training.classifiers.HELD_OUT", 200)
    out = tmp_path / "classifier.safetensors"
    config = TrainingConfig(steps=120, batch=32, warmup=5, precision="float32")
    for _ in train_classifier(out, data=digits, held_out=digits, config=config):
        pass
    found = read_facts(out)
    assert (found.kind, found.shape, found.labels) == ("classifier", "32×32×3", (5, 7))
    assert found.training["held_out_accuracy"] > 0.8
    assert found.training["held_out_accuracy_at"]["10.0"] < found.training["held_out_accuracy"]


def test_the_shipped_classifier_reads_digits_through_noise() -> None:
    data = ColoredDigits(PACKAGED_MNIST, tuple(range(10)), "test")
    network, generator = load_classifier("cmnist-classifier").network, torch.Generator()
    generator.manual_seed(0)

    def logits(images: Tensor) -> Tensor:  # at σ = 1
        z = (images + torch.randn(images.shape, generator=generator)) / 2**0.5
        return network(z, torch.tensor([1.0]))

    assert accuracy(logits, data, 1000) > 0.95
