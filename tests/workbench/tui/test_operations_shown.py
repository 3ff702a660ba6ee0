"""Operations of the user's own on the screen."""

from pathlib import Path

import pytest

from ddib.operations.operation import OPERATIONS
from ddib.registry import Origin, Skipped
from workbench.tui.state.session.document import Autosave
from workbench.tui.state.session.edits import offered_operations


async def test_what_is_left_out_is_told_and_the_screen_stands(program, monkeypatch) -> None:
    monkeypatch.setattr(OPERATIONS, "skipped", [Skipped("mine.py", "line 3: [oh]")])
    async with program() as driver:
        said = [notice.message for notice in driver.app._notifications]
        assert said == ["mine.py: its operations are left out: line 3: [oh]"]
        assert driver.session.recipe.latent == ()


def test_an_unsaved_session_waits_for_its_operation(tmp_path: Path, session_file: Path) -> None:
    kept, damaged = (tmp_path / f"unsaved-{number}.yaml" for number in (999999998, 999999999))
    text = session_file.read_text().replace("op: normalize", "op: sparkle")
    kept.write_text(text + "needs: {sparkle: sparkle.py}\n")
    damaged.write_text(text)
    assert Autosave(tmp_path, process=1).find() is None
    assert kept.exists()
    assert not damaged.exists()


def test_the_palette_says_what_an_operation_comes_with(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(OPERATIONS.origins, "flip", Origin("ddib-flip 2", ""))
    offered = dict(offered_operations())
    assert offered["flip"] == "Mirror. (ddib-flip 2)"
    assert offered["scale"] == "Multiply by a factor."


def test_points_are_offered_what_means_something_for_them() -> None:
    offered = dict(offered_operations(of_points=True))
    assert "rotate" in offered
    assert "blur" not in offered
