"""An action is declared once and appears in bindings, footer, palette, help and `keys`."""

from collections.abc import Iterator
from typing import Any

import pytest
from textual.app import ComposeResult

from workbench import manual
from workbench.tui.actions import ACTIONS, Action, ActionGroup
from workbench.tui.main.actions import MAIN_ACTIONS
from workbench.tui.main.keymap import key_table, make_keymap
from workbench.tui.screens.help.content import help_for
from workbench.tui.widgets.action_screen import ActionScreen
from workbench.tui.widgets.key_hints import KeyHints

GREETED: list[str] = []


def greet(screen: ActionScreen[None]) -> None:
    GREETED.append(type(screen).__name__)


GREET = Action(
    "greet",
    "f9",
    "greet",
    "Say hello",
    title="Greet",
    shown=True,
    handler=greet,
    why_not=lambda screen: "Nobody is here." if screen.alone else "",
)
GROUP = ActionGroup("Greeting", (GREET,), remappable=True)


class Hall(ActionScreen[None]):
    ACTION_GROUP = GROUP
    alone = False

    def compose(self) -> ComposeResult:
        yield KeyHints()


@pytest.fixture
def group(monkeypatch: pytest.MonkeyPatch) -> Iterator[ActionGroup]:
    monkeypatch.setattr(ACTIONS, "groups", {**ACTIONS.groups, GROUP.heading: GROUP})
    yield GROUP


@pytest.mark.usefixtures("group")
def test_help_and_table_and_configuration_know_it() -> None:
    assert ("greet", "f9", "Say hello") in key_table({})
    keymap = make_keymap({"greet": "ctrl+g"})
    assert ("greet", "ctrl+g", "Say hello") in key_table(keymap)
    heading, lines = help_for("Greeting", keymap)[0]
    assert heading == "Greeting" and ("^g", "Say hello") in lines
    assert ACTIONS.key_of("greet") == "f9"


async def test_the_screen_offers_it_and_does_it(program: Any, group: ActionGroup) -> None:
    async with program() as driver:
        hall = Hall()
        driver.app.push_screen(hall)
        await driver.until(lambda: driver.app.screen is hall)
        await driver.until(lambda: "f9 greet" in str(driver.widget("KeyHints").render()))
        commands = {c.title: c.help for c in driver.app.get_system_commands(hall)}
        assert commands["Greet"] == "Say hello (f9)"
        GREETED.clear()
        await driver.press("f9")
        assert GREETED == ["Hall"]

        hall.alone = True
        hall.refresh_bindings()
        await driver.until(lambda: "greet" not in str(driver.widget("KeyHints").render()))
        assert "Greet" not in {c.title for c in driver.app.get_system_commands(hall)}
        await driver.press("f9")
        await driver.until(
            lambda: "Nobody is here." in [n.message for n in driver.app._notifications]
        )
        assert GREETED == ["Hall"]

        hall.alone = False
        driver.app.set_keymap(make_keymap({"greet": "f10"}))
        hall.refresh_bindings()
        await driver.press("f9", "f10")
        assert GREETED == ["Hall", "Hall"]


def test_an_action_declared_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="Greeting: the action greet is declared twice"):
        ActionGroup("Greeting", (GREET, GREET))


def test_every_action_of_the_main_screen_has_a_help() -> None:
    missing = [a.name for a in MAIN_ACTIONS.actions if not (a.help or a.more or a.fixed)]
    assert missing == []


def test_every_group_has_a_page_of_the_manual_that_is_there() -> None:
    help_for("", {})  # loads the actions of every screen
    named = {group.page for group in ACTIONS.groups.values() if group.page}
    assert named <= set(manual.pages())


async def test_the_manual_opens_at_the_page_of_the_pane_and_is_searched(program: Any) -> None:
    async with program() as driver:
        await driver.press("4", "question_mark")
        await driver.dialog()
        await driver.press("m")
        await driver.until(lambda: getattr(driver.app.screen, "page", "") == "recipes")
        await driver.until(lambda: "Manual · Recipes" in "\n".join(driver.screen_text()))
        await driver.press("slash")
        await driver.type("several GPUs")
        await driver.until(lambda: "Several GPUs, clusters" in "\n".join(driver.screen_text()))
        await driver.press("enter")
        await driver.until(lambda: driver.app.screen.page == "clusters")
        await driver.press("n")
        await driver.until(lambda: driver.app.screen.page == "configuration")
        await driver.press("escape")
        await driver.closed()
