"""diffusers' folders: its own network, its own loops, and what is refused."""

import json
import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

import ddib
from ddib.checkpoints.loading import load
from ddib.checkpoints.model import Model
from ddib.checkpoints.writing import write_checkpoint
from ddib.denoising.evaluation import Evaluation
from ddib.errors import InputError
from ddib.formats.format import Domain, Opened, Source
from ddib.formats.opening import open_source, parse_flags, recognise
from ddib.solvers.scheme import SOLVERS

diffusers = pytest.importorskip("diffusers")

SMALL: dict[str, Any] = {
    "sample_size": 8,
    "block_out_channels": (16, 32),
    "down_block_types": ("DownBlock2D", "AttnDownBlock2D"),
    "up_block_types": ("AttnUpBlock2D", "UpBlock2D"),
    "layers_per_block": 1,
    "norm_num_groups": 8,
}
T = 20


def unet(**changes: Any) -> Any:
    network = diffusers.UNet2DModel(**SMALL | changes).eval().requires_grad_(False)
    generator = torch.Generator().manual_seed(0)
    for parameter in network.parameters():
        drawn = torch.randn(parameter.shape, generator=generator)
        matrix = parameter.ndim > 1
        parameter.copy_(drawn / parameter[0].numel() ** 0.5 if matrix else 1 + 0.1 * drawn)
    return network


def read(folder: Path, flags: str = "") -> Opened:
    source = Source(folder)
    known = recognise(source)
    assert known.name == "diffusers"
    return open_source(source, known, parse_flags(flags, known.flags), Domain("things"))


def imported(folder: Path, flags: str = "") -> Model:
    found = read(folder, flags)
    write_checkpoint(folder / "x.safetensors", found.state, found.facts, half=False)
    return load(folder / "x.safetensors")


@pytest.fixture(scope="module")
def images() -> Tensor:
    return torch.rand((3, 3, 8, 8), generator=torch.Generator().manual_seed(2)) * 2 - 1


NETWORKS: dict[str, dict[str, Any]] = {
    "plain": {},
    "class-conditional": {"num_class_embeds": 4},
    "scale shift": {
        "resnet_time_scale_shift": "scale_shift", "freq_shift": 1, "flip_sin_to_cos": False,
    },
    "learned variance": {"out_channels": 6},
}  # fmt: skip


