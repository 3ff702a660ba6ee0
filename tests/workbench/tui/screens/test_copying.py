"""Copying the session out of the program."""

import shlex
from pathlib import Path
from typing import Any

from workbench.library.folders import folders
from workbench.session.reading import load_session, parse_session
from workbench.tui.screens.dialogs.ask import Ask


async def pick(driver: Any, words: str) -> None:
    await driver.press("C")
    await driver.dialog()
    await driver.type(words)
    await driver.press("enter")


async def test_the_replay_command_of_a_saved_session(
    program: Any, session_file: Path, tmp_path: Path
) -> None:
    awkward = session_file.with_name("it's small.yaml")
    session_file.rename(awkward)
    async with program(awkward, runs=tmp_path / "my runs") as driver:
        await pick(driver, "replay")
        await driver.until(lambda: driver.app.clipboard)
        assert shlex.split(driver.app.clipboard) == [
            "ddib-workbench", "replay", str(awkward), "--runs", str(tmp_path / "my runs"),
        ]  # fmt: skip
        kept = folders().state / "clipboard.txt"
        assert kept.read_text() == driver.app.clipboard
        assert str(kept) in next(iter(driver.app._notifications)).message


async def test_an_unsaved_session_is_saved_before_its_command_is_copied(
    program: Any, session_file: Path
) -> None:
    async with program(session_file) as driver:
        await driver.press("4", "down", "down", "space")
        await pick(driver, "replay")
        await driver.until(lambda: isinstance(driver.app.screen, Ask))
        await driver.press("escape")
        await driver.closed()
        assert not driver.app.clipboard
        await pick(driver, "replay")
        await driver.until(lambda: isinstance(driver.app.screen, Ask))
        await driver.press("s")
        await driver.until(lambda: driver.app.clipboard)
        assert load_session(session_file) == driver.session


async def test_the_yaml_as_it_stands(program: Any, session_file: Path) -> None:
    async with program(session_file) as driver:
        await driver.press("4", "down", "down", "space")
        await pick(driver, "yaml")
        await driver.until(lambda: driver.app.clipboard)
        assert parse_session(driver.app.clipboard) == driver.session
        assert (folders().state / "clipboard.yaml").read_text() == driver.app.clipboard
        assert driver.workspace.document.history.dirty
