"""From an empty start to a saved sweep, by what the screen says alone."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from workbench.engine.protocol.client import COMMAND
from workbench.session.reading import load_session

pytestmark = pytest.mark.slow

FEW = 25  # keystrokes that a first sweep may take; typed values and names are not counted


@dataclass(frozen=True)
class Step:
    """What the screen must say for somebody to press the key; text is typed over what is there."""

    says: str
    key: str = ""
    types: str = ""


STEPS = (
    Step("a  add an operation to the recipe", "a"),
    Step("type to filter", types="noise"),
    Step("enter add", "enter"),
    Step("⏎ edit", "enter"),
    Step("several values are a sweep: 0.1 0.3", types="0.1 0.3 0.5"),
    Step("esc back", "escape"),
    Step("r runs the session", "r"),
    Step("✓ done in", "down"),
    Step("c = 0.3", "down"),
    Step("⏎ look", "enter"),
    Step("esc back", "escape"),
    Step("^s save", "ctrl+s"),
    Step("A file name", types="noise.yaml"),
    Step("enter save", "enter"),
)


async def test_a_first_sweep_needs_no_manual(program: Any, tmp_path: Path) -> None:
    async with program(size=(80, 24), engine=COMMAND, runs=tmp_path / "runs") as driver:
        for step in STEPS:
            await driver.until(
                lambda says=step.says: says in "\n".join(driver.screen_text()), seconds=120
            )
            await driver.type(step.types)
            if step.key:
                await driver.press(step.key)
        await driver.until(lambda: driver.workspace.document.path)
        assert driver.session.recipe.latent[0].coefficient == (0.1, 0.3, 0.5)
        assert driver.workspace.run.finished.status == "done"
        sheet = driver.main.query_one("#sheet")
        assert driver.main.focused is sheet
        assert sheet.view.rows[sheet.row].label == "c = 0.5", "the arrows went to the last variant"
        assert "noise.yaml" in driver.screen_text()[0]
        assert load_session("noise.yaml") == driver.session
    assert sum(bool(step.key) for step in STEPS) < FEW
