"""Queue, auto-run, previews and cancels, with the real engine."""

import time
from pathlib import Path
from typing import Any

import pytest

from workbench.engine.planning.plan import make_plan
from workbench.engine.protocol.client import COMMAND
from workbench.engine.protocol.messages import Sample
from workbench.runs.store import list_runs
from workbench.session.reading import load_session
from workbench.tui.present.runs import DECODE_ONLY

pytestmark = pytest.mark.slow

LONG = 2000  # steps that nobody waits for


def with_steps(file: Path, steps: int) -> None:
    file.write_text(file.read_text().replace("steps: 3", f"steps: {steps}"))


async def toggle_noise(driver: Any) -> None:
    await driver.press("4", "end", "up", "space")


async def ended(driver: Any, *statuses: str) -> None:
    def told() -> bool:
        return [run.finished and run.finished.status for run in driver.workspace.queue.runs] == [
            *statuses
        ]

    await driver.until(told, seconds=120)


async def test_the_middle_of_three_is_cancelled_alone(
    program: Any, session_file: Path, tmp_path: Path
) -> None:
    with_steps(session_file, 150)
    async with program(session_file, engine=COMMAND, runs=tmp_path / "runs") as driver:
        await driver.press("r")
        await driver.until(lambda: driver.workspace.run.progress)
        await toggle_noise(driver)
        await driver.press("r", "r")
        await driver.until(lambda: len(driver.workspace.queue.waiting) == 1)
        await driver.press("u", "d", "r")
        await driver.until(lambda: len(driver.workspace.queue.waiting) == 2)
        await driver.until(lambda: "2 waiting" in driver.widget("ProgressLine").view.facts)
        await driver.press("Q")
        await driver.dialog()
        await driver.press("down", "c")
        await driver.until(lambda: driver.workspace.queue.runs[1].finished, seconds=9)
        first, _, third = driver.workspace.queue.runs
        assert first.active and third.active, "the others are not touched"
        await ended(driver, "done", "cancelled", "done")
        text = "\n".join(driver.screen_text())
        assert "ended" in text and "cancelled" in text
        await driver.press("end", "enter")
        await driver.closed()
        assert driver.workspace.run is first
        assert len(list_runs(tmp_path / "runs")) == 2


async def test_a_cancel_keeps_what_there_is_and_says_partial(
    program: Any, session_file: Path, tmp_path: Path
) -> None:
    text = session_file.read_text().replace("count: 3", "count: 9")  # a chunk for each variant
    session_file.write_text(text)
    with_steps(session_file, 60)
    async with program(session_file, engine=COMMAND, runs=tmp_path / "runs") as driver:
        await driver.press("r")

        def second_emerges() -> bool:
            row = driver.workspace.run.row("result", 1)
            return row is not None and row.partial

        await driver.until(second_emerges, seconds=120)
        step = driver.workspace.run.progress.step
        await driver.press("c")
        await ended(driver, "cancelled")
        run = driver.workspace.run
        assert run.progress.step - step < 20
        _, whole, partial = driver.widget("#sheet").view.rows
        assert (whole.freshness, partial.freshness) == ("fresh", "partial")
        assert partial.notes == ("partial",) and "partial" not in whole.notes
        await driver.press("3", "down", "down")
        assert driver.widget("#flow").view.panels[-1].captions == ("partial",)
        (stored,) = list_runs(tmp_path / "runs")
        assert stored.manifest is not None and stored.manifest.status == "cancelled"
        assert len(stored.manifest.variants) == 1


async def test_no_previews_no_partial_rows(program: Any, session_file: Path) -> None:
    async with program(session_file, engine=COMMAND) as driver:
        heard: list[Any] = []
        receive = driver.main.opened.running.on_run_event

        def listen(event: Any) -> Any:
            heard.append(event)
            return receive(event)

        driver.main.opened.running.on_run_event = listen
        await driver.press("p", "p", "r")
        assert "previews off" in driver.widget("ProgressLine").view.badges
        await ended(driver, "done")
        rows = [event for event in heard if event.type == "row"]
        assert rows and not any(row.partial for row in rows)
        await driver.press("p")
        assert driver.workspace.queue.previews == 4


async def test_turning_a_knob_shows_its_effect(
    program: Any, session_file: Path, tmp_path: Path
) -> None:
    session_file.write_text(session_file.read_text().replace("count: 3", "count: 6"))
    with_steps(session_file, 10)
    async with program(session_file, engine=COMMAND, runs=tmp_path / "runs") as driver:
        await driver.until(lambda: driver.main.engine.state == "ready")
        await driver.press("A")
        await ended(driver, "done")
        sheet = driver.widget("#sheet")
        assert sheet.view.title == "Results · auto-run · 2 variants × 4 images · not kept; r keeps"
        assert {len(row.pixels) for row in sheet.view.rows} == {4}

        before, begun = driver.workspace.run, time.monotonic()
        await toggle_noise(driver)
        await driver.until(lambda: driver.workspace.run is not before, seconds=20)
        seconds = time.monotonic() - begun
        print(f"first picture {seconds:.2f} s after the key")
        assert seconds < 15
        await driver.until(lambda: driver.workspace.run.finished)
        assert "not kept" in driver.widget("ProgressLine").view.text
        assert not list_runs(tmp_path / "runs")

        await driver.press("A", "r")
        await driver.until(lambda: not driver.workspace.run.auto and driver.workspace.run.finished)
        assert len(list_runs(tmp_path / "runs")) == 1
        await driver.press("u")
        assert driver.widget("ProgressLine").view.text == f"r: {DECODE_ONLY}"
        await driver.press("r")
        await driver.until(lambda: len(list_runs(tmp_path / "runs")) == 2)
        await driver.until(lambda: not driver.workspace.queue.active)
        said = driver.widget("ProgressLine").view.text
        assert "encode from the cache, decoded only" in said


async def test_an_auto_run_never_cancels_a_kept_one(program: Any, session_file: Path) -> None:
    with_steps(session_file, LONG)
    async with program(session_file, engine=COMMAND) as driver:
        await driver.press("r")
        await driver.until(
            lambda: driver.workspace.run.progress and driver.workspace.run.progress.step > 2
        )
        kept = driver.workspace.run
        assert any("NFE" in fact for fact in driver.widget("ProgressLine").view.facts)
        await toggle_noise(driver)
        await driver.press("A")
        await driver.until(lambda: len(driver.workspace.queue.waiting) == 1)
        first = driver.workspace.queue.waiting[0]
        await driver.press("u")
        await driver.until(lambda: not first.active, seconds=10)
        assert kept.active and not kept.cancelling
        await driver.press("c")
        await driver.until(lambda: kept.finished, seconds=20)


def test_a_sample_is_the_first_images_and_variants(session_file: Path) -> None:
    session = load_session(session_file)
    whole = make_plan(session, session_file.parent)
    sample = make_plan(session, session_file.parent, sample=Sample(images=2, variants=1))
    assert sample.images.names == whole.images.names[:2]
    assert (sample.images.pixels == whole.images.pixels[:2]).all()
    assert sample.variants == whole.variants[:1]
