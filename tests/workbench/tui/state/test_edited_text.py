"""The session's YAML in an editor."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from workbench.library.folders import folders
from workbench.session.reading import parse_session
from workbench.tui.screens.editor.screen import WrongText
from workbench.tui.state.session.edited_text import read_edited
from workbench.tui.widgets.lines import Lines


def test_a_mistake_stands_below_its_line(session_file: Path) -> None:
    text = session_file.read_text()
    assert read_edited(text) == parse_session(text)
    lines = read_edited(text.replace("steps: 3", "steps: -3"))
    assert isinstance(lines, tuple)
    at = next(index for index, line in enumerate(lines) if line.wrong)
    assert lines[at].number == 10 and "steps: -3" in lines[at].text
    assert lines[at + 1].number is None and lines[at + 1].text.startswith("solver.steps: ")
    assert [line.text for line in lines if line.number] == text.replace(": 3,", ": -3,").replace(
        "count: -3", "count: 3"
    ).splitlines()


@pytest.mark.parametrize("text", ["", "{", "\n\n", "version: 99\n", "a: [1\n", "- 1\n"])
def test_what_is_no_session_has_a_marked_line(text: str) -> None:
    lines = read_edited(text)
    assert isinstance(lines, tuple)
    assert any(line.wrong and line.number for line in lines)
    assert any(line.wrong and line.number is None for line in lines)


@pytest.fixture
def editor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """An editor that makes these changes to `text`, in a program that need not leave a terminal."""
    from workbench.tui.app import WorkbenchApp

    @contextmanager
    def suspend(_: object) -> Iterator[None]:
        yield

    monkeypatch.setattr(WorkbenchApp, "suspend", suspend)
    script = tmp_path / "an editor.py"
    monkeypatch.setenv("VISUAL", f"{sys.executable} '{script}'")

    def write(change: str) -> None:
        script.write_text(
            "import pathlib, sys\n"
            "path = pathlib.Path(sys.argv[1])\n"
            "text = path.read_text()\n"
            f"{change}\n"
            "path.write_text(text)\n"
        )

    return write


def kept() -> list[Path]:
    return list(folders().state.glob("edited-*.yaml"))


async def test_an_edited_text_is_one_step_and_keeps_its_comments(
    program: Any, session_file: Path, editor: Callable[[str], None]
) -> None:
    editor(
        "text = text.replace('steps: 3', 'steps: 4').replace('normalize', 'flip')"
        ".replace('title: Small', 'title: Small  # more')"
    )
    async with program(session_file) as driver:
        before = driver.session
        await driver.press("ctrl+e")
        await driver.until(lambda: driver.session != before)
        assert driver.session.solver.steps == 4
        assert driver.session.recipe.latent[0].op == "flip"
        assert "# more" in driver.workspace.document.yaml
        await driver.press("u")
        assert driver.session == before and not kept()
        editor("")
        await driver.press("y")
        await driver.dialog()
        await driver.press("e")
        await driver.closed()
        await driver.until(lambda: not kept())
        assert driver.session == before


async def test_a_wrong_text_is_shown_edited_again_or_kept(
    program: Any, session_file: Path, editor: Callable[[str], None]
) -> None:
    async with program(session_file, size=(80, 24)) as driver:
        before = driver.session
        for answer in ("e", "escape"):
            editor("text = text.replace('steps: 3', 'steps: many')")
            await driver.press("ctrl+e")
            await driver.until(lambda: isinstance(driver.app.screen, WrongText))
            assert "solver.steps: " in "\n".join(driver.screen_text())
            lines = driver.widget("#wrong-text")
            await driver.until(lambda lines=lines: lines._lines[lines.cursor][2])
            assert isinstance(lines, Lines) and driver.session == before
            editor("text = text.replace('steps: many', 'steps: 5')")
            await driver.press(answer)
            await driver.closed()
            if answer == "e":
                await driver.until(lambda: driver.session.solver.steps == 5)
                assert not kept()
                await driver.press("u")
        assert driver.session == before
        (left,) = kept()
        assert "steps: many" in left.read_text()


async def test_an_editor_that_fails_changes_nothing(
    program: Any, session_file: Path, editor: Callable[[str], None], monkeypatch: Any
) -> None:
    editor("sys.exit(3)")
    async with program(session_file) as driver:
        for said in ("ended with status 3", "cannot be started"):
            await driver.press("ctrl+e")
            await driver.until(
                lambda said=said: any(said in n.message for n in driver.app._notifications)
            )
            assert not kept()
            monkeypatch.setenv("VISUAL", "no-such-editor")
