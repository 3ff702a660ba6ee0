"""Nothing is cut at any size that a terminal may have."""

from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow

SIZES = [(80, 24), (120, 36), (200, 60)]


def visible(driver: Any, widget: Any) -> bool:
    return bool(widget.display and all(parent.display for parent in widget.ancestors))


def check_inside(driver: Any) -> None:
    width, height = driver.app.size
    for widget in driver.main.walk_children():
        if not visible(driver, widget) or not widget.region.area:
            continue
        region = widget.region
        scrolls = any(getattr(p, "max_scroll_y", 0) or getattr(p, "max_scroll_x", 0)
                      for p in widget.ancestors)  # fmt: skip
        if not scrolls:
            assert region.x >= 0 and region.right <= width, widget
            assert region.y >= 0 and region.bottom <= height, widget


@pytest.mark.parametrize("size", SIZES)
async def test_everything_has_its_place(program: Any, size: tuple[int, int]) -> None:
    async with program(size=size) as driver:
        for pane in "1234":
            await driver.press(pane)
            check_inside(driver)
            assert driver.main.focused.region.area, "the focused pane is to be seen"
            text = driver.screen_text()
            assert "untitled" in text[0] and "cmnist-fives → cmnist-sevens" in text[0]
            assert "? help" in text[-1]
            titles = {"1": "Checkpoints", "2": "Images", "3": "Results", "4": "Recipe"}
            assert any(titles[pane] in line for line in text)


@pytest.mark.parametrize("size", SIZES)
async def test_pictures_are_whole(program: Any, session_file: Path, size: tuple[int, int]) -> None:
    async with program(session_file, size=size) as driver:
        flow = driver.widget("#flow")
        picture = (flow.size.height - 2) * 2
        assert picture >= 12 and picture * len(flow.view.panels) <= flow.size.width
        if size == (200, 60):
            assert picture == 32, "where there is room, pixels are pixels"


async def test_narrow_screens_fold_into_tabs(program: Any) -> None:
    async with program(size=(80, 24)) as driver:
        tabs = driver.widget("TabLine")
        assert tabs.display and tabs.active == "flow"
        await driver.press("4")
        assert tabs.active == "recipe" and not driver.widget("#middle").display
        await driver.pilot.click("TabLine", offset=(2, 0))
        await driver.pilot.pause()
        assert tabs.active == "library" and driver.widget("#checkpoints").region.area


async def test_the_screen_follows_the_terminal(program: Any, session_file: Path) -> None:
    async with program(session_file, size=(120, 36)) as driver:
        for width, height in ((200, 60), (80, 24), (60, 15), (20, 5), (120, 36)):
            await driver.pilot.resize_terminal(width, height)
            await driver.pilot.pause()
            if width >= 80:
                check_inside(driver)
        assert driver.widget("#left").display and driver.widget("#right").display


async def test_help_keeps_its_place_among_the_hints(program: Any) -> None:
    async with program(size=(80, 24)) as driver:
        for pane in "1234":
            await driver.press(pane)
            hints = driver.screen_text()[-1]
            assert hints.rstrip().endswith("? help") and len(hints.rstrip()) <= 80
