"""lucidrains' denoising-diffusion-pytorch: its own network, schedules and objectives."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

import ddib
from ddib.checkpoints.loading import load
from ddib.checkpoints.model import Model
from ddib.checkpoints.writing import write_checkpoint
from ddib.errors import InputError
from ddib.formats.format import Domain, Opened, Source
from ddib.formats.opening import open_source, parse_flags, recognise

lucidrains = pytest.importorskip("denoising_diffusion_pytorch")
ema = pytest.importorskip("ema_pytorch")

T = 20
UNETS: dict[str, dict[str, Any]] = {
    "plain": {},
    "grey": {"channels": 1},
    "heads and full attention": {
        "attn_heads": (1, 2), "attn_dim_head": (8, 16), "full_attn": (True, False),
    },
    "initial width": {"init_dim": 12, "dim_mults": (1, 2, 2)},
    "learned times": {"learned_sinusoidal_cond": True, "learned_sinusoidal_dim": 8},
    "self-conditioned": {"self_condition": True},
    "learned variance": {"learned_variance": True},
}  # fmt: skip


def unet(**changes: Any) -> Any:
    torch.manual_seed(0)
    network = lucidrains.Unet(**{"dim": 16, "dim_mults": (1, 2)} | changes)
    for parameter in network.parameters():
        parameter.data += 0.1 * torch.randn_like(parameter)
    return network.eval().requires_grad_(False)


def read(content: Any, path: Path, flags: str) -> Opened:
    torch.save(content, path)
    source = Source(path)
    known = recognise(source)
    assert known.name == "denoising-diffusion-pytorch"
    return open_source(source, known, parse_flags(flags, known.flags), Domain("things"))


def imported(content: Any, folder: Path, flags: str = "--image_size 16") -> Model:
    found = read(content, folder / "model-1.pt", flags)
    write_checkpoint(folder / "x.safetensors", found.state, found.facts, half=False)
    return load(folder / "x.safetensors")


@pytest.mark.parametrize("name", UNETS)
def test_the_network_is_theirs(name: str, tmp_path: Path) -> None:
    theirs = unet(**UNETS[name])
    network = imported(theirs.state_dict(), tmp_path).denoiser.network
    z = torch.randn((3, theirs.channels, 16, 16), generator=torch.Generator().manual_seed(1))
    for time in (0.0, 13.5):
        ours = network(z, network.condition(torch.tensor([time])))
        assert torch.allclose(ours, theirs(z, torch.full((3,), time)), atol=1e-5)


@pytest.mark.parametrize(
    ("objective", "predicts"), [("pred_noise", "epsilon"), ("pred_x0", "x0"), ("pred_v", "v")]
)
@pytest.mark.parametrize("schedule", ["linear", "cosine", "sigmoid"])
@pytest.mark.parametrize("clipped", [False, True], ids=["snr", "min snr"])
def test_schedule_and_objective_are_in_the_file(
    objective: str, predicts: str, schedule: str, clipped: bool, tmp_path: Path
) -> None:
    diffusion = lucidrains.GaussianDiffusion(
        unet(), image_size=16, timesteps=500, objective=objective, beta_schedule=schedule,
        min_snr_loss_weight=clipped,
    )  # fmt: skip
    facts = read(diffusion.state_dict(), tmp_path / "x.pt", "--image_size 16").facts
    assert (facts.schedule.name, facts.schedule.steps) == (schedule, 500)
    assert facts.parameterisation == predicts


def test_a_schedule_of_its_own_is_kept(tmp_path: Path) -> None:
    shape = {"start": 0, "end": 3, "tau": 0.8}
    diffusion = lucidrains.GaussianDiffusion(
        unet(), image_size=16, timesteps=T, schedule_fn_kwargs=shape
    )
    model = imported(diffusion.state_dict(), tmp_path)
    assert model.facts.schedule.name == "custom"
    alpha_bar = diffusion.alphas_cumprod.double().numpy()
    assert 1 / (1 + model.sigmas**2) == pytest.approx(alpha_bar, rel=1e-3, abs=1e-7)


def test_the_trainer_s_average_is_taken_and_its_loop_is_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its DDIM clips x₀ on the way and ends in its last estimate, as `clip: decode` does."""
    diffusion = lucidrains.GaussianDiffusion(
        unet(), image_size=16, timesteps=T, sampling_timesteps=T - 1
    )
    diffusion.sampling_timesteps = T  # its DDIM, over every timestep
    average = ema.EMA(diffusion)
    for parameter in diffusion.parameters():
        parameter.data.zero_()
    content = {
        "step": 100,
        "model": diffusion.state_dict(),
        "opt": {"state": {}, "param_groups": [{"lr": 1e-4, "betas": (0.9, 0.99)}]},
        "ema": average.state_dict(),
        "scaler": None,
        "version": "2.3.4",
    }
    model = imported(content, tmp_path)
    assert (model.facts.schedule.name, model.facts.parameterisation) == ("sigmoid", "v")
    start = torch.randn((2, 3, 16, 16), generator=torch.Generator().manual_seed(1))

    def given(shape: Any, **_: Any) -> Tensor:
        return start

    monkeypatch.setattr(torch, "randn", given)
    theirs = average.ema_model.ddim_sample(tuple(start.shape))
    monkeypatch.undo()
    solver = ddib.Solver(name="ddim", grid="reference", steps=T, clip="decode")
    ours = ddib.decode(start, model, solver)
    assert torch.allclose((ours + 1) / 2, theirs, atol=1e-4)


def test_a_bare_network_is_taken_for_the_library_s_defaults_and_says_so(tmp_path: Path) -> None:
    found = read(unet().state_dict(), tmp_path / "x.pt", "--image_size 16")
    assert (found.facts.schedule.name, found.facts.parameterisation) == ("sigmoid", "v")
    assert "a bare Unet" in found.notes[0]
    flags = "--image_size 16 --objective pred_noise --beta_schedule cosine --timesteps 50"
    facts = read(unet().state_dict(), tmp_path / "x.pt", flags).facts
    assert (facts.schedule.name, facts.schedule.steps, facts.parameterisation) == (
        "cosine", 50, "epsilon",
    )  # fmt: skip


def test_what_cannot_be_had_is_refused_with_the_reason(tmp_path: Path) -> None:
    state = unet().state_dict()
    with pytest.raises(InputError, match="--image_size N"):
        read(state, tmp_path / "x.pt", "")
    old = {name: tensor for name, tensor in state.items() if "mem_kv" not in name}
    with pytest.raises(InputError, match=r"before 1\.9"):
        read(old, tmp_path / "x.pt", "--image_size 16")
    with pytest.raises(InputError, match="do not fit"):
        read(state | {"init_conv.bias": torch.zeros(5)}, tmp_path / "x.pt", "--image_size 16")
    diffusion = lucidrains.GaussianDiffusion(unet(), image_size=16, timesteps=T).state_dict()
    with pytest.raises(InputError, match="loss_weight"):
        strange = {"loss_weight": torch.linspace(3, 9, T)}
        read(diffusion | strange, tmp_path / "x.pt", "--image_size 16")
