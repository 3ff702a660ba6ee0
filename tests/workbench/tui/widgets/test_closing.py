"""Screens close once, whatever is typed ahead."""

import pytest
from textual.app import App

from workbench.tui.screens.dialogs.ask import Ask
from workbench.tui.screens.dialogs.dialog import Dialog


@pytest.mark.parametrize("below", [0, 1])
async def test_an_answer_typed_twice_closes_one_screen(below: int) -> None:
    app: App[None] = App()
    answers: list[str | None] = []
    async with app.run_test() as pilot:
        for _ in range(below):
            await app.push_screen(Dialog())
        await app.push_screen(Ask("Title", "words", [("d", "do"), ("esc", "back")]), answers.append)
        dialog = app.screen
        before = len(app.screen_stack)
        dialog.dismiss("d")
        dialog.dismiss("d")
        await pilot.pause()
        assert answers == ["d"]
        assert len(app.screen_stack) == before - 1


async def test_a_screen_behind_another_does_not_close_that() -> None:
    app: App[None] = App()
    async with app.run_test():
        await app.push_screen(below := Dialog[None]())
        await app.push_screen(above := Dialog[None]())
        below.dismiss(None)
        assert app.screen is above
