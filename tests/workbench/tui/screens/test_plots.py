"""A sweep as curves, on the screen."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from workbench.engine.protocol.client import COMMAND
from workbench.runs.curves import Axis, Plot, Point, Series
from workbench.runs.manifest import read_manifest
from workbench.tui.present import workspace as views
from workbench.tui.screens.plots.screen import PlotsScreen, no_sweep
from workbench.tui.screens.plots.sweep_plot import _apart, _ticks

pytestmark = pytest.mark.slow

ONE = """\
version: 1
source:
  checkpoint: cmnist-fives
  images: [{dataset: colored-mnist, digit: 5, count: 2}]
target: {checkpoint: cmnist-sevens}
solver: {steps: 1}
"""


def points(screen: PlotsScreen) -> Sequence[Point]:
    assert screen.plot is not None
    return screen.plot.points


async def test_a_sweep_is_plotted_and_its_variants_gone_through(
    program: Any, session_file: Path
) -> None:
    async with program(session_file, engine=COMMAND, size=(80, 24)) as driver:
        await driver.press("r")
        await driver.until(lambda: driver.workspace.run and driver.workspace.run.started)
        await driver.press("g")
        await driver.dialog()
        screen = driver.app.screen
        assert isinstance(screen, PlotsScreen)
        await driver.until(lambda: driver.workspace.run.finished)
        run = driver.workspace.run
        await driver.until(lambda: screen.plot and len(screen.plot.points) == 2)

        manifest = read_manifest(Path(run.finished.run))
        for metric in screen.metrics:
            screen._metric = metric.name
            told = [v.metrics[metric.name] for v in manifest.variants]
            drawn = points(screen)
            assert [p.y for p in drawn] == pytest.approx(told), metric.name
            assert [p.x for p in drawn] == [0.1, 0.4]
        screen._metric = screen.metrics[0].name

        await driver.press("right")
        pictures = driver.widget("#plot-pictures")
        assert (pictures.view.rows[-1].pixels == run.row("result", 1).pixels).all()
        assert (pictures.view.rows[0].pixels == run.row("source").pixels).all()
        text = "\n".join(driver.screen_text())
        assert "c = 0.4" in text and "coefficient c" in text and "◆" in text
        assert "variant 2 of 2" in text

        await driver.press("down")
        assert screen.metric == screen.metrics[1]
        await driver.press("t")
        x, y = screen.axes
        assert (x.name, y.name) == ("hue_error_median", "target_accuracy")
        told_both = [(v.metrics[x.name], v.metrics[y.name]) for v in manifest.variants]
        assert [(p.x, p.y) for p in points(screen)] == told_both
        await driver.press("x")
        assert screen.axes[0] != x and screen.axes[1] == y

        await driver.press("enter")
        await driver.closed()
        sheet = driver.widget("#sheet")
        assert sheet.view.rows[sheet.row].variant == 1
        await driver.press("g")
        await driver.dialog()
        assert driver.app.screen.variant == 1
        await driver.press("left", "escape")
        await driver.closed()
        assert sheet.view.rows[sheet.row].variant == 1, "escape leaves the cursor where it was"


@pytest.mark.parametrize("run", [False, True])
async def test_without_a_sweep_it_says_how_to_make_one(
    program: Any, tmp_path: Path, run: bool
) -> None:
    path = tmp_path / "work" / "one.yaml"
    path.write_text(ONE)
    async with program(path, engine=COMMAND, size=(80, 24)) as driver:
        if run:
            await driver.press("r")
            await driver.until(lambda: driver.workspace.run and driver.workspace.run.finished)
        await driver.press("g")
        how = "such as 0.1 0.3 0.5, and run it (r)" if run else "r runs the session"
        await driver.until(lambda: any(how in n.message for n in driver.app._notifications))
        assert driver.app.screen is driver.main


def test_ticks_are_round_and_do_not_run_into_each_other() -> None:
    percent = Axis("accuracy (%)", factor=100)
    assert _ticks(percent, -5, 105, 6) == [(n, str(n)) for n in (0, 20, 40, 60, 80, 100)]
    assert [text for _, text in _ticks(Axis("c"), 0.2805, 0.2835, 3)] == ["0.281", "0.282", "0.283"]
    assert _apart([(0, "0.01"), (1, "0.02"), (9, "0.1")], 1) == [(0, "0.01"), (9, "0.1")]


@pytest.mark.parametrize("logarithmic", [False, True])
async def test_odd_plots_are_drawn(program: Any, logarithmic: bool) -> None:
    """One point, equal values, many series."""
    x = Axis("c", ticks=((0.01, "0.01"), (1, "1")), logarithmic=logarithmic)
    y = Axis("y")
    async with program(size=(80, 24)) as driver:
        driver.app.push_screen(PlotsScreen(views.plots(driver.workspace)))
        await driver.dialog()
        await driver.until(
            lambda: no_sweep() in " ".join(" ".join(driver.screen_text()).split()), 10
        )
        widget = driver.widget("#plot")
        widget.display = True
        await driver.pilot.pause()
        plots = [
            (Series("", (Point(0, 0.01, 0.0),)),),
            (Series("", (Point(0, 0.01, 2.0), Point(1, 1.0, 2.0))),),
            tuple(Series(f"{i}", (Point(i, 0.01, i), Point(i + 9, 1.0, -i))) for i in range(9)),
            (Series("", ()),),
        ]
        for series in plots:
            widget.show(Plot(x, y, series, True), 0, ("a",) * 18)
            assert ("◆" in widget.render().plain) == bool(series[0].points)
