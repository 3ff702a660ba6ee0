"""The U-Net against outputs of openai/guided-diffusion's own `UNetModel`.

The figures were printed by its code at commit 22e0df8, filled with the same weights and given the
same input; there the two agreed to 1.2e-6 on every element, in all eight configurations.
"""

import hashlib

import pytest
import torch
from torch import Tensor, nn

from ddib.denoising.denoiser import Denoiser
from ddib.networks.configurations import UNetConfig
from ddib.networks.unet import UNet
from ddib.schedules.grids import reference_grid
from ddib.schedules.noise_schedules import schedule_sigmas
from ddib.solvers.singlestep import ddim

CASES: dict[str, tuple[dict[str, object], list[float]]] = {
    "plain": (
        {},
        [-0.0642, 0.55953, 0.67259, 0.31488, 0.14445, 0.66048, 0.00793, -1.3389],
    ),
    "scale-shift norm": (
        {"use_scale_shift_norm": True},
        [-0.06753, 0.55049, 0.67481, 0.41301, 0.22458, 0.47131, 0.18446, -1.37533],
    ),
    "resblock up and down": (
        {"resblock_updown": True, "use_scale_shift_norm": True},
        [-0.04822, 0.55676, -0.00021, -0.44615, 0.43942, 0.09288, -0.09574, -0.86043],
    ),
    "learned sigma": (
        {"out_channels": 6},
        [-0.03118, 0.60173, 0.67259, 0.31488, 0.14445, 0.66048, 0.00793, -1.3389],
    ),
    "class-conditional": (
        {"num_classes": 10},
        [-0.06389, 0.5601, 0.67233, 0.34736, 0.13865, 0.65735, 0.00671, -1.3198],
    ),
    "new attention order": (
        {"use_new_attention_order": True, "num_head_channels": 16},
        [-0.0655, 0.56364, 0.18901, 0.14683, -0.33462, 0.36611, -0.07571, -1.64471],
    ),
    "three levels, two blocks": (
        {"num_res_blocks": 2, "channel_mult": (1, 1, 2), "attention_factors": (2, 4)},
        [-0.03969, 0.54707, 0.0536, 0.60886, -0.30218, 0.8283, 0.1349, -0.43074],
    ),
    "head channels": (
        {"num_head_channels": 32, "use_scale_shift_norm": True},
        [-0.06615, 0.55969, 0.47188, 0.10997, -0.36749, 0.24814, 0.35409, -1.69963],
    ),
}
BASE = {
    "model_channels": 32,
    "channel_mult": (1, 2),
    "attention_factors": (2,),
    "use_scale_shift_norm": False,
}


def fill(network: nn.Module) -> None:
    """Every parameter from a generator keyed by its name, at a tame scale."""
    for name, parameter in network.state_dict().items():
        seed = int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "big")
        drawn = torch.randn(parameter.shape, generator=torch.Generator().manual_seed(seed))
        if parameter.ndim > 1:
            parameter.copy_(drawn / parameter[0].numel() ** 0.5)
        else:
            parameter.copy_(name.endswith("weight") + 0.1 * drawn)


@pytest.mark.parametrize("case", CASES)
def test_outputs_are_those_of_guided_diffusion(case: str) -> None:
    settings, wanted = CASES[case]
    network = UNet(UNetConfig.model_validate(BASE | settings)).eval()
    fill(network)
    x = torch.randn((2, 3, 16, 16), generator=torch.Generator().manual_seed(0))
    labels = torch.tensor([1, 7]) if "num_classes" in settings else None
    with torch.no_grad():
        out = network(x, network.condition(torch.tensor([3.0, 700.0]), labels))
    figures = torch.tensor(
        [out.mean(), out.std(), *out[1, :3, 5, 7].tolist(), *out[0, :3, 11, 2].tolist()]
    )
    assert torch.allclose(figures, torch.tensor(wanted), atol=5e-5)


