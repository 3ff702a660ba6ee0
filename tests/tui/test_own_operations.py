"""Operations of the user's own on the screen."""

import pytest

from ddib import extensions
from ddib.extensions import ORIGINS, Origin, Skipped
from workbench import catalog
from workbench.tui.editing import offered_operations


async def test_what_is_left_out_is_told_and_the_screen_stands(program, monkeypatch) -> None:
    assert catalog.SKIPPED is extensions.SKIPPED
    monkeypatch.setattr(catalog, "SKIPPED", [Skipped("mine.py", "line 3: [oh]")])
    async with program() as driver:
        said = [notice.message for notice in driver.app._notifications]
        assert said == ["mine.py: its operations are left out: line 3: [oh]"]
        assert driver.session.recipe.latent == ()


def test_the_palette_says_what_an_operation_comes_with(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ORIGINS, "flip", Origin("ddib-flip 2", ""))
    offered = dict(offered_operations())
    assert offered["flip"] == "Mirror. (ddib-flip 2)"
    assert offered["scale"] == "Multiply by a factor."
