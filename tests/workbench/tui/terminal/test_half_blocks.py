import numpy as np
import pytest
from rich.console import Console

from workbench.tui.terminal import half_blocks as preview
from workbench.tui.terminal.half_blocks import (
    SHADES,
    fitting_width,
    half_blocks,
    image_strips,
    row_strips,
)


def noise(*shape, seed=0):
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def digits(*shape):
    """Mostly black, as the digits are: long runs of equal cells."""
    pixels = noise(*shape)
    pixels[noise(*shape[:2], seed=1) < 200] = 0
    return pixels


def pixels_of(strips):
    """The picture that the cells show, [2·lines, width, 3], read from their styles."""
    rows = []
    for strip in strips:
        upper, lower = [], []
        for segment in strip:
            style = segment.style
            below = tuple(style.bgcolor.triplet)
            above = tuple(style.color.triplet) if style.color else below
            assert set(segment.text) == ({"▀"} if style.color else {" "})
            upper += [above] * len(segment.text)
            lower += [below] * len(segment.text)
        assert len(upper) == strip.cell_length
        rows += [upper, lower]
    return np.array(rows, np.uint8)


@pytest.mark.parametrize(
    "picture",
    [
        noise(32, 32, 3),
        digits(32, 32, 3),
        np.zeros((32, 32, 3), np.uint8),
        np.full((32, 32, 3), 255, np.uint8),
        noise(28, 28, 3),
        noise(2, 2, 3),
        noise(64, 48, 3),
        noise(256, 256, 3),
    ],
)
def test_every_pixel_keeps_its_colour(picture):
    height, width, _ = picture.shape
    strips = half_blocks(picture, width)
    assert len(strips) == height // 2
    assert all(strip.cell_length == width for strip in strips)
    np.testing.assert_array_equal(pixels_of(strips), picture)


@pytest.mark.parametrize("factor", [2, 3])
def test_magnified_pictures_are_crisp(factor):
    picture = noise(32, 32, 3)
    strips = half_blocks(picture, 32 * factor)
    assert len(strips) == 16 * factor
    expected = picture.repeat(factor, axis=0).repeat(factor, axis=1)
    np.testing.assert_array_equal(pixels_of(strips), expected)


def test_smaller_pictures_average_over_areas():
    picture = noise(32, 32, 3)
    expected = picture.reshape(8, 4, 8, 4, 3).mean(axis=(1, 3))
    assert np.abs(pixels_of(half_blocks(picture, 8)) - expected).max() <= 1


@pytest.mark.parametrize("width", range(1, 70))
def test_any_width_is_kept(width):
    strips = half_blocks(noise(32, 32, 3), width)
    assert {strip.cell_length for strip in strips} == {width}
    assert len(strips) == -(-width // 2)
    pixels_of(strips)


def test_an_odd_height_ends_on_the_background():
    picture = noise(3, 4, 3)
    shown = pixels_of(half_blocks(picture, 4, background=(1, 2, 3)))
    np.testing.assert_array_equal(shown[:3], picture)
    assert (shown[3] == (1, 2, 3)).all()


def test_grey_pictures():
    picture = noise(8, 8, 1)
    np.testing.assert_array_equal(pixels_of(half_blocks(picture, 8)), picture.repeat(3, axis=2))


def test_pictures_are_cached_by_content():
    picture = noise(32, 32, 3, seed=7)
    first, again = half_blocks(picture, 32), half_blocks(picture.copy(), 32)
    assert all(a is b for a, b in zip(first, again, strict=True))
    picture[0, 0] = 255 - picture[0, 0]
    np.testing.assert_array_equal(pixels_of(half_blocks(picture, 32)), picture)


def test_a_row_of_images():
    images = noise(4, 32, 32, 3)
    strips = row_strips(images, 140, (9, 9, 9))
    assert [strip.cell_length for strip in strips] == [140] * 16
    shown = pixels_of(strips)
    for index, image in enumerate(images):
        left = index * 33
        np.testing.assert_array_equal(shown[:, left : left + 32], image)
        assert (shown[:, left + 32] == 9).all()
    assert (shown[:, 4 * 33 - 1 :] == 9).all()


@pytest.mark.parametrize("columns", [2, 3, 5, 10, 47, 48, 80, 131, 600])
@pytest.mark.parametrize("count", [1, 2, 16, 64])
def test_a_row_fits_its_columns(count, columns):
    strips = row_strips(noise(count, 32, 32, 3), columns)
    assert {strip.cell_length for strip in strips} == {columns}
    pixels_of(strips)


def test_one_image_with_background_around_it():
    picture = noise(32, 32, 3)
    shown = pixels_of(image_strips(picture, 40, (9, 9, 9)))
    np.testing.assert_array_equal(shown[:, :32], picture)
    assert (shown[:, 32:] == 9).all()


def test_widths():
    assert [fitting_width(32, n) for n in (0, 20, 31, 32, 63, 64, 100)] == [
        2,
        20,
        31,
        32,
        32,
        64,
        96,
    ]


def test_without_colours_there_are_shades():
    ramp = np.linspace(0, 255, len(SHADES)).astype(np.uint8)
    picture = np.broadcast_to(ramp[None, :, None], (4, len(SHADES), 3))
    strips = half_blocks(picture, len(SHADES), colors="none")
    assert [strip.text for strip in strips] == [SHADES, SHADES]
    assert all(not segment.style for strip in strips for segment in strip)
    row = row_strips(np.stack([picture, picture]), 24, colors="none")
    assert [strip.text for strip in row] == [f"{SHADES} {SHADES}   "] * 2


def test_few_colours_are_shades_in_the_nearest_hue():
    picture = np.zeros((2, 3, 3), np.uint8)
    picture[:, 1] = 60, 20, 0  # so dark that 16 colours have only black for it
    picture[:, 2] = 90, 90, 250
    (strip,) = half_blocks(picture, 3, colors="few")
    assert strip.text[0] == " " and strip.text[1] in ".:-" and strip.text[2] in "%@"
    console = Console(color_system="standard", force_terminal=True, width=80)
    written = strip.render(console)
    assert "91;40m" + strip.text[1] in written and "94;40m" + strip.text[2] in written


def test_the_strips_print_in_true_colour():
    console = Console(color_system="truecolor", force_terminal=True, width=80)
    picture = np.array([[[1, 2, 3]], [[4, 5, 6]]], np.uint8)
    assert "38;2;1;2;3;48;2;4;5;6m▀" in half_blocks(picture, 1)[0].render(console)


def test_a_terminals_own_colours_do_not_change_the_picture(monkeypatch):
    monkeypatch.setenv("TERM", "xterm-kitty")
    monkeypatch.setenv("KITTY_WINDOW_ID", "1")
    preview._draw.cache_clear()
    picture = noise(32, 32, 3, seed=3)
    np.testing.assert_array_equal(pixels_of(half_blocks(picture, 32)), picture)