def test_patches_fold_pixels_into_channels() -> None:
    network = UNet(UNetConfig(patch_size=2, model_channels=32, channel_mult=(1,)))
    assert network.state_dict()["input_blocks.0.0.weight"].shape[1] == 12
    fill(network)
    x = torch.randn((1, 3, 16, 16), generator=torch.Generator().manual_seed(0))
    assert network(x, network.condition(torch.tensor([5.0]))).shape == x.shape


def test_a_negative_label_is_no_condition() -> None:
    network = UNet(UNetConfig(num_classes=10, model_channels=32, channel_mult=(1,))).eval()
    fill(network)
    x = torch.randn((2, 3, 8, 8), generator=torch.Generator().manual_seed(0))
    times = torch.full((2,), 9.0)
    with torch.no_grad():
        mixed = network(x, network.condition(times, torch.tensor([-1, 3])))
        free = network(x, network.condition(times))
        three = network(x, network.condition(times, torch.tensor([3, 3])))
    assert torch.allclose(mixed[0], free[0], atol=1e-6)
    assert torch.allclose(mixed[1], three[1], atol=1e-6)
    assert not torch.allclose(free[1], three[1], atol=1e-2)


# `figures` of its `ddim_reverse_sample`, step by step from fixed images, and of its
# `ddim_sample_loop` from a fixed latent. On every element they agreed with ours to 8e-6 and to
# 5e-6 of the deviation, which without clipping random weights make large.
LOOPS: dict[tuple[int, bool], tuple[list[float], list[float]]] = {
    (100, False): (
        [0.01925, 0.05662, -0.03522, -0.00539, -0.01984, 0.03239, 0.07061, -0.0197],
        [-15.92708, 220.08711, 44.82006, -51.43261, 187.89519, -107.8298, -270.43079, 63.37004],
    ),
    (20, False): (
        [0.01891, 0.05813, 0.06035, -0.04349, -0.07691, -0.00898, 0.07442, -0.02446],
        [-10.25983, 141.89996, 27.67671, -33.6256, 119.63265, -70.83779, -172.70401, 40.41402],
    ),
    (20, True): (
        [0.01891, 0.05813, 0.06035, -0.04349, -0.07691, -0.00898, 0.07442, -0.02446],
        [-0.05617, 0.99652, 1.0, -1.0, 1.0, -1.0, -1.0, 1.0],
    ),
}


@pytest.mark.parametrize(("steps", "clip"), LOOPS)
def test_loops_are_those_of_guided_diffusion(steps: int, clip: bool) -> None:
    """Class-conditional, σ learned, 100 timesteps, all of them or every fifth."""
    settings = BASE | {"out_channels": 6, "num_classes": 1000, "resblock_updown": True}
    config = UNetConfig.model_validate(settings | {"use_scale_shift_norm": True})
    network = UNet(config).eval().requires_grad_(False)
    fill(network)
    last = network.out[2]
    assert isinstance(last, nn.Conv2d)
    last.weight.mul_(0.1)
    sigmas = schedule_sigmas("linear", 100)
    denoiser = Denoiser(network, sigmas, "epsilon")
    images = torch.rand((2, 3, 16, 16), generator=torch.Generator().manual_seed(3)) * 2 - 1
    z = torch.randn((2, 3, 16, 16), generator=torch.Generator().manual_seed(4))
    grid = reference_grid(sigmas, steps, 0)

    def denoise(z: Tensor, sigma: float) -> Tensor:
        return denoiser(z, sigma, 7)

    def clipped(z: Tensor, sigma: float) -> Tensor:
        return denoise(z, sigma).clamp(-1, 1)

    (*_, encoded) = ddim(denoise, images, grid.encode)
    (*_, decoded) = ddim(clipped if clip else denoise, z, grid.decode)
    latent, image = LOOPS[steps, clip]
    assert figures(encoded.z) == pytest.approx(latent, abs=1e-4)
    assert figures(decoded.z) == pytest.approx(image, abs=2e-5 * max(1, image[1]))


def figures(z: Tensor) -> list[float]:
    """Mean, deviation and two pixels of [2, 3, 16, 16]."""
    return [float(v) for v in (z.mean(), z.std(), *z[1, :, 5, 7], *z[0, :, 11, 2])]
