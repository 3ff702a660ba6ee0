"""Keys from the configuration file; a footer, a palette and a help that fit the moment."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from textual import events

from ddib.errors import InputError
from workbench.engine.protocol.client import COMMAND
from workbench.library.configuration import read_config
from workbench.library.folders import folders
from workbench.tui.main.keymap import key_table, make_keymap


def write_config(text: str) -> Path:
    path = folders().config
    path.parent.mkdir(parents=True)
    path.write_text(text)
    return path


def problems(text: str) -> list[str]:
    path = write_config(text)
    with pytest.raises(InputError) as caught:
        make_keymap(read_config().keys)
    return str(caught.value).replace(str(path), "config.yaml").splitlines()


def titles(driver: Any) -> set[str]:
    return {title for title, _, _ in driver.main.commands()}


def hints(driver: Any) -> str:
    return str(driver.widget("KeyHints").render())


# ---- what the file may say


def test_keys_are_read_as_people_write_them() -> None:
    keys = {"run": "R", "history": "Ctrl+H", "queue": "shift+x", "help": "f1,?", "yaml": "ctrl+Y"}
    assert make_keymap(keys) == {
        "run": "R",
        "history": "ctrl+h",
        "queue": "X",
        "help": "f1,question_mark",
        "yaml": "ctrl+y",
    }


def test_two_actions_may_swap_their_keys() -> None:
    assert make_keymap({"run": "a", "add": "r"}) == {"run": "a", "add": "r"}


def test_an_unknown_action_is_named_with_its_line_and_the_nearest() -> None:
    assert problems("theme: dark\nkeys:\n  run: R\n  histroy: H\n") == [
        "config.yaml:4: keys.histroy: no such action; did you mean history?"
    ]


@pytest.mark.parametrize(
    ("keys", "problem"),
    [
        ("{run: X, add: X}", "keys.add: X is the key of run already"),
        ("{run: u}", "keys.run: u is the key of undo already"),
        ("{run: U}", "keys.run: U is the key of redo already"),
        ("{run: tab}", "keys.run: tab is the key of 'next pane' already"),
        ("{run: ctrl+i}", "keys.run: tab is the key of 'next pane' already"),
        ("{run: '1'}", "keys.run: 1 is the key of 'checkpoints' already"),
        ("{run: space}", "keys.run: space is the key of 'take' in a pane already"),
        ("{run: home}", "keys.run: home is the key of 'first' in a pane already"),
        ("{run: ctrl+p}", "keys.run: ctrl+p is the key of the palette already"),
    ],
)
def test_a_key_does_one_thing(keys: str, problem: str) -> None:
    assert problems(f"keys: {keys}\n") == [f"config.yaml:1: {problem}"]


@pytest.mark.parametrize("key", ["hyper+r", "ctlr+r", "entr", "''", "r,,s"])
def test_what_is_no_key_is_refused(key: str) -> None:
    (problem,) = problems(f"keys: {{run: {key if key[0] == chr(39) else repr(key)}}}\n")
    assert problem.startswith("config.yaml:1: keys.run: ")
    assert problem.endswith(" is no key; write a key such as R, ctrl+h, f5 or ?")


def test_a_number_without_quotes_is_named_with_its_line() -> None:
    path = write_config("keys:\n  add: A\n  run: 5\n")
    with pytest.raises(InputError) as caught:
        read_config()
    assert str(caught.value) == f"{path}:3: keys.run: expected a key in quotes, such as `run: 'R'`"


def test_every_action_is_in_the_table_once() -> None:
    table = {action: (keys, words) for action, keys, words in key_table({"run": "R,f5"})}
    assert table["run"] == ("R, f5", "Encode, edit and decode")
    assert table["cancel"][0] == "c"
    assert table["help"][0] == "?"
    assert len(table) == len(key_table({}))
    assert all(words for _, words in table.values())


def test_the_command_prints_the_table(tmp_path: Path) -> None:
    path = write_config("keys: {run: f5}\n")
    command = [sys.executable, "-m", "workbench", "keys"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert ["run", "f5", "Encode,"] in [line.split()[:3] for line in done.stdout.splitlines()]
    path.write_text("keys: {rum: f5}\n")
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "keys.rum: no such action; did you mean run" in done.stderr


# ---- on the screen


@pytest.mark.slow
async def test_a_remapped_key_works_and_is_shown(program: Any, session_file: Path) -> None:
    write_config("keys: {run: R, history: ctrl+h, add: n}\n")
    async with program(session_file, engine=COMMAND) as driver:
        assert hints(driver).split()[2:6] == ["n", "add", "R", "run"]  # in their usual places
        assert "press R" in "\n".join(driver.screen_text()), "sentences name the key, too"
        await driver.press("r")
        assert not driver.workspace.queue.active
        await driver.press("R")
        await driver.until(
            lambda: driver.workspace.run is not None and not driver.workspace.queue.active
        )
        words = {title: words for title, words, _ in driver.main.commands()}
        assert words["Run"] == "Encode, edit and decode (R)"
        assert words["History"].endswith("(^h)")
        await driver.press("question_mark")
        await driver.dialog()
        text = "\n".join(driver.screen_text())
        assert "R            " in text and "run: encode" in text
        await driver.press("escape")
        await driver.closed()
        await driver.press("ctrl+h")
        await driver.dialog()


async def test_an_error_leaves_the_usual_keys_and_is_shown(
    program: Any, session_file: Path
) -> None:
    write_config("keys: {run: R, histroy: H}\n")
    async with program(session_file) as driver:
        (notice,) = driver.app._notifications
        assert "config.yaml:1: keys.histroy: no such action; did you mean history?" in (
            notice.message
        )
        assert "r run" in hints(driver)
        await driver.press("r")
        await driver.until(lambda: driver.workspace.queue.active)


def notices(driver: Any) -> list[str]:
    return [notice.message for notice in driver.app._notifications]


async def test_only_what_makes_sense_is_offered(program: Any, session_file: Path) -> None:
    async with program(session_file) as driver:
        assert not {"Undo", "Redo", "Cancel"} & titles(driver)
        assert "undo" not in hints(driver) and "redo" not in hints(driver)
        await driver.press("4", "end", "up", "space", "3")
        await driver.until(lambda: "undo" in hints(driver))
        assert "Undo" in titles(driver) and "Redo" not in titles(driver)
        await driver.press("u")
        await driver.until(lambda: "redo" in hints(driver))
        assert "Redo" in titles(driver) and "Undo" not in titles(driver)
        assert "undo" not in hints(driver)
        await driver.press("r")
        await driver.until(lambda: driver.workspace.queue.active)
        assert "Cancel" in titles(driver)


async def test_escape_with_a_key_at_its_heels_is_two_keys(program: Any, session_file: Path) -> None:
    """A busy machine reads both at once, as alt and the key."""
    async with program(session_file) as driver:
        await driver.press("4", "end", "up", "space")
        await driver.until(lambda: "undo" in hints(driver))
        await driver.press("e")
        driver.app.post_message(events.Key("alt+u", "u"))
        await driver.until(lambda: not driver.workspace.document.history.can_undo)
        assert driver.main.focused.id == "recipe"


async def test_a_key_that_does_nothing_says_why(program: Any, session_file: Path) -> None:
    async with program(session_file) as driver:
        for key, why in (
            ("c", "Nothing is running."),
            ("u", "There is nothing to undo."),
            ("g", "There is nothing to plot yet; r runs the session."),
            ("h", "No run is stored yet; r runs."),
        ):
            await driver.press(key)
            await driver.until(lambda why=why: notices(driver)[-1:] == [why])
            assert driver.app.screen is driver.main
        assert not {"Plots", "History", "Queue", "Remove images"} & titles(driver)


async def test_undo_takes_a_wrong_value_back(program: Any, session_file: Path) -> None:
    async with program(session_file) as driver:
        await driver.press("4", "end", "up", "e")
        driver.main.query_one("#form").fields[0].set_error("wrong")
        driver.main.refresh_bindings()
        assert "Undo" in titles(driver)
        driver.main.action_undo()
        await driver.pilot.pause()
        assert "Undo" not in titles(driver)


@pytest.mark.parametrize(
    ("keys", "first"),
    [("1", "1 Checkpoints"), ("2", "2 Images"), ("3", "3 Results"), ("4", "4 Recipe")],
)
async def test_help_begins_with_the_focused_pane(
    program: Any, session_file: Path, keys: str, first: str
) -> None:
    async with program(session_file) as driver:
        await driver.press(keys, "question_mark")
        await driver.dialog()
        headings = [str(w.render()) for w in driver.app.screen.query(".help--heading")]
        assert headings[:2] == [first, "Everywhere"]
        assert len(headings) == len(set(headings)) > 6
