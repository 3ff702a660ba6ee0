"""Pictures looked at closely."""

from math import log10
from typing import Any

import numpy as np
import pytest

from workbench.tui.models import PictureRow, Spot
from workbench.tui.present.comparison import difference, side_by_side
from workbench.tui.screens.viewer.screen import ViewScreen
from workbench.tui.terminal.half_blocks import SHADES, half_blocks
from workbench.tui.terminal.pictures import Backdrop, Magnified, draw_on

RANDOM = np.random.default_rng(0)


def rows(size: int = 32) -> tuple[PictureRow, ...]:
    stacks = RANDOM.integers(0, 256, (2, 3, size, size, 3)).astype(np.uint8)
    return tuple(PictureRow(f"c = {i}", stack) for i, stack in enumerate(stacks))


def test_the_numbers_of_a_difference_are_those_of_numpy() -> None:
    one, other = (row.pixels[0] for row in rows())
    found = difference(one, other)
    delta = other.astype(float) - one.astype(float)
    rmse = np.sqrt((delta**2).mean())
    assert found is not None
    assert found.rmse == pytest.approx(rmse) and found.most == np.abs(delta).max()
    assert found.psnr == pytest.approx(20 * log10(255 / rmse))
    assert np.abs(found.pixels - (128 + found.gain * delta)).max() <= 0.5
    equal = difference(one, one)
    assert equal is not None and equal.most == 0 and (equal.pixels == 128).all()
    assert difference(one, other[:16]) is None
    assert side_by_side(rows()[0].pixels, 2).shape == (32, 100, 3)


@pytest.mark.parametrize("factor", [1, 2, 3])
def test_a_magnified_picture_has_the_pixels_it_was_given(
    factor: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    pixels = rows(8)[0].pixels[0]
    monkeypatch.setattr(Magnified, "ACROSS", 3)
    drawn = Magnified(pixels, factor)
    wanted = half_blocks(pixels, 8 * factor)
    assert drawn.height == len(wanted)
    for line, strip in enumerate(wanted):
        whole = [(c, s) for text, s, _ in strip for c in text]
        for start, end in ((0, drawn.width), (3, 7), (5, drawn.width + 9)):
            cells = [(c, s) for text, s, _ in drawn.line(line, start, end) for c in text]
            assert cells == whole[start:end]


def test_without_colour_a_magnified_picture_is_shades() -> None:
    draw_on(Backdrop(colors="none"))
    try:
        ramp = np.linspace(0, 255, len(SHADES)).astype(np.uint8)
        drawn = Magnified(np.tile(ramp[:, None], (2, 1, 3)), 2)
        line = drawn.line(0, 0, drawn.width)
    finally:
        draw_on(Backdrop())
    assert line.text == "".join(2 * shade for shade in SHADES)
    assert not any(segment.style for segment in line)


@pytest.mark.parametrize("size", [(80, 24), (120, 36), (200, 60)])
async def test_two_pictures_are_compared(program: Any, size: tuple[int, int]) -> None:
    async with program(size=size) as driver:
        screen = ViewScreen(rows(), Spot(1, 0), Spot(0, 0))
        driver.app.push_screen(screen)
        await driver.dialog()
        assert screen.shown == "side by side"
        text = "\n".join(driver.screen_text())
        assert "A · c = 0" in text and "B · c = 1" in text and "RMSE" in text
        for canvas in screen.query("Canvas"):
            assert not canvas.display or canvas.region.bottom <= size[1] - 3
        await driver.press("tab")
        assert screen.shown == "flicker" and screen._flicker is not None
        await driver.press("space")
        assert screen._flicker is None, "held, nothing is drawn"
        await driver.press("4", "w", "w", "n", "N", "plus", "right")
        assert screen.at == Spot(0, 1) and screen.first is not None
        await driver.press("3", "escape")
        await driver.closed()
        assert screen._flicker is None, "nothing flickers behind the main screen"
