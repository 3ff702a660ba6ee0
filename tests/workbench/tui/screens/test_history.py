"""The history: runs of the real engine, found again, named, deleted, taken up."""

import json
import shutil
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from workbench.demo import RUN
from workbench.engine.protocol.client import COMMAND
from workbench.runs.notes import Notes, read_notes
from workbench.runs.store import list_runs
from workbench.tui.present.workspace import sheet as sheet_of
from workbench.tui.screens.viewer.screen import ViewScreen

pytestmark = pytest.mark.slow


async def history(driver: Any) -> Any:
    await driver.press("h")
    await driver.dialog()
    runs = driver.widget("#runs")
    await driver.until(lambda: runs._views and all(view.read for view in runs._views[:3]))
    return runs


async def test_a_kept_run_is_compared_with_the_bench(program: Any, tmp_path: Path) -> None:
    store = tmp_path / "runs"
    shutil.copytree(RUN, store / "kept")
    async with program(RUN, runs=store) as driver:
        await driver.until(lambda: len(driver.widget("#sheet").view.rows) == 5)
        await driver.press("right")
        await history(driver)
        await driver.press("c")
        await driver.until(lambda: isinstance(driver.app.screen, ViewScreen))
        view = driver.app.screen
        await driver.until(lambda: view.difference is not None)
        main, kept = view.first, view.at
        assert view.rows[main.row].title == "main: p = 0.02"
        assert view.rows[kept.row].title == "Sevens that keep the colour of the five: p = 0.02"
        assert main.image == kept.image == 1
        assert view.difference.words == "equal, pixel for pixel"
        await driver.press("N")
        await driver.until(lambda: "RMSE" in view.difference.words)


async def test_a_run_is_found_named_and_taken_up(
    program: Any, session_file: Path, tmp_path: Path
) -> None:
    store = tmp_path / "runs"
    async with program(session_file, engine=COMMAND, runs=store) as driver:
        await driver.press("r")
        await driver.until(
            lambda: driver.workspace.run and driver.workspace.run.finished, seconds=240
        )
        fresh = sheet_of(driver.workspace, latents=True)
        (run,) = list_runs(store)

        runs = await history(driver)
        (view,) = runs._views
        assert view.title == "Small" and view.status == "done" and len(view.pictures) == 2
        assert "add noise" in view.recipe and "hue" in view.numbers
        sheet = driver.widget("#history-sheet")
        await driver.until(lambda: len(sheet.view.rows) == 2)

        await driver.press("p", "n")
        await driver.until(lambda: driver.app.screen.query(".dialog"))
        await driver.type("best")
        await driver.press("enter")
        await driver.until(lambda: read_notes(run.path).name == "best")
        await driver.press("a")
        await driver.until(lambda: driver.app.screen.query(".dialog"))
        await driver.type("seen")
        await driver.press("enter")
        await driver.until(lambda: read_notes(run.path).note == "seen")
        assert read_notes(run.path) == Notes(pinned=True, name="best", note="seen")

        await driver.until(lambda: runs._views and runs._views[0].title == "best")
        await driver.press("slash")
        await driver.type("xyz")
        await driver.until(lambda: not runs._views)
        await driver.press("escape")
        await driver.until(lambda: runs._views)

        await driver.press("d")
        await driver.until(lambda: driver.app.screen.query(".dialog"))
        await driver.press("escape")
        assert run.path.is_dir()

        await driver.press("enter")
        await driver.closed()
        await driver.until(lambda: driver.workspace.run and driver.workspace.run.id == run.name)
        await driver.until(lambda: driver.workspace.images.loaded.pixels is not None)
        assert (
            driver.workspace.document.path is None and not driver.workspace.document.history.dirty
        )
        again = sheet_of(driver.workspace, latents=True)
        assert [row.label for row in again.rows] == [row.label for row in fresh.rows]
        for one, other in zip(fresh.rows, again.rows, strict=True):
            assert one.notes == other.notes and other.freshness == "fresh"
            assert one.pixels is not None and other.pixels is not None
            assert np.array_equal(one.pixels, other.pixels), one.label

        await history(driver)
        await driver.press("d")
        await driver.until(lambda: driver.app.screen.query(".dialog"))
        await driver.press("d")
        await driver.until(lambda: not run.path.exists())


@pytest.mark.parametrize("what", ["manifest.json", "images", "latents.safetensors"])
async def test_a_damaged_run_is_listed_and_opens_with_what_is_there(
    program: Any, session_file: Path, tmp_path: Path, what: str
) -> None:
    store = kept(tmp_path, session_file)
    (run,) = list_runs(store)
    damaged = run.path / what
    shutil.rmtree(damaged) if damaged.is_dir() else damaged.write_bytes(b"{")
    async with program(runs=store) as driver:
        runs = await history(driver)
        assert (runs._views[0].status == "damaged") == (what == "manifest.json")
        if what == "manifest.json":
            assert "damaged" in runs._views[0].numbers
        await driver.press("enter")
        await driver.closed()
        await driver.until(lambda: driver.app._notifications)
        assert what in "".join(n.message for n in driver.app._notifications) or what == "images"


async def test_a_thousand_runs_are_there_at_once(
    program: Any, session_file: Path, tmp_path: Path
) -> None:
    store = kept(tmp_path, session_file)
    (run,) = list_runs(store)
    manifest = json.loads((run.path / "manifest.json").read_text())
    for number in range(1000):
        copy = store / f"copy-{number:04d}"
        copy.mkdir()
        shutil.copy(run.path / "session.yaml", copy)
        text = json.dumps(manifest | {"title": f"Number {number}"})
        (copy / "manifest.json").write_text(text)
    async with program(runs=store) as driver:
        begun = time.monotonic()
        runs = await history(driver)
        assert time.monotonic() - begun < 10  # a loaded machine; reading all would take longer
        assert len(runs._views) == 1001
        assert sum(view.read for view in runs._views) < 30
        await driver.press("slash")
        await driver.type("number 777")
        await driver.until(lambda: len(runs._views) == 1)
        assert runs._views[0].title == "Number 777"


def kept(tmp_path: Path, session_file: Path) -> Path:
    """A store with a run of the session, made without the screen."""
    import subprocess
    import sys

    store = tmp_path / "runs"
    command = [sys.executable, "-m", "workbench", "replay", str(session_file), "--out", str(store)]
    subprocess.run(command, check=True, capture_output=True)
    return store


async def test_the_demo_shows_a_finished_sweep_without_the_engine(program: Any) -> None:
    from workbench.demo import RUN

    async with program(RUN) as driver:
        await driver.until(lambda: len(driver.widget("#sheet").view.rows) == 5)
        rows = driver.widget("#sheet").view.rows
        assert all(row.freshness == "fresh" and len(row.pixels) == 8 for row in rows)
        assert all(row.notes for row in rows[1:])
        panels = driver.widget("#flow").view.panels
        assert all(panel.pixels is not None for panel in panels)
        assert driver.workspace.document.path is None
        assert not driver.app._notifications
