"""Saving under another name, and the sessions that were open last."""

import json
from pathlib import Path
from typing import Any

from workbench.library.folders import folders
from workbench.session.reading import load_session
from workbench.tui.present.recipe import preview_session
from workbench.tui.screens.dialogs.ask import Ask, Prompt
from workbench.tui.screens.dialogs.pick import Picker
from workbench.tui.state.session.document import Document
from workbench.tui.state.session.recent_files import KEPT, Recent
from workbench.tui.state.session.session_files import session_files


def test_the_newest_is_first_and_the_missing_are_dropped(tmp_path: Path) -> None:
    recent = Recent(tmp_path / "state")
    assert recent.paths() == []
    files = [tmp_path / f"{index}.yaml" for index in range(KEPT + 3)]
    for path in files:
        path.touch()
        recent.remember(path)
    recent.remember(files[5])
    assert len(recent.paths()) == KEPT
    assert recent.paths()[:2] == [files[5], files[-1]]
    files[-1].unlink()
    assert files[-1] not in recent.paths()


def test_a_broken_list_is_no_list(tmp_path: Path) -> None:
    for text in ("{", '{"a": 1}', '[1, null, "\\u0000"]', "\xff"):
        (tmp_path / "recent.json").write_text(text, "latin-1")
        assert Recent(tmp_path).paths() == []
    (tmp_path / "a.yaml").touch()
    Recent(tmp_path).remember(tmp_path / "a.yaml")
    assert Recent(tmp_path).paths() == [tmp_path / "a.yaml"]


def test_recent_sessions_are_listed_once_and_first(session_file: Path) -> None:
    later = session_file.with_name("later.yaml")
    later.write_text(session_file.read_text())
    items = session_files(session_file.parent, [session_file])
    assert [item.name for item in items[:2]] == ["small.yaml", "later.yaml"]
    assert items[0].words == "Small  (recent)" and items[1].words == "Small"


def test_a_preview_says_what_a_session_does(session_file: Path) -> None:
    assert preview_session(session_file).splitlines() == [
        "Small",
        "cmnist-fives → cmnist-sevens",
        "latent: normalize standard, add noise c 0.1 0.4",
        "dpmpp_2m · 3",
    ]
    session_file.write_text("version: 1\nsauce: 3\n")
    assert "small.yaml:2: sauce" in preview_session(session_file)


def test_relative_paths_hold_in_another_folder(session_file: Path, tmp_path: Path) -> None:
    digits = "{dataset: colored-mnist, digit: 5, count: 3, seed: 0}"
    session_file.write_text(session_file.read_text().replace(digits, "{path: faces/*.png}"))
    document = Document.open(session_file)
    document.save(session_file.with_name("beside.yaml"))
    assert load_session(session_file.with_name("beside.yaml")) == load_session(session_file)
    document.save(tmp_path / "far.yaml")
    images = load_session(tmp_path / "far.yaml").source.images[0]
    assert getattr(images, "path") == str(session_file.parent / "faces" / "*.png")  # noqa: B009
    assert not document.history.dirty


async def test_save_as_asks_before_it_overwrites(program: Any, session_file: Path) -> None:
    other = session_file.with_name("other.yaml")
    other.write_text("mine")
    async with program(session_file) as driver:
        for answer in ("escape", "o"):
            await driver.press("W")
            await driver.until(lambda: isinstance(driver.app.screen, Prompt))
            assert driver.app.screen.query_one("LineInput").value == "small.yaml"
            await driver.press("end", "shift+home")
            await driver.type("other")
            await driver.press("enter")
            await driver.until(lambda: isinstance(driver.app.screen, Ask))
            assert other.read_text() == "mine"
            await driver.press(answer)
            if answer == "escape":  # the question for a name comes back with what was typed
                await driver.until(lambda: isinstance(driver.app.screen, Prompt))
                assert driver.app.screen.query_one("LineInput").value == "other"
                await driver.press("escape")
            await driver.closed()
        await driver.until(lambda: driver.workspace.document.path == other)
        assert load_session(other) == load_session(session_file)
        assert "other.yaml" in driver.screen_text()[0]

        await driver.press("o")
        await driver.until(lambda: isinstance(driver.app.screen, Picker))
        lines = "\n".join(driver.screen_text())
        assert lines.index("other.yaml  ") < lines.index("small.yaml  ")
        assert "cmnist-fives → cmnist-sevens" in lines and "add noise c 0.1 0.4" in lines
    listed = json.loads((folders().state / "recent.json").read_text())
    assert listed == [str(other), str(session_file)]
