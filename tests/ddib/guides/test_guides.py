"""Guides against their formulas, what holds for all, and their effect on decoding a mixture."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
import torch
from random_tensors import randn
from torch import Tensor, nn

from ddib.bridge.bridge import decode, solve
from ddib.bridge.cache import Cache
from ddib.bridge.chunk import Chunk, Problem
from ddib.checkpoints.header import CheckpointFacts
from ddib.checkpoints.model import Model
from ddib.denoising.denoiser import Denoiser
from ddib.errors import InputError
from ddib.guides.checks import check_guide
from ddib.guides.colour import Colour
from ddib.guides.guide import GUIDES, Guide, LossGuide, State, with_guides
from ddib.guides.low_pass import LowPass
from ddib.guides.similarity import Similarity
from ddib.networks.configurations import UNetConfig
from ddib.schedules.levels import signal
from ddib.schedules.noise_schedules import linear
from ddib.solvers.solver import Solver

SHAPE = (3, 8, 6)
VARIANCE = 0.2


class Gaussian(nn.Module):
    """The exact denoiser of independent pixels of mean 0.1 and a known variance."""

    def condition(self, times: Tensor, labels: Tensor | None = None) -> float:
        return float(np.exp(np.interp(float(times), np.arange(1000), np.log(linear(1000)))))

    def forward(self, z: Tensor, sigma: float) -> Tensor:
        return (VARIANCE * z / signal(sigma) + sigma**2 * 0.1) / (VARIANCE + sigma**2)


@pytest.fixture
def model() -> Model:
    facts = CheckpointFacts(
        kind="denoiser",
        domain="gaussian",
        image_size=8,
        channels=3,
        architecture=UNetConfig(),
        parameters=0,
    )
    return Model("gaussian", Path("g"), facts, "sha", Denoiser(Gaussian(), linear(1000), "x0"))


@pytest.fixture
def latent() -> Tensor:
    return randn(4, *SHAPE)


@pytest.fixture
def source() -> Tensor:
    return randn(4, *SHAPE, seed=1).clamp(-1, 1)


def state(source: Tensor, sigma: float = 1.0) -> State:
    return State(torch.zeros_like(source), sigma, source)


@pytest.mark.parametrize("guide", GUIDES.values(), ids=GUIDES)
def test_a_guide_keeps_what_all_promise(guide: type[Guide]) -> None:
    check_guide(guide)


# ---- formulas


def test_colour_gives_each_pixel_the_source_s_hue_and_keeps_its_brightness() -> None:
    source = torch.full((1, 3, 4, 4), -1.0)
    source[:, 0, 1:3, 1:3], source[:, 1, 1:3, 1:3] = 0.6, -0.2  # (0.8, 0.4, 0) on black
    denoised = randn(1, 3, 4, 4).clamp(-1, 1)
    moved = (denoised + Colour().shift(denoised, state(source)) + 1) / 2
    brightness = ((denoised + 1) / 2).amax(1)
    wanted = torch.stack([brightness, brightness / 2, 0 * brightness], 1)
    torch.testing.assert_close(moved, wanted)


def test_colour_of_a_black_source_changes_nothing() -> None:
    black = torch.full((1, 3, 4, 4), -1.0)
    assert not Colour().shift(randn(1, 3, 4, 4), state(black)).any()


def test_low_pass_takes_the_low_frequencies_of_the_source(latent: Tensor, source: Tensor) -> None:
    moved = latent + LowPass(cutoff=0.2).shift(latent, state(source))
    low = np.hypot(np.fft.fftfreq(8)[:, None], np.fft.fftfreq(6)[None]) <= 0.2
    own, other, found = (np.fft.fft2(x.double().numpy()) for x in (latent, source, moved))
    np.testing.assert_allclose(found, np.where(low, other, own), atol=1e-4)


def test_low_pass_of_d_is_ilvr_of_the_state(latent: Tensor, source: Tensor) -> None:
    """The state whose noise stays and whose D is moved has the noised source's low frequencies."""
    a, b = 0.8, 0.6
    denoised = randn(4, *SHAPE, seed=2)
    noise = (latent - a * denoised) / b
    moved = a * (denoised + LowPass(cutoff=0.2).shift(denoised, state(source))) + b * noise
    noised = a * source + b * noise
    low = np.hypot(np.fft.fftfreq(8)[:, None], np.fft.fftfreq(6)[None]) <= 0.2
    own, other, found = (np.fft.fft2(x.double().numpy()) for x in (latent, noised, moved))
    np.testing.assert_allclose(found, np.where(low, other, own), atol=1e-4)


def test_similarity_is_minus_the_gradient_of_the_squared_distance(
    latent: Tensor, source: Tensor
) -> None:
    torch.testing.assert_close(Similarity().shift(latent, state(source)), 2 * (source - latent))


# ---- while decoding


@pytest.mark.parametrize("guide", GUIDES.values(), ids=GUIDES)
def test_scale_0_is_ddib_bit_for_bit(
    guide: type[Guide], model: Model, latent: Tensor, source: Tensor
) -> None:
    plain = decode(latent, model)
    for example in guide.examples():
        silent = example.model_copy(update={"scale": 0.0})
        assert torch.equal(decode(latent, model, guides=[silent]), plain)
        guided = decode(latent, model, guides=[example], source=source)
        assert not torch.equal(guided, plain)


