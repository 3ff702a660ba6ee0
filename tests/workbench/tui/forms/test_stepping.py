"""Numbers nudged by a key."""

from typing import Any

import pytest

from workbench.tui.forms.stepping import stepped
from workbench.tui.models import FieldView

NUMBER = FieldView("coefficient", "number", 0.1, default=0.1, low=0, high=100)
WHOLE = FieldView("seed", "integer", 0, default=0, low=0, high=2**63 - 1)


@pytest.mark.parametrize(
    ("text", "steps", "expected"),
    [
        ("0.1", 1, "0.11"),
        ("0.3", -1, "0.29"),
        ("0.03", 1, "0.031"),
        ("20", 1, "21"),
        ("1.5", 10, "2.5"),
        ("0.3", -10, "0.2"),
        ("99.5", 10, "100"),
        ("0.05", -100, "0"),
        ("0", 1, "0.01"),
        ("0.1 0.3", 1, None),
        ("0.1..0.3/3", 1, None),
        ("", 1, None),
        ("nan", 1, None),
    ],
)
def test_numbers(text: str, steps: int, expected: str | None) -> None:
    assert stepped(text, NUMBER, steps) == expected


@pytest.mark.parametrize(
    ("text", "steps", "expected"),
    [
        ("7", 1, "8"),
        ("7", -10, "0"),
        (str(2**63 - 2), 10, str(2**63 - 1)),
        ("7.5", 1, None),
    ],
)
def test_whole_numbers(text: str, steps: int, expected: str | None) -> None:
    assert stepped(text, WHOLE, steps) == expected


def test_a_step_without_a_default_or_bounds() -> None:
    assert stepped("0", FieldView("x", "number", 0.0), -1) == "-0.1"


async def test_a_burst_of_steps_is_one_undo(program: Any) -> None:
    async with program() as driver:
        await driver.press("a")
        await driver.dialog()
        await driver.type("add noise")
        await driver.press("enter")
        await driver.closed()
        added = driver.session
        await driver.press("e", "up", "up", "shift+up", "down")
        assert driver.session.recipe.latent[0].coefficient == 0.21
        await driver.press("shift+down", "shift+down", "shift+down", "shift+down")
        assert driver.session.recipe.latent[0].coefficient == 0
        await driver.press("escape", "u")
        assert driver.session == added

        await driver.press("e", "end", "shift+home")
        await driver.type("0.1 0.3")
        await driver.press("up")
        assert driver.session.recipe.latent[0].coefficient == (0.1, 0.3)
        focused = driver.main.focused
        await driver.press("enter")
        assert driver.main.focused is not focused
        await driver.press("shift+tab")
        assert driver.main.focused is focused
