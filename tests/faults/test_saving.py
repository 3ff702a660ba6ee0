"""On the screen nothing of the user's is overwritten, thrown away or ended by one key."""

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from textual.events import Paste

import workbench

ENTRY = str(Path(sys.executable).with_name("ddib-workbench"))
EXAMPLES = next(
    folder
    for place in list(Path(workbench.__file__).parents)[:2]
    if (folder := place / "sessions").is_dir()
)


def changes_by_one_key(screen: Any) -> Any:
    return screen.press("4", "down", "down", "space")


async def test_saving_an_example_asks_for_a_name(program: Callable[..., Any]) -> None:
    """An example opens untitled: ctrl+s is "Save as" and the example keeps its bytes."""
    example = EXAMPLES / "tint.yaml"
    before = example.read_bytes()
    try:
        async with program(example, shows="Recipe") as screen:
            await changes_by_one_key(screen)
            await screen.press("ctrl+s")
            await screen.for_a_while()
            assert "Save as" in screen.text
        assert example.read_bytes() == before
    finally:
        if example.read_bytes() != before:
            example.write_bytes(before)


async def test_saving_a_reopened_run_asks_for_a_name(
    program: Callable[..., Any], run: Callable[..., Any], session_file: Path, home: Path
) -> None:
    answer = run("replay", session_file, "--out", home / "runs", "--set", "solver.steps=1")
    assert answer.code == 0, answer.err
    kept = home / "runs" / "small" / "session.yaml"
    before = kept.read_bytes()
    async with program(kept.parent) as screen:
        await changes_by_one_key(screen)
        await screen.press("ctrl+s")
        await screen.for_a_while()
        assert "Save as" in screen.text
    assert kept.read_bytes() == before


async def test_a_file_that_changed_on_disk_is_not_overwritten_unasked(
    program: Callable[..., Any], session_file: Path
) -> None:
    """The question offers reload, overwrite and save as."""
    async with program(session_file) as screen:
        theirs = session_file.read_text().replace("Small", "Theirs")
        session_file.write_text(theirs)
        await changes_by_one_key(screen)
        await screen.press("ctrl+s")
        await screen.for_a_while()
        assert session_file.read_text() == theirs
        for word in ("changed", "reload", "overwrite", "save as"):
            assert word in screen.text.lower()


async def test_a_file_that_another_instance_saved_is_not_overwritten_unasked(
    program: Callable[..., Any], session_file: Path
) -> None:
    async with program(session_file) as first:
        async with program(session_file) as second:
            await changes_by_one_key(second)
            await second.press("ctrl+s")
            await second.until(lambda: "enabled: false" in session_file.read_text())
        theirs = session_file.read_text()
        await first.press("4", "d")
        await first.press("ctrl+s")
        await first.for_a_while()
        assert session_file.read_text() == theirs


@pytest.mark.parametrize("name", ["small.yaml/inside", "n" * 300])
async def test_a_save_that_fails_keeps_the_dialog_and_the_typed_name(
    program: Callable[..., Any], session_file: Path, name: str
) -> None:
    async with program(session_file) as screen:
        await screen.press("W")
        await screen.until("Save as")
        await screen.press("ctrl+a", "ctrl+k")
        screen.app.post_message(Paste(name))
        await screen.until(name[-20:])
        await screen.press("enter")
        await screen.for_a_while()
        assert "Save as" in screen.text and name[-20:] in screen.text


async def test_leaving_during_a_run_asks(
    program: Callable[..., Any], session_file: Path, home: Path
) -> None:
    session_file.write_text(session_file.read_text().replace("steps: 3", "steps: 3000"))
    async with program(session_file, engine=None, runs=home / "runs") as screen:
        await screen.press("r")
        await screen.until("NFE")
        await screen.press("q")
        await screen.for_a_while()
        assert screen.app.is_running and "run" in screen.text and "esc back" in screen.text
        await screen.press("escape")
        await screen.press("c")
        await screen.until("cancelled")


async def test_escape_never_cancels_a_run(
    program: Callable[..., Any], session_file: Path, home: Path
) -> None:
    session_file.write_text(session_file.read_text().replace("steps: 3", "steps: 3000"))
    async with program(session_file, engine=None, runs=home / "runs") as screen:
        await screen.press("r")
        await screen.until("NFE")
        await screen.press("escape", "escape")
        await screen.for_a_while(2)
        assert "cancel" not in screen.text.splitlines()[-2]
        before = screen.text
        await screen.until(lambda: screen.text != before, seconds=20)
        await screen.press("c")
        await screen.until("cancelled")


async def test_a_failed_run_leaves_the_results_before_on_the_screen(
    program: Callable[..., Any], session_file: Path, home: Path
) -> None:
    """The engine is killed after a run, and none can be started for the next."""
    flag = home / "flag"
    script = f"test -e {flag} && exit 3; echo $$ > {home}/pid; exec {ENTRY} engine"
    async with program(session_file, engine=("sh", "-c", script), runs=home / "runs") as screen:
        await screen.press("r")
        await screen.until("done in")
        drawn = screen.text.count("▀")
        flag.touch()
        os.kill(int((home / "pid").read_text()), signal.SIGKILL)
        await screen.for_a_while()
        await screen.press("r")
        await screen.until("failed")
        await screen.for_a_while()
        assert screen.text.count("▀") >= drawn
