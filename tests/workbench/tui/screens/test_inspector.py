"""The latent inspector, with the real engine."""

from pathlib import Path
from typing import Any

import pytest

from workbench.engine.protocol.client import COMMAND
from workbench.tui.models import BarsView
from workbench.tui.screens.inspector.bars import Bars
from workbench.tui.screens.inspector.screen import Inspector

pytestmark = pytest.mark.slow


async def run(driver: Any) -> None:
    await driver.press("r")
    await driver.until(lambda: (r := driver.workspace.run) and r.finished, seconds=240)
    assert driver.workspace.run.finished.status == "done"


async def answered(driver: Any) -> None:
    screen = driver.app.screen
    await driver.until(lambda: screen.view is not None and not screen._asked)


async def test_the_steps_of_a_run(program: Any, session_file: Path, tmp_path: Path) -> None:
    size = (80, 24)
    async with program(session_file, engine=COMMAND, runs=tmp_path / "runs", size=size) as driver:
        await run(driver)
        await driver.press("3", "home", "down", "down", "i")  # the last variant, c = 0.4
        await driver.dialog()
        await answered(driver)
        lines = driver.screen_text()
        assert "image 1 of 3" in lines[0] and "c = 0.4" in lines[0]
        steps = driver.app.screen.view.steps
        assert [step.label for step in steps] == ["latent", "normalize", "add noise"]
        assert [line.split()[0] for line in lines[3:7]] == ["latent", "normalize", "add", "white"]
        latent, _, noisy = (float(step.values[1][0]) for step in steps)
        normalized = float(steps[1].values[1][0])
        assert noisy == pytest.approx((normalized**2 + 0.16) ** 0.5, abs=0.03)
        assert latent != noisy and steps[2].values[1][1]
        assert f"{noisy:.3f}!" in lines[5]

        shown = [w.id for w in driver.app.screen.query(".inspector-plot") if w.display]
        assert shown == ["inspector-histogram"]
        histogram = driver.widget("#inspector-histogram")
        before = histogram.view
        await driver.press("down", "down")
        await driver.until(lambda: histogram.view is not before)
        assert histogram.view is steps[2].histogram
        await driver.press("tab", "tab")
        assert driver.widget("#inspector-channels").display
        assert "▀" in "\n".join(driver.screen_text())

        await driver.press("right")
        await answered(driver)
        assert "image 2 of 3" in driver.screen_text()[0]
        assert driver.app.screen.view.steps[0].values != steps[0].values
        await driver.press("a")
        await answered(driver)
        assert "all 3 images" in driver.screen_text()[0]
        assert driver.app.screen.view.images == 3
        await driver.press("escape")
        await driver.closed()


async def test_without_a_run_and_with_an_error(program: Any, session_file: Path) -> None:
    async with program(session_file, engine=COMMAND) as driver:
        await driver.press("i")
        await driver.dialog()
        await answered(driver)
        assert len(driver.app.screen.view.steps) == 3
        await driver.press("escape")
        await driver.closed()
        driver.workspace.editor.choose_checkpoint("target", "cmnist-seven")
        await driver.press("i")
        await driver.dialog()
        await driver.until(lambda: "did you mean" in "\n".join(driver.screen_text()))


async def test_leaving_drops_what_waits(program: Any, session_file: Path, tmp_path: Path) -> None:
    text = session_file.read_text()
    session_file.write_text(text.replace("steps: 3", "steps: 2000"))
    async with program(session_file, engine=COMMAND, runs=tmp_path / "runs") as driver:
        await driver.press("r")
        await driver.until(
            lambda: driver.workspace.run.progress and driver.workspace.run.progress.step > 2
        )
        await driver.press("i")
        await driver.dialog()
        assert isinstance(driver.app.screen, Inspector)
        await driver.until(lambda: "waits for the run…" in driver.screen_text()[1])
        await driver.press("escape")
        await driver.closed()
        await driver.until(lambda: len(driver.main.engine._running) == 1)
        await driver.press("c")
        await driver.until(lambda: driver.workspace.run.finished)


def test_bars_stand_as_high_as_they_are() -> None:
    from textual.app import App, ComposeResult

    class One(App[None]):
        def compose(self) -> ComposeResult:
            yield Bars()

    async def look() -> list[str]:
        app = One()
        async with app.run_test(size=(15, 6)) as pilot:
            ends = ("a", "b", "c")
            bars = app.query_one(Bars)
            bars.view = BarsView((1.0, 0.5, 0.125), (9.0,) * 3, (False,) * 3, 1.0, ends)
            await pilot.pause()
            return [bars.render_line(y).text.rstrip() for y in range(6)]

    import asyncio

    assert asyncio.run(look()) == [
        "   1│███",
        "    │███",
        "    │██████",
        "   0│██████▄▄▄",
        "    └─────────",
        "     a   b   c",
    ]
