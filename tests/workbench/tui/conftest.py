"""The screen under test: frozen clocks, folders of its own, an engine that is asked to wait."""

import asyncio
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

os.environ["TEXTUAL_ANIMATIONS"] = "none"  # before textual is imported, and so is the next
os.environ["TEXTUAL_COLOR_SYSTEM"] = "truecolor"

import workbench.tui.main.actions  # noqa: F401  # sentences name the keys of these

SILENT = (sys.executable, "-c", "import sys; sys.stdin.read()")  # an engine that never answers

SESSION = """\
version: 1
# fives through a noisy latent
title: Small
source:
  checkpoint: cmnist-fives
  images:
    - {dataset: colored-mnist, digit: 5, count: 3, seed: 0}
target:
  checkpoint: cmnist-sevens
solver: {steps: 3, start_noise: 0.03}
recipe:
  latent:
    - {op: normalize}
    - {op: add_noise, coefficient: [0.1, 0.4]}  # two
"""


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("DATA", "STATE", "CACHE", "CONFIG"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / name.lower()))
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    yield


@pytest.fixture
def session_file(tmp_path: Path) -> Path:
    path = tmp_path / "work" / "small.yaml"
    path.write_text(SESSION)
    return path


class Driver:
    """A running program: keys in, conditions awaited, never slept for."""

    def __init__(self, app: Any, pilot: Any) -> None:
        self.app, self.pilot, self.main = app, pilot, app.main_screen

    @property
    def workspace(self) -> Any:
        return self.main.workspace

    @property
    def session(self) -> Any:
        return self.workspace.session

    async def until(self, condition: Callable[[], object], seconds: float = 60) -> None:
        async with asyncio.timeout(seconds):
            while not condition():
                await self.pilot.pause(0.02)
        await self.pilot.pause()

    async def press(self, *keys: str) -> None:
        for key in keys:
            await self.pilot.press(key)

    async def type(self, text: str) -> None:
        names = {" ": "space", ".": "full_stop", "/": "slash", "-": "minus", "_": "underscore"}
        await self.press(*(names.get(character, character) for character in text))

    def widget(self, selector: str) -> Any:
        return self.app.screen.query_one(selector)

    def screen_text(self) -> list[str]:
        width, height = self.app.size
        lines = self.app.screen._compositor.render_strips()
        return [strip.text.ljust(width) for strip in lines[:height]]

    async def dialog(self) -> None:
        await self.until(lambda: self.app.screen is not self.main)

    async def closed(self) -> None:
        await self.until(lambda: self.app.screen is self.main)


@pytest.fixture
def program(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    @asynccontextmanager
    async def start(
        session: Path | None = None,
        *,
        size: tuple[int, int] = (120, 36),
        engine: Any = SILENT,
        runs: Path | None = None,
    ) -> Any:
        from workbench.tui.app import WorkbenchApp

        # A busy machine loses no notice before it is looked at.
        monkeypatch.setattr("textual.notifications.Notification.has_expired", False)
        app = WorkbenchApp(session, engine_command=engine, runs=runs)
        async with app.run_test(size=size) as pilot:
            driver = Driver(app, pilot)
            try:
                await driver.until(
                    lambda: (
                        driver.workspace and driver.workspace.images.loaded.available is not None
                    )
                )
                await driver.until(lambda: driver.main.engine is not None)
                yield driver
            finally:
                if driver.main.engine is not None:
                    await driver.main.engine.stop()

    return start
