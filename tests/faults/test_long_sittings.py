"""Many runs and many images: memory stays bounded, and what is not shown is said."""

import gc
import shutil
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any


async def test_what_is_left_of_many_images_is_said(
    program: Callable[..., Any], session_file: Path, home: Path
) -> None:
    """The first 64 of 100 results are shown, which the screen says: "64 of 100"."""
    text = session_file.read_text().replace("count: 3", "count: 100")
    session_file.write_text(text.replace("steps: 3", "steps: 1"))
    async with program(session_file, engine=None, runs=home / "runs") as screen:
        await screen.press("r")
        await screen.until("done in", seconds=90)
        assert "64 of 100" in screen.text


async def test_the_memory_of_the_screen_does_not_grow_with_each_run(
    program: Callable[..., Any], session_file: Path, home: Path
) -> None:
    """At most 0.1 MB a run once the first ones have filled the caches."""
    text = session_file.read_text().replace("count: 3", "count: 32")
    session_file.write_text(text.replace("steps: 3", "steps: 1"))
    async with program(session_file, engine=None, runs=home / "runs") as screen:

        async def run(number: int) -> int:
            await screen.press("r")
            await screen.until(lambda: len(list((home / "runs").glob("2*"))) == number)
            await screen.until("done in")
            gc.collect()
            return tracemalloc.get_traced_memory()[0]

        tracemalloc.start()
        try:
            held = [await run(number) for number in range(1, 11)]
        finally:
            tracemalloc.stop()
    assert (held[-1] - held[3]) / 6 < 100_000, held


async def test_an_earlier_run_of_the_sitting_is_shown_again(
    program: Callable[..., Any], session_file: Path, home: Path
) -> None:
    """All of its rows are read back from its run directory; a directory that is gone is said."""
    async with program(session_file, engine=None, runs=home / "runs") as screen:
        queue = screen.app.screen.workspace.queue
        rows: list[dict[Any, Any]] = []
        for number in range(1, 9):
            await screen.press("r")
            await screen.until(lambda number=number: len(queue.runs) == number and not queue.active)
            rows.append(dict(queue.runs[-1]._rows))
        first, second = queue.runs[:2]
        assert first.released and second.released
        await screen.press("Q")
        await screen.until("Queue")
        screen.app.screen.dismiss(first.id)
        await screen.until(lambda: queue.shown is first)
        for key, pictures in rows[0].items():
            again = first.row(*key)
            assert again is not None and (again.pixels == pictures.pixels).all(), key
            assert again.metrics == pictures.metrics, key
        shutil.rmtree(second.directory)
        await screen.press("Q")
        await screen.until("Queue")
        screen.app.screen.dismiss(second.id)
        notices = screen.app._notifications
        await screen.until(lambda: any("cannot be shown" in notice.title for notice in notices))
        assert queue.shown is first
