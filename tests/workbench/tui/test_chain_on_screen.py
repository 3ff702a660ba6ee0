"""A chain on the screen: made by keys, run by the real engine, taken back."""

from pathlib import Path
from typing import Any

import pytest

from workbench.engine.protocol.client import COMMAND
from workbench.engine.protocol.messages import RowKind
from workbench.session.reading import parse_session
from workbench.tui.screens.dialogs.ask import Prompt
from workbench.tui.state.runs.run_state import row_dependencies
from workbench.tui.state.session.ends import end_names, end_titles

pytestmark = pytest.mark.slow

CHAIN = """\
version: 1
source:
  checkpoint: cmnist-fives
  images: [{dataset: colored-mnist, digit: 5, count: 2}]
target: {checkpoint: cmnist-sevens}
chain: [{checkpoint: cmnist-digits, label: 3}, {checkpoint: cmnist-fives}]
solver: {steps: 2}
"""


async def test_there_and_back_by_keyboard(program: Any, session_file: Path, tmp_path: Path) -> None:
    async with program(session_file, engine=COMMAND, runs=tmp_path / "runs") as driver:
        listed = [checkpoint.name for checkpoint in driver.widget("#checkpoints").view]
        await driver.press("1", "home", *["down"] * listed.index("cmnist-fives"), "+")
        await driver.until(lambda: driver.session.chain)
        assert "cmnist-fives → sevens → fives" in driver.screen_text()[0]
        await driver.press("home", *["down"] * listed.index("cmnist-digits"), "+")
        await driver.until(lambda: isinstance(driver.app.screen, Prompt))
        await driver.type("1 2")
        await driver.press("enter")
        assert "only the target's can be swept" in "\n".join(driver.screen_text())
        await driver.press("ctrl+u")
        await driver.type("own")
        await driver.press("enter")
        await driver.closed()
        await driver.until(lambda: len(driver.session.chain) == 2)
        assert driver.session.chain[1].label == "own"
        await driver.press("-")
        await driver.until(lambda: len(driver.session.chain) == 1)
        await driver.press("u")
        await driver.until(lambda: len(driver.session.chain) == 2)
        await driver.press("u")
        await driver.until(lambda: len(driver.session.chain) == 1)

        await driver.press("r")
        await driver.until(
            lambda: driver.workspace.run and driver.workspace.run.finished, seconds=240
        )
        assert driver.workspace.run.finished.status == "done", driver.workspace.run.finished.error
        await driver.press("l")
        await driver.until(lambda: len(driver.widget("#sheet").view.rows) == 10)
        shown = [(row.kind, row.label, row.end) for row in driver.widget("#sheet").view.rows]
        variant = [
            ("edited_latent", "edited", 0),
            ("intermediate", "› sevens", 1),
            ("intermediate_latent", "its latent", 1),
            ("result", "c = 0.4", 0),
        ]
        assert shown[-4:] == variant
        titles = [panel.title for panel in driver.widget("#flow").view.panels]
        assert titles == ["source", "latent", "edited", "sevens", "result"]
        assert all(panel.freshness == "fresh" for panel in driver.widget("#flow").view.panels)

        await driver.press("1", "-")
        await driver.until(lambda: not driver.session.chain)
        result = driver.widget("#flow").view.panels[-1]
        assert (result.kind, result.freshness) == ("result", "stale")
        await driver.press("-")
        await driver.until(
            lambda: any("the bridge ends at" in n.message for n in driver.app._notifications)
        )


def test_ends_are_named_by_what_tells_them_apart() -> None:
    session = parse_session(CHAIN)
    assert end_names(session, {}) == ["fives", "sevens", "digits:3", "fives"]
    assert end_titles(session) == ("cmnist-fives", "sevens → digits:3 → fives")
    one = parse_session(CHAIN.replace("cmnist-fives", "m").replace("cmnist-sevens", "m"))
    assert end_names(one, {}) == ["m", "m", "cmnist-digits:3", "m"]
    swept = parse_session(
        "version: 1\nsource: {checkpoint: m, label: 1, images: [{dataset: colored-mnist}]}\n"
        "target: {checkpoint: m, label: [2, 3]}\nchain: [{checkpoint: m, label: 4}]\n"
    )
    assert end_names(swept, {"target.label": 3}) == ["1", "3", "4"]


def test_a_row_depends_on_its_part_of_the_chain() -> None:
    session = parse_session(CHAIN)
    shorter = session.model_copy(update={"chain": session.chain[:1]})
    cases: tuple[tuple[RowKind, int, bool], ...] = (
        ("latent", 0, True),
        ("intermediate", 1, True),
        ("intermediate_latent", 1, True),
        ("intermediate", 2, True),
        ("result", 0, False),
    )
    for kind, end, same in cases:
        unchanged = row_dependencies(session, kind, end) == row_dependencies(shorter, kind, end)
        assert unchanged is same, kind
