"""Weights of guided-diffusion's kind: what is read off them, and what is tried."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from ddib.checkpoints.loading import load
from ddib.checkpoints.schedule import Schedule
from ddib.checkpoints.weights import assemble
from ddib.errors import InputError
from ddib.formats import guided
from ddib.formats.format import FORMATS, Domain, Opened, Samples, Source, register_format
from ddib.formats.guided_unet import GuidedFlags, read_architecture
from ddib.formats.identify import identify, splits
from ddib.formats.opening import known_formats, open_source, parse_flags, recognise
from ddib.networks.configurations import UNetConfig
from ddib.networks.unet import UNet

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
    said = GuidedFlags.model_validate(
        {
            "num_head_channels": config.num_head_channels or -1,
            "use_new_attention_order": config.use_new_attention_order,
            "patch_size": config.patch_size,
        }
    )
    source = Source(path)
    assert recognise(source) is guided.FORMAT
    assert read_architecture(source.state, said) == config
    x = torch.randn((2, 3, 16, 16), generator=torch.Generator().manual_seed(1))
    labels = torch.tensor([1, 7]) if config.num_classes else None
    read = assemble(config, source.state)
    with torch.no_grad():
        outs = [n(x, n.condition(torch.tensor([3.0, 700.0]), labels)) for n in (network, read)]
    assert torch.equal(*outs)


def saved(network: UNet, folder: Path) -> Source:
    torch.save(network.state_dict(), folder / "model.pt")
    return Source(folder / "model.pt")


def read(source: Source, flags: str = "") -> Opened:
    kind = recognise(source)
    return open_source(source, kind, parse_flags(flags, kind.flags), Domain("things"))


def test_flags_are_the_original_s(tmp_path: Path) -> None:
    flags = (
        "--image_size 32 --num_heads=2 --noise_schedule cosine --predict_xstart True "
        "--rescale_timesteps true --batch_size 128 --diffusion_steps 4000"
    )
    facts = read(saved(UNet(UNetConfig(num_heads=2)), tmp_path), flags).facts
    assert (facts.parameterisation, facts.image_size) == ("x0", 32)
    assert (facts.schedule.name, facts.schedule.steps) == ("cosine", 4000)
    assert facts.schedule.rescale_timesteps
    assert facts.architecture.num_heads == 2  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ("--num_channels 128", "num_channels is 128 in the flags and 64 in the weights"),
        ("--class_cond True", "class_cond is True in the flags and False in the weights"),
        ("--num_head 4", "num_head"),
        ("--num_heads four", "num_heads"),
        ("num_heads 4", "flags and values"),
        ("--attention_resolutions 64", "attention_resolutions"),
    ],
)
def test_flags_that_are_wrong_are_named(flags: str, said: str) -> None:
    state = UNet(UNetConfig(channel_mult=(1, 1), attention_factors=(2,))).state_dict()
    with pytest.raises(InputError, match=said):
        read_architecture(state, parse_flags(flags, GuidedFlags))


def test_timesteps_are_rescaled_where_the_network_was_told_so(tmp_path: Path) -> None:
    from ddib.checkpoints.writing import write_checkpoint

    source = saved(UNet(UNetConfig(channel_mult=(1,))), tmp_path)
    times = []
    for words in ("", "--rescale_timesteps true"):
        facts = read(source, f"--diffusion_steps 4000 {words}").facts
        write_checkpoint(tmp_path / "x.safetensors", source.state, facts)
        model = load(tmp_path / "x.safetensors")
        times.append(model.denoiser.timestep(float(model.sigmas[2000])))
    assert times == pytest.approx([2000, 500])


def test_every_format_says_what_it_is_recognised_by() -> None:
    for known in known_formats():
        assert known.name and known.sign
        known.flags.model_validate({})


def test_two_formats_that_recognise_one_file_are_an_error(tmp_path: Path) -> None:
    source = saved(UNet(UNetConfig(channel_mult=(1,))), tmp_path)
    known_formats()
    before = dict(FORMATS)
    register_format(replace(guided.FORMAT, name="another"))
    try:
        with pytest.raises(InputError, match=r"could be of guided-diffusion .* and another"):
            recognise(source)
    finally:
        FORMATS.replace_members(before)


def test_a_schedule_is_called_by_its_name_where_its_betas_are_that_one_s() -> None:
    for name in ("linear", "cosine", "sigmoid"):
        alpha_bar = 1 / (1 + Schedule(name=name, steps=50).sigmas ** 2)
        betas = (1 - alpha_bar / np.append(1, alpha_bar[:-1])).astype(np.float32)
        assert Schedule.of_betas(betas.tolist()) == Schedule(name=name, steps=50)
    own = Schedule.of_betas([0.1, 0.2, 0.3])
    assert (own.name, own.steps) == ("custom", 3)
    kept = np.cumprod([0.9, 0.8, 0.7])
    assert own.sigmas == pytest.approx(np.sqrt((1 - kept) / kept))
    with pytest.raises(InputError, match="not finite"):
        Schedule.of_betas([0.1, 1.0])


def test_identify_keeps_what_was_said() -> None:
    network = filled(UNet(UNetConfig.model_validate({**SMALL, "num_heads": 2})))
    samples = Samples(torch.zeros(3, 3, 8, 8), torch.full((3,), -1))
    known = GuidedFlags(noise_schedule="cosine", num_heads=2, patch_size=1, predict_v=True)
    found = identify(network.state_dict(), samples, known)
    assert {(c.flags.noise_schedule, c.flags.predicts) for c in found.candidates} == {
        ("cosine", "v")
    }
    assert {c.flags.num_heads for c in found.candidates} == {2}
    assert {c.flags.use_new_attention_order for c in found.candidates} == {False, True}
    assert 0.5 <= found.sure <= 1


def test_identify_tries_each_way_of_splitting_heads_once() -> None:
    """Of layers 64 wide, 4 heads are 16 channels a head; one head has no order."""
    state = UNet(UNetConfig.model_validate(SMALL)).state_dict()
    tried = list(splits(state, GuidedFlags(), frozenset()))
    assert [(f.num_heads, f.use_new_attention_order) for f in tried] == [
        *((heads, False) for heads in (1, 2, 4, 8, 16)),
        *((heads, True) for heads in (2, 4, 8, 16)),
    ]
    mixed = UNet(UNetConfig.model_validate({**SMALL, "attention_factors": (1, 2)})).state_dict()
    assert {f.num_head_channels for f in splits(mixed, GuidedFlags(), frozenset())} == {-1, 16, 32}


@pytest.mark.slow
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
