"""The operations against oracles: scipy and torchvision, and the formulas written out."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from scipy import ndimage, stats
from torch import Tensor
from torchvision.transforms import InterpolationMode
from torchvision.transforms import functional as oracle

from ddib.errors import InputError
from ddib.operations.operation import (
    OPERATIONS,
    AddNoise,
    Blend,
    Blur,
    Checkerboard,
    Clamp,
    Context,
    Flip,
    FrequencyMix,
    Gaussianize,
    Mask,
    Normalize,
    Operation,
    Rotate,
    Scale,
    Shuffle,
    Slerp,
    Tint,
    Whiten,
    standard_noise,
)
from ddib.operations.recipe import apply_operations

IMAGE = Context(stage="image")
SHAPES = [(2, 3, 32, 32), (3, 1, 7, 12), (1, 4, 1, 5), (2, 3, 33, 20)]
EVERY = [
    Normalize(),
    Normalize(mode="channel"),
    Normalize(mode="l2"),
    Normalize(mode="max"),
    Scale(factor=1.3),
    AddNoise(),
    AddNoise(per_image=True),
    AddNoise(multiplicative=True),
    Blend(proportion=0.3),
    Checkerboard(),
    Checkerboard(other="noise", cell=3),
    Blur(sigma=1.5, gain=1 / 0.6),
    Rotate(degrees=30, interpolation="bilinear", fill=0.5),
    Tint(amount=0.3),
    Gaussianize(),
    Gaussianize(over="channel"),
    Whiten(amount=0.7),
    FrequencyMix(),
    FrequencyMix(per_image=True),
    FrequencyMix(other="image", offset=4),
    Slerp(fraction=0.3),
    Slerp(fraction=0.3, per_image=True),
    Slerp(fraction=0.3, other="image"),
    Flip(),
    Flip(direction="vertical"),
    Shuffle(patch=5),
    Clamp(low=-0.5, high=0.7),
    Mask(),
    Mask(shape="rectangle", keep="outside", x=0.25, height=1, operations=9),
    Mask(shape="foreground", threshold=0.5),
]


ROUNDED = ("rotate", "whiten", "frequency_mix", "slerp")  # go there and back


def randn(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@pytest.fixture
def z() -> Tensor:
    return randn(4, 3, 16, 12)


@pytest.fixture
def context() -> Context:
    return Context(
        image=randn(4, 3, 16, 12, seed=1).clamp(-1, 1),
        everything=randn(11, 3, 16, 12, seed=2),
        before=(randn(4, 3, 16, 12, seed=3),),
    )


# ---- what holds for all


def test_the_registry_has_the_file_s_order_and_names_each_class() -> None:
    assert list(OPERATIONS) == [
        "normalize",
        "scale",
        "add_noise",
        "blend",
        "checkerboard",
        "blur",
        "rotate",
        "tint",
        "gaussianize",
        "whiten",
        "frequency_mix",
        "slerp",
        "flip",
        "shuffle",
        "clamp",
        "mask",
    ]
    for name, operation in OPERATIONS.items():
        assert operation().op == name
        assert operation().enabled
        assert operation.__doc__


def test_every_parameter_is_described_and_every_number_bounded() -> None:
    for operation in OPERATIONS.values():
        for name, parameter in operation.model_json_schema()["properties"].items():
            assert name == "op" or parameter["description"]
            if parameter.get("type") in ("number", "integer"):
                assert {"minimum", "maximum"} <= parameter.keys(), (operation, name)


@pytest.mark.parametrize("operation", EVERY, ids=repr)
@pytest.mark.parametrize("stage", ["image", "latent"])
def test_an_image_s_result_does_not_depend_on_the_batch(
    operation: Operation, stage: str, z: Tensor, context: Context
) -> None:
    assert context.image is not None
    context = replace(context, first_index=5, stage=stage)
    whole = operation(z, context)
    for i in range(len(z)):
        here = slice(i, i + 1)
        alone = replace(
            context,
            image=context.image[here],
            first_index=5 + i,
            before=tuple(state[here] for state in context.before),
        )
        assert torch.equal(operation(z[i : i + 1], alone), whole[i : i + 1])


@pytest.mark.parametrize("operation", EVERY, ids=repr)
def test_shape_and_dtype_stay_and_the_input_is_not_touched(
    operation: Operation, context: Context
) -> None:
    for dtype in (torch.float32, torch.float64):
        z = randn(4, 3, 16, 12).to(dtype)
        before = z.clone()
        result = operation(z, context)
        assert result.shape == z.shape
        assert result.dtype == dtype
        assert torch.equal(z, before)
        assert operation(z.to(memory_format=torch.channels_last), context).equal(result)


@pytest.mark.parametrize(
    "operation",
    [
        Scale(),
        AddNoise(coefficient=0),
        Blend(proportion=0),
        Blur(sigma=0),
        Rotate(degrees=0),
        Tint(amount=0),
        Whiten(amount=0),
        FrequencyMix(cutoff=1),
        Slerp(fraction=0),
        Shuffle(patch=4096),
        Clamp(low=-1000, high=1000),
        Mask(shape="rectangle", width=2, height=2),
        Mask(shape="foreground", threshold=1, keep="outside"),
    ],
    ids=repr,
)
@pytest.mark.parametrize("stage", ["image", "latent"])
def test_neutral_parameters_change_nothing(
    operation: Operation, stage: str, z: Tensor, context: Context
) -> None:
    result = operation(z, replace(context, stage=stage))
    torch.testing.assert_close(result, z, rtol=0, atol=1e-6 if operation.op in ROUNDED else 0)


@pytest.mark.parametrize(
    ("operation", "values"),
    [
        (Normalize, {"mode": "mean"}),
        (Scale, {"factor": float("nan")}),
        (Scale, {"factor": float("inf")}),
        (Scale, {"factor": "2"}),
        (Scale, {"factor": True}),
        (Scale, {"factr": 2}),
        (AddNoise, {"coefficient": -0.1}),
        (AddNoise, {"seed": -1}),
        (AddNoise, {"seed": 0.5}),
        (AddNoise, {"per_image": 1}),
        (Blend, {"proportion": 1.01}),
        (Blend, {"proportion": -0.01}),
        (Checkerboard, {"cell": 0}),
        (Checkerboard, {"phase": 2}),
        (Checkerboard, {"other": "black"}),
        (Blur, {"sigma": -1}),
        (Blur, {"gain": -1}),
        (Rotate, {"degrees": 361}),
        (Rotate, {"interpolation": "cubic"}),
        (Rotate, {"enabled": "no"}),
        (Rotate, {"op": "blur"}),
        (Slerp, {"offset": 0}),
        (Slerp, {"other": "latent"}),
        (Mask, {"operations": 0}),
        (Mask, {"shape": "circle"}),
    ],
)
def test_wrong_parameters_are_refused(
    operation: type[Operation], values: dict[str, object]
) -> None:
    with pytest.raises(ValidationError):
        operation(**values)  # type: ignore[arg-type]


def test_an_operation_cannot_be_changed() -> None:
    with pytest.raises(ValidationError):
        Scale().factor = 2.0  # type: ignore[misc]


def test_importing_the_models_loads_no_torch() -> None:
    code = (
        "import sys, ddib.operations.operation, ddib.operations.recipe, workbench.session.reading;"
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# ---- normalize


def test_standard_gives_each_image_mean_0_and_deviation_1(z: Tensor) -> None:
    expected = (z - z.mean((1, 2, 3), keepdim=True)) / z.std((1, 2, 3), correction=0, keepdim=True)
    torch.testing.assert_close(Normalize()(z), expected)


def test_channel_does_it_for_each_channel(z: Tensor) -> None:
    expected = (z - z.mean((2, 3), keepdim=True)) / z.std((2, 3), correction=0, keepdim=True)
    torch.testing.assert_close(Normalize(mode="channel")(z), expected)


def test_l2_and_max_divide_by_a_number(z: Tensor) -> None:
    norm = z.flatten(1).norm(dim=1)[:, None, None, None]
    torch.testing.assert_close(Normalize(mode="l2")(z), z / norm)
    largest = z.flatten(1).abs().amax(1)[:, None, None, None]
    torch.testing.assert_close(Normalize(mode="max")(z), z / largest)


@pytest.mark.parametrize("mode", ["standard", "channel", "l2", "max"])
@pytest.mark.parametrize("value", [0.0, -1.0, 0.1, 1e-30])
def test_an_image_without_variance_stays_as_it_is(mode: str, value: float, z: Tensor) -> None:
    z[1] = value
    result = Normalize(mode=mode)(z)  # type: ignore[arg-type]
    assert torch.equal(result[1], z[1])
    assert result.isfinite().all()


def test_a_channel_without_variance_stays_as_it_is(z: Tensor) -> None:
    z[0, 1] = 0.1
    assert torch.equal(Normalize(mode="channel")(z)[0, 1], z[0, 1])


def test_tiny_and_huge_images_are_normalized_too(z: Tensor) -> None:
    for size in (1e-30, 1e30):
        torch.testing.assert_close(Normalize()(z * size), Normalize()(z), rtol=1e-4, atol=1e-5)


# ---- scale, add_noise, blend, checkerboard


@given(st.floats(-1000, 1000))
def test_scale_multiplies_the_latent_or_the_brightness(factor: float) -> None:
    z = randn(2, 3, 4, 4)
    assert torch.equal(Scale(factor=factor)(z), z * factor)
    brightness = (Scale(factor=factor)(z, IMAGE) + 1) / 2
    torch.testing.assert_close(brightness, factor * (z + 1) / 2, rtol=1e-4, atol=1e-5)


def test_scale_keeps_black_black_on_the_image_stage() -> None:
    black = torch.full((1, 3, 4, 4), -1.0)
    assert torch.equal(Scale(factor=1.3)(black, IMAGE), black)
    assert torch.equal(Scale(factor=0.0)(randn(1, 3, 4, 4), IMAGE), black)


def test_noise_is_the_same_for_every_image_unless_per_image(z: Tensor) -> None:
    noise = (AddNoise(coefficient=0.5, seed=3)(z) - z) / 0.5
    torch.testing.assert_close(noise, standard_noise(3, None, (3, 16, 12)).expand_as(z))
    own = (AddNoise(coefficient=0.5, seed=3, per_image=True)(z, Context(first_index=7)) - z) / 0.5
    expected = torch.stack([standard_noise(3, i, (3, 16, 12)) for i in range(7, 11)])
    torch.testing.assert_close(own, expected, rtol=1e-4, atol=1e-5)


def test_multiplicative_noise_is_multiplied_by_the_latent(z: Tensor) -> None:
    noise = standard_noise(0, None, (3, 16, 12))
    result = AddNoise(coefficient=0.3, multiplicative=True)(z)
    torch.testing.assert_close(result, z + 0.3 * noise * z)


def test_noise_depends_on_seed_and_index_only() -> None:
    state = torch.get_rng_state()
    keys = [(seed, index) for seed in (0, 1, 2**32 - 1) for index in (None, 0, 1, 1000)]
    drawn = [standard_noise(*key, (3, 8, 8)) for key in keys]
    torch.manual_seed(1)
    np.random.seed(1)
    torch.randn(5)
    for key, noise in zip(keys, drawn, strict=True):
        assert torch.equal(standard_noise(*key, (3, 8, 8)), noise)
    assert len({noise.numpy().tobytes() for noise in drawn}) == len(drawn)
    torch.set_rng_state(state)
    standard_noise(0, None, (3,))
    assert torch.equal(torch.get_rng_state(), state)


def test_noise_is_standard_normal() -> None:
    noise = standard_noise(0, None, (3, 256, 256))
    assert noise.dtype == torch.float32
    assert abs(noise.mean()) < 0.01
    assert abs(noise.std() - 1) < 0.01
    assert abs(noise.pow(4).mean() - 3) < 0.05


@given(st.floats(0, 1))
def test_blend_mixes_with_the_source(proportion: float) -> None:
    z, image = randn(2, 3, 4, 4), randn(2, 3, 4, 4, seed=1)
    result = Blend(proportion=proportion)(z, Context(image))
    torch.testing.assert_close(result, (1 - proportion) * z + proportion * image)


@pytest.mark.parametrize("operation", [Blend(), Checkerboard(), Tint()])
def test_what_needs_the_source_says_so(operation: Operation, z: Tensor) -> None:
    with pytest.raises(InputError, match="source image"):
        operation(z)
    with pytest.raises(InputError, match="shape"):
        operation(z, Context(image=z[:1]))


@given(st.integers(1, 20), st.integers(0, 1), st.sampled_from(["image", "noise"]))
def test_checkerboard_pixel_by_pixel(cell: int, phase: int, other: str) -> None:
    z, image = randn(2, 3, 7, 9), randn(2, 3, 7, 9, seed=1)
    odd = image if other == "image" else standard_noise(4, None, (3, 7, 9)).expand_as(z)
    operation = Checkerboard(other=other, cell=cell, phase=phase, seed=4)  # type: ignore[arg-type]
    result = operation(z, Context(image))
    for i in range(7):
        for j in range(9):
            even = (i // cell + j // cell + phase) % 2 == 0
            assert torch.equal(result[..., i, j], (z if even else odd)[..., i, j])


# ---- blur and rotate


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("sigma", [0, 0.05, 0.124, 0.126, 0.5, 1, 2, 3.7, 20, 100])
def test_blur_is_scipy_s(shape: tuple[int, ...], sigma: float) -> None:
    z = randn(*shape)
    expected = ndimage.gaussian_filter(z.numpy(), (0, 0, sigma, sigma))
    np.testing.assert_allclose(Blur(sigma=sigma)(z).numpy(), expected, atol=1e-6)


@settings(deadline=None, max_examples=50)
@given(
    st.floats(0, 50), st.floats(0, 10), st.integers(1, 12), st.integers(1, 12), st.integers(0, 99)
)
def test_blur_is_scipy_s_at_any_size(
    sigma: float, gain: float, height: int, width: int, seed: int
) -> None:
    z = randn(1, 2, height, width, seed=seed)
    blurred = ndimage.gaussian_filter(z.double().numpy(), (0, 0, sigma, sigma))
    on_latent = Blur(sigma=sigma, gain=gain)(z).numpy()
    np.testing.assert_allclose(on_latent, gain * blurred, atol=1e-5)
    on_image = Blur(sigma=sigma, gain=gain)(z, IMAGE).numpy()
    np.testing.assert_allclose((on_image + 1) / 2, gain * (blurred + 1) / 2, atol=1e-5)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("interpolation", ["nearest", "bilinear"])
@pytest.mark.parametrize("fill", [0.0, 0.7])
def test_rotate_is_torchvision_s(shape: tuple[int, ...], interpolation: str, fill: float) -> None:
    z = randn(*shape)
    mode = InterpolationMode(interpolation)
    for degrees in [*range(-360, 361, 15), 0.3, 33.3, 59.99]:
        operation = Rotate(degrees=degrees, interpolation=interpolation, fill=fill)  # type: ignore[arg-type]
        torch.testing.assert_close(
            operation(z), oracle.rotate(z, degrees, mode, fill=[fill]), rtol=0, atol=1e-6
        )
        torch.testing.assert_close(
            operation(z, IMAGE),
            oracle.rotate((z + 1) / 2, degrees, mode, fill=[fill]) * 2 - 1,
            rtol=0,
            atol=2e-6,
        )


def test_rotate_turns_counter_clockwise_and_fills_with_black() -> None:
    image = torch.full((1, 1, 5, 5), 1.0)
    image[..., 0, 4] = 0.25  # top right goes to the top left
    assert Rotate(degrees=90)(image, IMAGE)[..., 0, 0] == 0.25
    assert Rotate(degrees=45)(image, IMAGE)[..., 0, 0] == -1


# ---- tint, gaussianize, whiten, frequency_mix, slerp


def test_tint_shifts_by_the_colour_of_what_is_bright(z: Tensor) -> None:
    image = torch.full((4, 3, 16, 12), -1.0)
    image[:, 0, 4:8, 4:8] = 0.6  # a square of red at brightness 0.8
    image[:, 2, 12:14] = -0.8  # and a band of blue at 0.1
    colour = torch.tensor([0.8 * 0.8 * 16, 0.0, 0.1 * 0.1 * 24]) / (0.8 * 16 + 0.1 * 24)
    shift = (colour - colour.mean())[:, None, None]
    torch.testing.assert_close(Tint(amount=0.4)(z, Context(image)), z + 0.4 * shift)


def test_tint_of_grey_and_of_black_changes_nothing(z: Tensor) -> None:
    for grey in (-1.0, 0.3):
        assert torch.equal(Tint()(z, Context(torch.full_like(z, grey))), z)


def test_gaussianize_gives_normal_quantiles_in_the_order_of_the_values(z: Tensor) -> None:
    skewed = z.exp()
    result = Gaussianize()(skewed)[0].flatten().double().numpy()
    values = skewed[0].flatten().numpy()
    expected = stats.norm.ppf((stats.rankdata(values, "ordinal") - 0.5) / values.size)
    np.testing.assert_allclose(result, expected, atol=1e-5)
    by_channel = Gaussianize(over="channel")(skewed)[1, 2].flatten()
    assert np.array_equal(by_channel.argsort(), skewed[1, 2].flatten().argsort())
    assert abs(by_channel.mean()) < 1e-6


def test_whiten_flattens_what_blur_has_bent(z: Tensor) -> None:
    blurred = Blur(sigma=1.0)(randn(2, 3, 32, 32))
    white = Whiten()(blurred).double().numpy()
    frequency = np.hypot(np.fft.fftfreq(32)[:, None], np.fft.fftfreq(32)[None]) * 32
    for channel in (np.abs(np.fft.fft2(white)) ** 2).reshape(-1, 32, 32):
        rings = [channel[np.rint(frequency) == ring].mean() for ring in range(1, 22)]
        assert max(rings) / min(rings) < 1.0001
    torch.testing.assert_close(Whiten()(blurred).mean((2, 3)), blurred.mean((2, 3)))
    torch.testing.assert_close(Whiten()(blurred).std((2, 3)), blurred.std((2, 3)))


def test_frequency_mix_takes_each_frequency_from_one_of_the_two() -> None:
    z = randn(1, 3, 16, 16)
    mixed = np.fft.fft2(FrequencyMix(cutoff=0.2, seed=4)(z)[0].double().numpy())
    noise = np.fft.fft2(standard_noise(4, None, (3, 16, 16)).double().numpy())
    own = np.fft.fft2(z[0].double().numpy())
    low = np.hypot(np.fft.fftfreq(16)[:, None], np.fft.fftfreq(16)[None]) <= 0.2
    np.testing.assert_allclose(mixed, np.where(low, own, noise), atol=1e-4)


def test_slerp_keeps_to_the_arc() -> None:
    z = randn(1, 3, 16, 16)
    noise = standard_noise(7, None, (3, 16, 16))
    torch.testing.assert_close(Slerp(fraction=1, seed=7)(z)[0], noise)
    half = Slerp(fraction=0.5, seed=7)(z)[0].flatten()
    angles = [
        torch.acos(torch.cosine_similarity(half, end.flatten(), dim=0)) for end in (z[0], noise)
    ]
    equal = torch.cosine_similarity(z.flatten() / z.norm(), noise.flatten() / noise.norm(), dim=0)
    assert abs(sum(angles) - torch.acos(equal)) < 1e-3  # in the plane of the two, between them
    assert 0.9 < half.std() < 1.1
    assert torch.equal(Slerp()(torch.zeros_like(z)), Slerp()(torch.zeros_like(z)))


def test_slerp_leads_to_the_latent_of_the_image_so_many_places_further(z: Tensor) -> None:
    everything = randn(6, 3, 16, 12, seed=5)
    here = Context(first_index=3, everything=everything)
    for fraction, ends in ((0.0, everything[3:6]), (1.0, everything[[5, 0, 1]])):
        slerp = Slerp(fraction=fraction, other="image", offset=2)
        assert torch.equal(slerp(everything[3:6], here), ends)
    itself = Slerp(fraction=0.7, other="image", offset=6)
    assert torch.equal(itself(everything[3:6], here), everything[3:6])


def test_slerp_has_the_weights_of_two_unit_vectors_at_a_right_angle() -> None:
    east, north = torch.tensor([[[[3.0, 0.0]]], [[[0.0, 3.0]]]])
    slerp = Slerp(fraction=1 / 3, other="image")
    turned = slerp(east[None], Context(everything=torch.stack([east, north])))
    torch.testing.assert_close(turned, torch.tensor([[[[3 * 3**0.5 / 2, 1.5]]]]))


def test_frequency_mix_takes_high_frequencies_from_another_image() -> None:
    everything = randn(3, 2, 8, 16)
    mix = FrequencyMix(cutoff=0.25, other="image", offset=1)
    mixed = mix(everything[2:], Context(first_index=2, everything=everything))
    low = np.hypot(np.fft.fftfreq(8)[:, None], np.fft.fftfreq(16)[None]) <= 0.25
    own, other = (np.fft.fft2(z.double().numpy()) for z in (everything[2], everything[0]))
    np.testing.assert_allclose(
        np.fft.fft2(mixed[0].double().numpy()), np.where(low, own, other), atol=1e-4
    )


@pytest.mark.parametrize("operation", [Slerp(other="image"), FrequencyMix(other="image")])
def test_what_needs_another_image_says_so(operation: Operation, z: Tensor) -> None:
    assert operation.reads_everything
    with pytest.raises(InputError, match="everything"):
        operation(z)
    with pytest.raises(InputError, match=r"shape \(4, 3, 16, 12\), not \(4, 3, 16, 11\)"):
        operation(z, Context(everything=z[..., :11]))


# ---- mask


@given(
    st.sampled_from(["ellipse", "rectangle"]),
    st.tuples(st.floats(0, 1), st.floats(0, 1), st.floats(0, 2), st.floats(0, 2)),
    st.sampled_from(["inside", "outside"]),
)
def test_mask_pixel_by_pixel(shape: str, place: tuple[float, ...], keep: str) -> None:
    x, y, width, height = place
    mask = Mask(shape=shape, keep=keep, x=x, y=y, width=width, height=height)  # type: ignore[arg-type]
    z, before = torch.ones(1, 2, 7, 9), torch.zeros(1, 2, 7, 9)
    result = mask(z, Context(before=(before,)))
    for i in range(7):
        for j in range(9):
            across, down = (j + 0.5) / 9 - x, (i + 0.5) / 7 - y
            if shape == "rectangle":
                margin = min(width / 2 - abs(across), height / 2 - abs(down))
            else:  # inside where (2·across/width)² + (2·down/height)² ≤ 1
                margin = (width * height / 2) ** 2 - (across * height) ** 2 - (down * width) ** 2
            if abs(margin) > 1e-9:
                kept = (margin > 0) == (keep == "inside")
                assert (result[..., i, j] == float(kept)).all()


def test_mask_keeps_an_edit_in_the_foreground_or_takes_it_back_there(z: Tensor) -> None:
    image = torch.full_like(z, -1)
    image[:, 1, 4:8, 5:9] = 0.5
    inside = torch.zeros(4, 1, 16, 12, dtype=torch.bool)
    inside[..., 4:8, 5:9] = True
    for keep, region in (("inside", inside), ("outside", ~inside)):
        mask = Mask(shape="foreground", keep=keep)  # type: ignore[arg-type]
        stack = [Normalize(), Scale(factor=3), mask]
        result = apply_operations(stack, z, Context(image))
        normalized = Normalize()(z)
        assert torch.equal(result, torch.where(region, 3 * normalized, normalized))
    with pytest.raises(InputError, match="source image"):
        apply_operations([Scale(), Mask(shape="foreground")], z, Context())


def test_mask_counts_the_operations_above_it(z: Tensor) -> None:
    half = {"shape": "rectangle", "x": 0.25, "height": 1.0}  # the left half
    left = torch.arange(12) < 6

    def result(*stack: Operation) -> Tensor:
        return apply_operations(stack, z, Context())

    def both(inside: Tensor, outside: Tensor) -> Tensor:
        return torch.where(left, inside, outside)

    two, three, mask = Scale(factor=2), Scale(factor=3), Mask(**half)  # type: ignore[arg-type]
    assert torch.equal(result(two, three, mask), both(6 * z, 2 * z))
    all_of_them = mask.model_copy(update={"operations": 9})
    assert torch.equal(result(two, three, all_of_them), both(6 * z, z))
    off = three.model_copy(update={"enabled": False})
    assert torch.equal(result(two, off, mask), 2 * z), "what is off is counted, not another"
    over_both = mask.model_copy(update={"operations": 2})
    assert torch.equal(result(two, off, over_both), both(2 * z, z))
    assert torch.equal(result(two, mask, three), 3 * both(2 * z, z))
    assert torch.equal(result(mask, two), 2 * z)
    outer = Mask(keep="outside", operations=2, **half)  # type: ignore[arg-type]
    assert torch.equal(result(two, mask, outer), z), "a mask can be masked"


# ---- flip, shuffle, clamp


def test_flip_is_torchvision_s(z: Tensor) -> None:
    assert torch.equal(Flip()(z), oracle.hflip(z))
    assert torch.equal(Flip(direction="vertical")(z), oracle.vflip(z))


@given(st.integers(1, 9), st.integers(0, 99))
def test_shuffle_moves_whole_patches(patch: int, seed: int) -> None:
    z = torch.arange(2 * 7 * 9.0).reshape(1, 2, 7, 9)
    result = Shuffle(patch=patch, seed=seed)(z)
    assert sorted(result.flatten().tolist()) == sorted(z.flatten().tolist())
    down, across = 7 // patch * patch, 9 // patch * patch
    assert torch.equal(result[..., down:, :], z[..., down:, :])
    assert torch.equal(result[..., across:], z[..., across:])
    whole = [
        z[0, :, i : i + patch, j : j + patch]
        for i in range(0, down, patch)
        for j in range(0, across, patch)
    ]
    for i in range(0, down, patch):
        for j in range(0, across, patch):
            found = result[0, :, i : i + patch, j : j + patch]
            assert sum(torch.equal(found, one) for one in whole) == 1


def test_clamp_limits_the_latent_or_the_brightness(z: Tensor) -> None:
    assert torch.equal(Clamp(low=-1, high=0.5)(z), z.clamp(-1, 0.5))
    assert torch.equal(Clamp(low=0, high=0.5)(z, IMAGE), z.clamp(-1, 0))
