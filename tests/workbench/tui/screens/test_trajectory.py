"""The trajectory's screen, through the real engine's process."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from workbench.engine.protocol.client import COMMAND
from workbench.tui.screens.trajectory.screen import TrajectoryScreen

pytestmark = pytest.mark.slow

STATES = 2 * 4  # three steps and a start, both ways


async def finished(driver: Any) -> None:
    await driver.until(lambda: (r := driver.workspace.run) and r.finished, seconds=240)
    assert driver.workspace.run.finished.status == "done", driver.workspace.run.finished.error


async def answered(driver: Any) -> TrajectoryScreen:
    await driver.until(lambda: isinstance(driver.app.screen, TrajectoryScreen))
    screen: TrajectoryScreen = driver.app.screen
    await driver.until(lambda: screen.view is not None, seconds=240)
    return screen


def text(driver: Any) -> str:
    return "\n".join(driver.screen_text())


async def test_a_result_is_followed_from_image_to_result(program: Any, session_file: Path) -> None:
    async with program(session_file, engine=COMMAND) as driver:
        await driver.press("r")
        await finished(driver)
        await driver.press("3", "home", "down", "right", "T")
        screen = await answered(driver)
        strip = driver.widget("#strip")
        assert strip.view.columns == STATES
        assert "image 2 · " in text(driver) and "c = 0.4" in text(driver)
        assert "z, the image" in text(driver)
        assert "encode · step 0 of 3 · σ 0.03 · log-SNR 7.01 · NFE 0" in text(driver)

        await driver.press("end")
        assert "decode · step 3 of 3" in text(driver) and "z, the result" in text(driver)
        result = driver.workspace.run.row("result", 1).pixels[1]
        shown = driver.widget("#state").pixels
        assert np.abs(shown.astype(int) - result.astype(int)).max() <= 1

        await driver.press("left", "left", "left")
        assert "decode · step 0 of 3" in text(driver)
        assert "z, the edited latent" in text(driver)

        await driver.press("space")
        await driver.until(lambda: strip.image == STATES - 1)
        assert screen._playing is None
        await driver.press("space")
        assert strip.image < STATES - 1 and screen._playing is not None
        await driver.press("shift+left")
        assert strip.image == 0 and screen._playing is None
        await driver.press("escape")
        await driver.closed()


async def test_it_needs_no_run_and_fits_small_screens(program: Any, session_file: Path) -> None:
    async with program(session_file, engine=COMMAND, size=(80, 24)) as driver:
        await driver.press("T")
        await answered(driver)
        await driver.press("right")
        assert "encode · step 1 of 3" in text(driver) and "std of z" in text(driver)
        assert driver.widget("#state").magnification > 0.4


async def test_it_waits_for_the_run_and_is_forgotten_with_escape(
    program: Any, session_file: Path
) -> None:
    content = session_file.read_text()
    session_file.write_text(content.replace("steps: 3", "steps: 2000"))
    async with program(session_file, engine=COMMAND) as driver:
        await driver.press("r")
        await driver.until(
            lambda: driver.workspace.run.progress and driver.workspace.run.progress.step > 2
        )
        await driver.press("T")
        await driver.dialog()
        assert "waits for the run" in text(driver)
        await driver.press("space", "right")
        asked = driver.app.screen.asked
        await driver.press("escape")
        await driver.closed()
        await driver.until(lambda: asked not in driver.main.engine._running)
        await driver.press("c")
        await driver.until(lambda: driver.workspace.run.finished)


async def test_what_is_wrong_is_said(program: Any, session_file: Path) -> None:
    content = session_file.read_text()
    session_file.write_text(content.replace("cmnist-sevens", "cmnist-seven"))
    async with program(session_file, engine=COMMAND) as driver:
        await driver.press("T")
        await driver.until(lambda: "cmnist-seven" in text(driver) and "Trajectory" in text(driver))


async def test_a_dying_engine_is_an_answer(program: Any, session_file: Path) -> None:
    mortal = (sys.executable, "-c", "import sys; sys.stdin.readline(); sys.exit(3)")
    async with program(session_file, engine=mortal) as driver:
        await driver.press("T")
        await driver.dialog()
        await driver.until(lambda: "exit code 3" in driver.widget("#state").hint)
        await driver.press("escape")
        await driver.closed()
