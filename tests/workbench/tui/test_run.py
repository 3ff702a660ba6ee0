"""Whole runs through the real engine's process."""

import sys
from pathlib import Path
from typing import Any

import pytest

from workbench.engine.protocol.client import COMMAND
from workbench.session.reading import load_session
from workbench.tui.screens.dialogs.ask import Prompt

pytestmark = pytest.mark.slow

# An engine that loses its life in the middle of the first run, and is the real one after that.
MORTAL = """\
import os, pathlib, sys
mark = pathlib.Path(sys.argv[1])
if mark.exists():
    os.execv(sys.executable, [sys.executable, "-m", "workbench.engine"])
mark.touch()
sys.stdin.readline()
os.kill(os.getpid(), 9)
"""


async def finished(driver: Any) -> Any:
    await driver.until(lambda: (r := driver.workspace.run) and r.finished, seconds=240)
    return driver.workspace.run.finished


async def retype(driver: Any, text: str) -> None:
    await driver.press("end", "shift+home")
    await driver.type(text)


async def test_an_experiment_by_keyboard(program: Any, tmp_path: Path) -> None:
    async with program(engine=COMMAND, runs=tmp_path / "runs") as driver:
        listed = [checkpoint.name for checkpoint in driver.widget("#checkpoints").view]
        await driver.press("1", "home", *["down"] * listed.index("cmnist-sevens"), "t")
        await driver.press("home", *["down"] * listed.index("cmnist-fives"), "s")
        await driver.press("2", "right", "t")  # two images
        await driver.press("4", "home", "e", "tab", "tab")
        await retype(driver, "2")  # steps
        await driver.press("escape")
        for name in ("normalize", "add noise"):
            await driver.press("a")
            await driver.dialog()
            await driver.type(name)
            await driver.press("enter")
            await driver.closed()
        await driver.press("e")
        await retype(driver, "0.1 0.5")
        await driver.press("escape", "r")
        done = await finished(driver)
        assert done.status == "done", done.error

        sheet = driver.widget("#sheet").view
        assert [row.label for row in sheet.rows] == ["source", "c = 0.1", "c = 0.5"]
        assert all(row.freshness == "fresh" and len(row.pixels) == 2 for row in sheet.rows)
        assert all(any("hue" in note for note in row.notes) for row in sheet.rows[1:])
        panels = driver.widget("#flow").view.panels
        assert [panel.kind for panel in panels] == ["source", "latent", "edited_latent", "result"]
        assert all(panel.pixels is not None for panel in panels)
        assert panels[1].captions[0].startswith("σ ") and panels[3].captions[0].endswith("°")
        assert "done in" in driver.widget("ProgressLine").view.text
        assert (Path(done.run) / "sheet.png").is_file()

        await driver.press("3", "down", "right")
        assert driver.widget("#flow").view.panels[0].pixels is not panels[0].pixels

        await driver.press("4", "end", "up", "space")
        states = {panel.kind: panel.freshness for panel in driver.widget("#flow").view.panels}
        assert states["latent"] == "fresh" and states["result"] == "stale"
        await driver.press("u")

        await driver.press("ctrl+s")
        await driver.until(lambda: isinstance(driver.app.screen, Prompt))
        await retype(driver, "mine.yaml")
        await driver.press("enter")
        await driver.until(lambda: driver.workspace.document.path is not None)
        saved = load_session("mine.yaml")
        assert saved == driver.session and saved.solver.steps == 2


async def test_a_run_can_be_cancelled_and_run_again(
    program: Any, session_file: Path, tmp_path: Path
) -> None:
    text = session_file.read_text()
    session_file.write_text(text.replace("steps: 3", "steps: 2000"))
    async with program(session_file, engine=COMMAND, runs=tmp_path / "runs") as driver:
        await driver.press("r")
        await driver.until(
            lambda: driver.workspace.run.progress and driver.workspace.run.progress.step > 2
        )
        await driver.press("c")
        done = await finished(driver)
        assert done.status == "cancelled"
        assert driver.widget("ProgressLine").view.state == "cancelled"

        await driver.press("4", "home", "e", "tab", "tab")
        await retype(driver, "2")
        await driver.press("escape", "r")
        done = await finished(driver)
        assert done.status == "done", done.error


async def test_a_dead_engine_costs_one_run(
    program: Any, session_file: Path, tmp_path: Path
) -> None:
    command = (sys.executable, "-c", MORTAL, str(tmp_path / "mark"))
    async with program(session_file, engine=command, runs=tmp_path / "runs") as driver:
        await driver.press("r")
        done = await finished(driver)
        assert done.status == "failed" and "killed" in done.error
        assert "failed" in "\n".join(driver.screen_text())
        session = driver.session
        await driver.press("r")
        await driver.until(lambda: driver.workspace.run.finished is None)
        done = await finished(driver)
        assert done.status == "done", done.error
        assert driver.session == session


async def test_what_is_wrong_with_a_session_is_said(program: Any, session_file: Path) -> None:
    text = session_file.read_text()
    session_file.write_text(text.replace("cmnist-sevens", "cmnist-seven"))
    async with program(session_file, engine=COMMAND) as driver:
        await driver.press("r")
        done = await finished(driver)
        assert done.status == "failed" and "cmnist-sevens" in done.error
        assert driver.widget("ProgressLine").view.state == "failed"
