"""Weights of other programs: what is read off them, what is tried, and what is refused."""

import json
import os
import pickle
import struct
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from ddib.architectures import UNetConfig
from ddib.checkpoints import ZOO, load
from ddib.datasets import colored_mnist
from ddib.errors import InputError
from ddib.formats import guided
from ddib.formats.guided import Flags, parse_flags
from ddib.formats.identify import identify
from ddib.formats.weights import read_weights
from ddib.unet import UNet

SMALL = {"model_channels": 32, "channel_mult": (1, 2), "attention_factors": (2,)}
CONFIGS: dict[str, dict[str, object]] = {
    "plain": {"use_scale_shift_norm": False},
    "scale-shift norm": {},
    "resblock up and down": {"resblock_updown": True},
    "learned sigma": {"out_channels": 6},
    "class-conditional": {"num_classes": 10},
    "new attention order": {"use_new_attention_order": True, "num_head_channels": 16},
    "three levels, two blocks": {
        "num_res_blocks": 2, "channel_mult": (1, 1, 2), "attention_factors": (2, 4),
    },
    "no attention, half as wide first": {
        "model_channels": 64, "channel_mult": (0.5, 1), "attention_factors": (),
    },
    "one level": {"channel_mult": (1,), "attention_factors": (1,)},
    "patches": {"patch_size": 2},
}  # fmt: skip


def filled(network: UNet) -> UNet:
    generator = torch.Generator().manual_seed(0)
    for parameter in network.parameters():
        parameter.data = torch.randn(parameter.shape, generator=generator) * 0.1
    return network.eval()


@pytest.mark.parametrize("name", CONFIGS)
def test_the_architecture_is_read_off_the_weights(name: str, tmp_path: Path) -> None:
    config = UNetConfig.model_validate({**SMALL, **CONFIGS[name]})
    network = filled(UNet(config))
    path = tmp_path / "ema_0.9999_000100.pt"
    torch.save(network.state_dict(), path)
    said = Flags.model_validate(
        {
            "num_head_channels": config.num_head_channels or -1,
            "use_new_attention_order": config.use_new_attention_order,
            "patch_size": config.patch_size,
        }
    )
    state = read_weights(path)
    assert guided.recognises(state)
    assert guided.architecture(state, said) == config
    x = torch.randn((2, 3, 16, 16), generator=torch.Generator().manual_seed(1))
    labels = torch.tensor([1, 7]) if config.num_classes else None
    read = guided.network(state, config)
    with torch.no_grad():
        outs = [n(x, n.condition(torch.tensor([3.0, 700.0]), labels)) for n in (network, read)]
    assert torch.equal(*outs)


def test_flags_are_the_original_s() -> None:
    flags = parse_flags(
        "--image_size 32 --num_heads=2 --noise_schedule cosine --predict_xstart True "
        "--rescale_timesteps true --batch_size 128 --diffusion_steps 4000"
    )
    facts = guided.facts(UNet(UNetConfig(num_heads=2)).state_dict(), flags, "things")
    assert (facts.parameterisation, facts.image_size) == ("x0", 32)
    assert (facts.schedule.name, facts.schedule.steps) == ("cosine", 4000)
    assert facts.schedule.rescale_timesteps
    assert facts.architecture.num_heads == 2  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ("--num_channels 128", "num_channels: 128 in the flags, 64 in the weights"),
        ("--class_cond True", "class_cond: True in the flags, False in the weights"),
        ("--num_head 4", "num_head"),
        ("--num_heads four", "num_heads"),
        ("num_heads 4", "expected flags"),
        ("--attention_resolutions 64", "attention_resolutions"),
    ],
)
def test_flags_that_are_wrong_are_named(flags: str, said: str) -> None:
    state = UNet(UNetConfig(channel_mult=(1, 1), attention_factors=(2,))).state_dict()
    with pytest.raises(InputError, match=said):
        guided.architecture(state, parse_flags(flags))


def test_timesteps_are_rescaled_where_the_network_was_told_so(tmp_path: Path) -> None:
    from ddib.checkpoints import write_checkpoint

    state = UNet(UNetConfig(channel_mult=(1,))).state_dict()
    times = []
    for words in ("", "--rescale_timesteps true"):
        facts = guided.facts(state, parse_flags(f"--diffusion_steps 4000 {words}"), "things")
        write_checkpoint(tmp_path / "x.safetensors", state, facts)
        model = load(tmp_path / "x.safetensors")
        times.append(model.denoiser.timestep(float(model.sigmas[2000])))
    assert times == pytest.approx([2000, 500])


