"""The small drawn widgets, without a screen where that is possible."""

import numpy as np
import pytest

from workbench.support.terminal import shows_true_color
from workbench.tui.terminal.pictures import Backdrop, draw, draw_on, picture_width, same_pixels


@pytest.mark.parametrize(
    ("pixels", "available", "width"),
    [
        (32, 32, 32),
        (32, 63, 32),
        (32, 64, 64),
        (32, 100, 96),
        (32, 20, 16),
        (32, 17, 16),
        (32, 12, 12),
        (32, 24, 24),
        (32, 9, 8),
        (256, 33, 32),
        (28, 20, 14),
        (32, 1, 2),
    ],
)
def test_pictures_grow_by_whole_factors(pixels: int, available: int, width: int) -> None:
    assert picture_width(pixels, available) == width


@pytest.mark.parametrize(("ground", "faded"), [(0, 100), (250, 225)])
def test_a_stale_picture_fades_to_the_ground(ground: int, faded: int) -> None:
    pixels = np.full((4, 4, 3), 200, np.uint8)
    draw_on(Backdrop((ground, ground, ground)))
    bright, stale = draw(pixels, 4), draw(pixels, 4, 0.5)
    assert len(bright) == 2 and bright[0].cell_length == 4
    segments = [next(iter(strip)) for strip in (bright[0], stale[0])]
    levels = [segment.style.bgcolor.triplet.red for segment in segments]  # type: ignore[union-attr]
    assert levels == [200, faded]


def test_the_same_picture_is_not_drawn_twice() -> None:
    one = np.zeros((2, 2, 3), np.uint8)
    assert same_pixels(one, one.copy()) and same_pixels(None, None)
    assert not same_pixels(one, one + 1) and not same_pixels(one, None)
    assert not same_pixels(one, np.zeros((1, 2, 3), np.uint8))


@pytest.mark.parametrize(
    ("environment", "known"),
    [
        ({"COLORTERM": "truecolor"}, True),
        ({"TERM": "xterm-kitty"}, True),
        ({"TERM": "tmux-256color", "TMUX": "/tmp/x"}, True),
        ({"TERM_PROGRAM": "iTerm.app"}, True),
        ({"TERM": "xterm-256color"}, False),
        ({"TERM": "screen"}, False),
        ({}, False),
    ],
)
def test_terminals_that_show_all_colours(environment: dict[str, str], known: bool) -> None:
    assert shows_true_color(environment) == known