@pytest.mark.parametrize("name", NETWORKS)
def test_the_network_is_theirs(name: str, images: Tensor, tmp_path: Path) -> None:
    changes = NETWORKS[name]
    theirs = unet(**changes)
    theirs.save_pretrained(tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    network = imported(tmp_path).denoiser.network
    assert {path: path.read_bytes() for path in before} == before
    label = torch.tensor([3]) if "num_class_embeds" in changes else None
    for time in (0.0, 7.0, 13.5):
        ours = network(images, network.condition(torch.tensor([time]), label))
        wanted = theirs(images, torch.tensor(time), class_labels=label).sample
        assert torch.allclose(ours, wanted, atol=1e-5)


def test_without_a_label_nothing_is_added(images: Tensor, tmp_path: Path) -> None:
    theirs = unet(num_class_embeds=4)
    theirs.save_pretrained(tmp_path)
    network = imported(tmp_path).denoiser.network
    free = network(images, network.condition(torch.tensor([5.0])))
    theirs.class_embedding.weight.zero_()
    assert torch.allclose(
        free, theirs(images, 5.0, class_labels=torch.tensor([0])).sample, atol=1e-5
    )


@pytest.mark.parametrize("prediction", ["epsilon", "sample", "v_prediction"])
@pytest.mark.parametrize("steps", [T, 5])
@pytest.mark.slow
def test_the_loops_are_theirs(prediction: str, steps: int, images: Tensor, tmp_path: Path) -> None:
    """`DDIMScheduler` walks the reference grid down. `DDIMInverseScheduler` walks it up to its last
    level but tells the network the timestep of the level it goes to.
    """
    theirs = unet()
    settings = {
        "num_train_timesteps": T,
        "beta_schedule": "scaled_linear",
        "beta_start": 0.001,
        "beta_end": 0.3,
        "prediction_type": prediction,
        "clip_sample": False,
    }
    theirs.save_pretrained(tmp_path / "unet")
    forward = diffusers.DDIMScheduler(**settings)
    forward.save_pretrained(tmp_path / "scheduler")
    model = imported(tmp_path)
    assert model.facts.schedule.name == "custom"
    assert model.sigmas**2 == pytest.approx((1 / forward.alphas_cumprod - 1).numpy(), rel=1e-4)

    solver = ddib.Solver(name="ddim", grid="reference", steps=steps)
    decoded = ddib.decode(images, model, solver)
    assert agree(decoded, walk(forward, theirs, images, steps))

    inverse = diffusers.DDIMInverseScheduler(**settings, set_alpha_to_one=False)
    levels = model.grid(solver).encode[:-1]
    (*_, last) = SOLVERS["ddim"].solve(told_ahead(model, levels), images, levels)
    assert agree(last.z, walk(inverse, theirs, images, steps))


def agree(ours: Tensor, theirs: Tensor) -> bool:
    """To 1e-5 of the largest value; predicting x₀, random weights make states of a hundred."""
    return float((ours - theirs).abs().max()) < 1e-5 * max(1.0, float(theirs.abs().max()))


def walk(scheduler: Any, network: Any, z: Tensor, steps: int) -> Tensor:
    """A pipeline's loop."""
    scheduler.set_timesteps(steps)
    for t in scheduler.timesteps:
        z = scheduler.step(network(z, t).sample, t, z).prev_sample
    return z


def told_ahead(model: Model, levels: tuple[float, ...]) -> Callable[[Tensor, float], Tensor]:
    network, following = model.denoiser.network, dict(pairwise(levels))

    def denoise(z: Tensor, sigma: float) -> Tensor:
        time = torch.tensor([model.denoiser.timestep(following[sigma])])
        out = network(z, network.condition(time))
        return model.denoiser.estimate(out, z, sigma)

    return denoise


def test_a_lone_network_is_taken_for_ddpm_s_defaults_and_says_so(tmp_path: Path) -> None:
    unet().save_pretrained(tmp_path)
    found = read(tmp_path)
    assert (found.facts.schedule.name, found.facts.schedule.steps) == ("linear", 1000)
    assert found.facts.parameterisation == "epsilon"
    assert "no scheduler_config.json" in found.notes[0]
    other = read(tmp_path, "--beta_schedule squaredcos_cap_v2 --prediction_type v_prediction")
    assert (other.facts.schedule.name, other.facts.parameterisation) == ("cosine", "v")


def test_weights_as_torch_saves_them_and_names_of_old_versions(
    images: Tensor, tmp_path: Path
) -> None:
    theirs = unet()
    theirs.save_pretrained(tmp_path, safe_serialization=False)
    (path,) = tmp_path.glob("*.bin")
    new_names = {"to_q.": "query.", "to_k.": "key.", "to_v.": "value.", "to_out.0.": "proj_attn."}
    state = torch.load(path, weights_only=True)
    for new, old in new_names.items():
        state = {name.replace(new, old): tensor for name, tensor in state.items()}
    assert any("proj_attn" in name for name in state)
    torch.save(state, path)
    network = imported(tmp_path).denoiser.network
    ours = network(images, network.condition(torch.tensor([3.0])))
    assert torch.allclose(ours, theirs(images, 3).sample, atol=1e-5)


@pytest.mark.parametrize(
    ("changes", "scheduler", "said"),
    [
        ({"time_embedding_type": "fourier"}, {}, "fractional timestep"),
        ({"class_embed_type": "timestep"}, {}, "class_embed_type"),
        ({"in_channels": 4, "out_channels": 4}, {}, "4 channels"),
        ({"sample_size": None}, {}, "--image_size"),
        ({"sample_size": (8, 16)}, {}, "not square"),
        ({}, {"rescale_betas_zero_snr": True}, "zero SNR"),
        ({}, {"prediction_type": "flow"}, "prediction_type 'flow'"),
        ({}, {"beta_schedule": "squiggle"}, "squiggle"),
        ({}, {"trained_betas": [0.1, 1.0]}, "not finite"),
    ],
)
def test_what_cannot_be_had_is_refused_with_the_reason(
    changes: dict[str, Any], scheduler: dict[str, Any], said: str, tmp_path: Path
) -> None:
    unet().save_pretrained(tmp_path)
    alter(tmp_path / "config.json", changes)
    diffusers.DDPMScheduler().save_pretrained(tmp_path)
    alter(tmp_path / "scheduler_config.json", scheduler)
    with pytest.raises(InputError, match=said) as refused:
        read(tmp_path)
    assert str(tmp_path) in str(refused.value)


def test_a_scheduler_without_betas_and_weights_in_several_files(tmp_path: Path) -> None:
    unet().save_pretrained(tmp_path / "shards", max_shard_size="20KB")
    with pytest.raises(InputError, match="several files"):
        read(tmp_path / "shards")
    unet().save_pretrained(tmp_path / "unet")
    (tmp_path / "scheduler").mkdir()
    config = '{"_class_name": "KarrasVeScheduler", "sigma_max": 100}'
    (tmp_path / "scheduler" / "scheduler_config.json").write_text(config)
    with pytest.raises(InputError, match="KarrasVeScheduler, has no betas"):
        read(tmp_path)


def test_only_float32(tmp_path: Path) -> None:
    unet().save_pretrained(tmp_path)
    imported(tmp_path)
    with pytest.raises(InputError, match="in float32 only"):
        load(tmp_path / "x.safetensors", evaluation=Evaluation(precision="bf16"))
    load(tmp_path / "x.safetensors", evaluation=Evaluation(channels_last=True))


def test_without_the_extra_there_is_one_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unet().save_pretrained(tmp_path)
    imported(tmp_path)
    monkeypatch.delitem(sys.modules, "ddib.networks.diffusers_unet")
    monkeypatch.setitem(sys.modules, "diffusers.models.unets.unet_2d", None)
    with pytest.raises(InputError, match=r"pip install 'ddib-workbench\[diffusers\]'"):
        load(tmp_path / "x.safetensors")


def alter(path: Path, changes: dict[str, Any]) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