def test_a_guide_that_replaces_d_ends_at_the_source(
    model: Model, latent: Tensor, source: Tensor
) -> None:
    """D is the source at every level, so that the ODE ends there but for the last level's noise."""
    found = decode(latent, model, guides=[Similarity(scale=0.5)], source=source)
    assert torch.allclose(found, source, atol=0.05)


def test_the_guided_ode_of_a_gaussian_is_that_of_a_shifted_one(
    model: Model, latent: Tensor, source: Tensor
) -> None:
    """With similarity of scale s, D = (1 - 2s)·E[x | z] + 2s·x₀. Against fine steps of Euler."""
    s, solver = 0.1, Solver(name="dpmpp_3m", steps=100)
    found = decode(latent, model, solver, guides=[Similarity(scale=s)], source=source)
    levels = np.geomspace(linear(1000)[-1], linear(1000)[0], 4001)
    x = latent.double() / signal(levels[0])
    for here, there in pairwise(levels):
        mean = (VARIANCE * x + here**2 * 0.1) / (VARIANCE + here**2)
        denoised = (1 - 2 * s) * mean + 2 * s * source.double()
        ratio = there / here
        x = ratio * x + (1 - ratio) * denoised
    assert torch.allclose(found.double(), x, atol=2e-3)


def test_guides_act_one_after_the_other(latent: Tensor, source: Tensor) -> None:
    denoised = randn(4, *SHAPE, seed=2)
    stack = [Similarity(scale=0.1), LowPass(cutoff=0.2)]
    found = with_guides(lambda z, sigma: denoised, stack, source)(latent, 1.0)
    first = denoised + 0.1 * 2 * (source - denoised)
    second = first + LowPass(cutoff=0.2).shift(first, state(source))
    torch.testing.assert_close(found, second)


def test_guides_cost_no_evaluation_of_the_network(
    model: Model, latent: Tensor, source: Tensor
) -> None:
    stack = (Colour(scale=0.3), Similarity())
    chunk = Chunk("decode", latent, Solver(steps=7), guides=stack, source=source)
    assert solve(chunk, model).evaluations == 7


def test_the_cache_tells_guides_and_sources_apart(
    model: Model, latent: Tensor, source: Tensor
) -> None:
    plain = Chunk("decode", latent, Solver(steps=3))

    def key(*guides: Guide, source: Tensor | None = source) -> str:
        return Problem(replace(plain, guides=guides, source=source), model).key

    assert key(Colour(scale=0.0)) == key(Colour(enabled=False)) == Problem(plain, model).key
    keys = [
        Problem(plain, model).key,
        key(Colour()),
        key(Colour(scale=0.5)),
        key(Colour(sigma_min=0.1)),
        key(Colour(), LowPass()),
        key(LowPass(), Colour()),
        key(Colour(), source=-source),
    ]
    assert len(set(keys)) == len(keys)
    cache = Cache()
    chunk = replace(plain, guides=(Colour(),), source=source)
    solved = solve(chunk, model, cache=cache)
    again = solve(chunk, model, cache=cache)
    assert torch.equal(solved.z, again.z)
    assert again.evaluations == 0


def test_a_guided_chunk_splits_with_its_source(
    model: Model, latent: Tensor, source: Tensor
) -> None:
    chunk = Chunk("decode", latent, Solver(steps=3), guides=(Colour(),), source=source)
    parts = torch.cat([solve(part, model).z for part in chunk.split(3)])
    assert torch.allclose(parts, solve(chunk, model).z, atol=1e-6)


def test_guides_do_not_act_on_an_encoding_or_its_inverse(latent: Tensor, source: Tensor) -> None:
    with pytest.raises(ValueError, match="while decoding"):
        Chunk("encode", latent, Solver(), guides=(Colour(),), source=source)
    with pytest.raises(ValueError, match="inverse of an encoding"):
        Chunk("decode", latent, Solver(), carried=latent, guides=(Colour(),), source=source)


def test_what_a_guide_needs_is_asked_for(model: Model, latent: Tensor, source: Tensor) -> None:
    with pytest.raises(InputError, match="colour needs the source images"):
        decode(latent, model, guides=[Colour()])
    with pytest.raises(InputError, match=r"shape \(4, 3, 8, 6\), not \(2, 3, 8, 6\)"):
        decode(latent, model, guides=[Colour()], source=source[:2])
    with pytest.raises(InputError, match="these are points"):
        decode(latent[:, :2], model, guides=[LowPass()], source=source[:, :2])


def test_a_loss_of_one_s_own_is_one_class(model: Model, latent: Tensor, source: Tensor) -> None:
    before = dict(GUIDES)
    try:

        class Brightness(LossGuide):
            """Lead the mean towards the source's."""

            guide: Literal["brightness"] = "brightness"

            def loss(self, denoised: Tensor, state: State) -> Tensor:
                return (denoised.mean((1, 2, 3)) - state.source.mean((1, 2, 3))).square()

        check_guide(Brightness)
        guided = decode(latent, model, guides=[Brightness(scale=30.0)], source=source)
        plain = decode(latent, model)

        def off(images: Tensor) -> Tensor:
            return (images.mean((1, 2, 3)) - source.mean((1, 2, 3))).abs()

        assert (off(guided) < off(plain)).all()
    finally:
        GUIDES.replace_members(before)
