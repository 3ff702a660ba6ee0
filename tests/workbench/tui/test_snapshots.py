"""The screen of the finished demo as text, compared with files that were looked at.

After a change that is meant, write them anew, and look at what git says is different:

    UPDATE_SNAPSHOTS=1 python -m pytest tests/workbench/tui/test_snapshots.py

Pictures are left blank, and what differs from machine to machine is masked.
"""

import os
import re
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parent / "snapshots"
SIZES = ((80, 24), (120, 36), (200, 60))
SCREENS = {
    "main": (),
    "recipe": ("4",),
    "compare": ("3", "m", "down", "v"),
    "difference": ("3", "m", "down", "v", "4"),
    "rows": ("3", "m", "down", "v", "w"),
}
MASKS = (
    (re.compile("[▀▄]"), " "),  # pictures, and the points of plots
    (re.compile(r"\d[\d.]* (s|min)\b"), "TIME"),
    (re.compile(r"(?<=kept in ).*"), "FOLDER"),
    (re.compile(r"\d{4}-\d\d-\d\d"), "YYYY-MM-DD"),
    (re.compile(r"\d+\.\d+\.\d+"), "VERSION"),
)


def masked(lines: list[str]) -> str:
    text = "\n".join(lines)
    for pattern, mask in MASKS:
        text = pattern.sub(mask, text)
    return "".join(f"{line.rstrip()}\n" for line in text.splitlines())


async def settled(driver: Any) -> str:
    """The screen once it stays as it is."""
    before, now = "", masked(driver.screen_text())
    while before != now:
        await driver.pilot.pause(0.1)
        before, now = now, masked(driver.screen_text())
    return now


async def becomes(driver: Any, expected: str) -> bool:
    """Whether the screen is soon as expected: a busy machine may pause between its parts."""
    with suppress(TimeoutError):
        await driver.until(lambda: masked(driver.screen_text()) == expected, seconds=10)
        return True
    return False


@pytest.mark.parametrize("size", SIZES, ids=lambda size: "{}x{}".format(*size))
async def test_the_demo_looks_as_it_did(program: Callable[..., Any], size: tuple[int, int]) -> None:
    from workbench.demo import RUN

    different = []
    async with program(RUN, size=size) as driver:
        await driver.until(lambda: len(driver.widget("#sheet").view.rows) == 5)
        for name, keys in SCREENS.items():
            await driver.press(*keys)
            file = FOLDER / f"{name}-{size[0]}x{size[1]}.txt"
            if os.environ.get("UPDATE_SNAPSHOTS"):
                FOLDER.mkdir(exist_ok=True)
                file.write_text(await settled(driver), "utf-8")
            elif not await becomes(driver, file.read_text("utf-8")):
                different.append(f"{file.name} is otherwise now:\n{masked(driver.screen_text())}")
            if driver.app.screen is not driver.main:
                await driver.press("escape")
                await driver.closed()
                await driver.press("up", "m")  # the mark is taken away
    assert not different, "\n".join(different)
