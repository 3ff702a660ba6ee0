"""Pictures of the screen for the documentation: `python -m workbench.tui.screenshot OUT.svg`.

The program runs without a terminal at the size that is asked for; with --run, a session is run
first by a real engine. Keys can be pressed, in textual's names: `--press 4 down enter`.
"""

import argparse
import asyncio
import os
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

os.environ["TEXTUAL_COLOR_SYSTEM"] = "truecolor"  # whatever the terminal shows that this runs in

from workbench.tui.app import WorkbenchApp  # textual reads it when it is imported


async def wait_until(
    condition: Callable[[], bool], pause: Callable[[], Awaitable[None]], seconds: float
) -> None:
    """Let the program work until a condition holds; raises TimeoutError after `seconds`."""
    async with asyncio.timeout(seconds):
        while not condition():
            await pause()


async def take(
    out: Path,
    size: tuple[int, int],
    session: Path | None = None,
    *,
    run: bool = False,
    press: Sequence[str] = (),
    checkpoints: Sequence[Path] = (),
    timeout: float = 600,
) -> None:
    """Write the screen as SVG. `press`: keys after the run, if there is one."""
    app = WorkbenchApp(session, checkpoints=checkpoints, runs=out.parent / "runs")
    async with app.run_test(size=size) as pilot:
        main = app.main_screen

        async def pause() -> None:
            await pilot.pause(0.05)

        def loaded() -> bool:
            images = main.workspace.images.loaded if main.workspace is not None else None
            return images is not None and images.available is not None and images.count > 0

        def finished() -> bool:
            shown = main.workspace.run if main.workspace is not None else None
            return shown is not None and not shown.active

        await wait_until(loaded, pause, timeout)
        if run:
            await pilot.press("r")
            await wait_until(finished, pause, timeout)
        for key in press:
            await pilot.press(key)
            await pilot.pause()
        await pause()
        out.write_text(app.export_screenshot(title=" "), "utf-8")
        if main.engine is not None:
            await main.engine.stop()


def main() -> None:
    """Read the command line, write the picture."""
    parser = argparse.ArgumentParser(prog="python -m workbench.tui.screenshot", description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--size", default="120x36", help="columns x rows")
    parser.add_argument("--session", type=Path)
    parser.add_argument("--run", action="store_true", help="run the session first")
    parser.add_argument("--press", nargs="*", default=[], metavar="KEY")
    parser.add_argument("--checkpoints", type=Path, action="append", default=[])
    options = parser.parse_args()
    columns, rows = (int(number) for number in options.size.split("x"))
    asyncio.run(
        take(
            options.out,
            (columns, rows),
            options.session,
            run=options.run,
            press=options.press,
            checkpoints=options.checkpoints,
        )
    )


if __name__ == "__main__":
    main()