def test_identify_finds_what_the_zoo_s_digits_are(tmp_path: Path) -> None:
    path = tmp_path / "bare.pt"
    network = load(ZOO / "cmnist-digits.safetensors").denoiser.network
    torch.save(network.state_dict(), path)  # type: ignore[attr-defined]
    found = identify(read_weights(path), colored_mnist(8, 16), Flags(), label=8)
    best = found[0].flags
    assert (best.predict_v, best.predict_xstart, best.noise_schedule) == (True, False, "linear")
    assert (best.patch_size, best.num_heads, best.num_head_channels) == (2, 4, -1)
    assert not best.use_new_attention_order
    assert best.image_size == 32


# ---- hostile files


class Bomb:
    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Callable[[str], int], tuple[str]]:
        return os.system, (f"touch {self.mark}",)


def hostile(name: str, folder: Path) -> Path:
    path, mark = folder / f"{name.replace(' ', '-')}.pt", folder / "executed"
    state: dict[str, Tensor] = dict(UNet(UNetConfig(channel_mult=(1,))).state_dict())
    if name == "pickle":
        path.write_bytes(pickle.dumps(Bomb(mark)))
    elif name == "pickle in torch's archive":
        torch.save({"model": Bomb(mark)}, path)
    elif name == "zip bomb":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("archive/data.pkl", b"\0" * 50_000_000)
    elif name == "cut off":
        torch.save(state, path)
        path.write_bytes(path.read_bytes()[:-1000])
    elif name == "NaN":
        state["out.2.weight"] = torch.full_like(state["out.2.weight"], torch.nan)
        torch.save(state, path)
    elif name == "wrong shapes":
        state["out.2.weight"] = torch.zeros(3, 5, 3, 3)
        torch.save(state, path)
    elif name == "no tensors":
        torch.save({"a": [1, 2]}, path)
    elif name == "header of 100 GB":
        path.write_bytes(struct.pack("<Q", 100 * 2**30) + b"{}")
    elif name == "tensor of 100 GB":
        header = {"x": {"dtype": "F32", "shape": [25 * 2**30], "data_offsets": [0, 100 * 2**30]}}
        text = json.dumps(header).encode()
        path.write_bytes(struct.pack("<Q", len(text)) + text)
    elif name == "another program's":
        save_file({"down.0.weight": torch.zeros(3)}, path)
    return path


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("pickle", "executes code"),
        ("pickle in torch's archive", "could execute code"),
        ("zip bomb", "packed archive"),
        ("cut off", "damaged"),
        ("NaN", "NaN"),
        ("wrong shapes", "fit no U-Net"),
        ("no tensors", "no dictionary of tensors"),
        ("header of 100 GB", "damaged"),
        ("tensor of 100 GB", "damaged"),
        ("another program's", "not named"),
        ("missing", "cannot be read"),
    ],
)
def test_hostile_files_are_refused_with_one_message(
    name: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from rich.console import Console

    from workbench.importing import import_weights

    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    path = hostile(name, tmp_path)
    with pytest.raises(InputError, match=said) as refused:
        import_weights(path, "x", "things", (), None, None, False, Console())
    assert str(path) in str(refused.value)
    assert not (tmp_path / "executed").exists()
    assert not list((tmp_path / "data").rglob("*.safetensors"))


def test_imported_weights_are_a_checkpoint_of_the_library(tmp_path: Path) -> None:
    path = tmp_path / "model100.pt"
    torch.save(filled(UNet(UNetConfig(channel_mult=(1,)))).state_dict(), path)
    (tmp_path / "model100.flags").write_text("--image_size 16 --noise_schedule cosine\n")
    before = path.read_bytes()
    command = [sys.executable, "-m", "workbench", "checkpoints", "import", str(path)]
    environment = os.environ | {"XDG_DATA_HOME": str(tmp_path / "data")}
    done = subprocess.run(
        [*command, "--name", "mine", "--domain", "things"],
        env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    written = Path(done.stdout.strip())
    facts = load(written).facts
    assert (written.stem, facts.domain, facts.image_size) == ("mine", "things", 16)
    assert (facts.parameterisation, facts.schedule.name) == ("epsilon", "cosine")
    assert facts.data["imported_from"] == "model100.pt"
    assert path.read_bytes() == before
    again = subprocess.run(
        [*command, "--name", "mine"], env=environment, capture_output=True, text=True, check=False
    )
    assert again.returncode == 2
    assert "--force" in again.stderr
