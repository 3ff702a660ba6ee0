"""Checkpoints: what a header says, and every way in which a file can be bad."""

import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from ddib.checkpoints.files import ZOO
from ddib.checkpoints.header import CheckpointFacts, read_facts
from ddib.checkpoints.loading import load, load_classifier, load_probe
from ddib.checkpoints.writing import write_checkpoint
from ddib.errors import InputError
from ddib.networks.configurations import UNetConfig
from ddib.networks.unet import UNet

SMALL = UNetConfig(model_channels=32, channel_mult=(1,), num_heads=1)


def facts(**changes: object) -> CheckpointFacts:
    return CheckpointFacts.model_validate(
        {
            "kind": "denoiser",
            "domain": "test sevens",
            "labels": (7,),
            "image_size": 8,
            "channels": 3,
            "architecture": SMALL,
            "parameters": 1,
            **changes,
        }
    )


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    path = tmp_path / "small.safetensors"
    torch.manual_seed(0)
    write_checkpoint(path, UNet(SMALL).state_dict(), facts())
    return path


def test_facts_and_weights_come_back(checkpoint: Path) -> None:
    assert read_facts(checkpoint) == facts()
    model = load(checkpoint)
    network = model.denoiser.network
    assert isinstance(network, UNet)
    torch.manual_seed(0)
    for name, tensor in UNet(SMALL).state_dict().items():
        assert torch.equal(network.state_dict()[name], tensor.half().float())
    assert model.name == "small"
    assert list(checkpoint.parent.iterdir()) == [checkpoint]


def test_every_checkpoint_of_the_zoo_loads() -> None:
    paths = sorted(ZOO.glob("*.safetensors"))
    assert {path.stem for path in paths if path.stem.startswith("cmnist-")} == {
        "cmnist-classifier",
        "cmnist-digits",
        "cmnist-fives",
        "cmnist-probe",
        "cmnist-sevens",
    }
    assert sum(path.stat().st_size for path in paths) < 25e6
    for path in paths:
        found = read_facts(path)
        loaders: dict[str, Callable[[Path], Any]] = {
            "probe": load_probe,
            "classifier": lambda path: load_classifier(path).network,
            "denoiser": lambda path: load(path).denoiser.network,
        }
        assert sum(p.numel() for p in loaders[found.kind](path).parameters()) == found.parameters
        assert found.training["command"].startswith("ddib-workbench train ")
        assert found.training["steps_done"] > 1000


def header(content: bytes, claimed: int | None = None) -> bytes:
    return struct.pack("<Q", len(content) if claimed is None else claimed) + content


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not a safetensors file"),
        (b"PK\x03\x04 a zip, such as torch.save makes", "not a safetensors file"),
        (header(b"{}", claimed=100 * 2**30), "not a safetensors file, or cut off"),
        (header(b"{not json}"), "its header is wrong"),
        (header(b"[" * 100_000), "its header is wrong"),
        (header(b'{"__metadata__": {}}'), "without the workbench's facts"),
        (header(json.dumps({"__metadata__": {"ddib": "{}"}}).encode()), "bad facts in its header"),
    ],
)
def test_headers_that_are_not_ours(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "bad.safetensors"
    path.write_bytes(content)
    with pytest.raises(InputError, match=message) as info:
        read_facts(path)
    assert str(path) in str(info.value)


def test_a_file_cut_off(checkpoint: Path) -> None:
    checkpoint.write_bytes(checkpoint.read_bytes()[:-1000])
    with pytest.raises(InputError, match="cut off: 1,000 bytes are missing"):
        read_facts(checkpoint)


def test_weights_of_another_shape(checkpoint: Path) -> None:
    write_checkpoint(
        checkpoint, UNet(SMALL.model_copy(update={"model_channels": 64})).state_dict(), facts()
    )
    with pytest.raises(InputError, match="do not fit the architecture"):
        load(checkpoint)


def test_weights_that_are_not_numbers(checkpoint: Path) -> None:
    state = UNet(SMALL).state_dict()
    state["out.2.bias"][0] = torch.nan
    write_checkpoint(checkpoint, state, facts())
    with pytest.raises(InputError, match="NaN or infinite"):
        load(checkpoint)


def test_a_foreign_safetensors_file(tmp_path: Path) -> None:
    path = tmp_path / "foreign.safetensors"
    save_file({"a": torch.zeros(3)}, path)
    with pytest.raises(InputError, match="without the workbench's facts"):
        load(path)


def test_a_missing_one_and_the_wrong_kind(checkpoint: Path) -> None:
    with pytest.raises(InputError, match="no checkpoint 'nonesuch'"):
        load("nonesuch")
    with pytest.raises(InputError, match="a denoiser, not a probe"):
        load_probe(checkpoint)
    with pytest.raises(InputError, match="a probe, not a denoiser"):
        load("cmnist-probe")


def test_labels() -> None:
    single = facts()
    assert single.check_label(None) is None
    assert single.check_label(7) is None
    assert single.wanted_label(None) == 7
    with pytest.raises(InputError, match="no label 5 in a model of test sevens; it has 7") as info:
        single.check_label(5, "target.label")
    assert info.value.key == "target.label"
    classes = SMALL.model_copy(update={"num_classes": 3})
    many = facts(labels=(0, 1, 2), class_conditional=True, architecture=classes)
    assert many.check_label(2) == 2
    assert many.wanted_label(None) is None
