"""The screen by keyboard, with an engine that says nothing."""

from pathlib import Path
from typing import Any

import pytest

from ddib.data.sources.colored_mnist import ColoredMNIST
from workbench.session.reading import load_session, parse_session
from workbench.tui.screens.dialogs.ask import Ask, Prompt


async def test_a_new_session_can_run_at_once(program: Any) -> None:
    async with program() as driver:
        session = driver.session
        assert (session.source.checkpoint, session.target.checkpoint) == (
            "cmnist-fives",
            "cmnist-sevens",
        )
        assert session.source.images == (ColoredMNIST(digit=5, count=16),)
        assert session.solver.start_noise == 0.03 and session.recipe.latent == ()
        text = "\n".join(driver.screen_text())
        assert "run: 16 images, cmnist-fives → cmnist-sevens" in text
        assert not driver.workspace.document.history.dirty


async def test_source_and_target_by_key(program: Any) -> None:
    async with program() as driver:
        listed = [checkpoint.name for checkpoint in driver.widget("#checkpoints").view]
        await driver.press("1", "home", *["down"] * listed.index("cmnist-fives"), "t")
        await driver.press("home", *["down"] * listed.index("cmnist-sevens"), "s")
        ends = driver.session.source.checkpoint, driver.session.target.checkpoint
        assert ends == ("cmnist-sevens", "cmnist-fives")
        await driver.press("u", "u")
        assert driver.session.source.checkpoint == "cmnist-fives"
        assert driver.session.target.checkpoint == "cmnist-sevens"


async def add(driver: Any, typed: str, *keys: str) -> None:
    await driver.press("a")
    await driver.dialog()
    await driver.type(typed)
    await driver.press(*keys, "enter")
    await driver.closed()


async def test_operations_by_key(program: Any) -> None:
    async with program() as driver:
        recipe = driver.widget("#recipe")
        await add(driver, "normal")
        await add(driver, "add noise")
        names = [operation.op for operation in driver.session.recipe.latent]
        assert names == ["normalize", "add_noise"]
        assert recipe.has_focus and recipe.place.position.index == 1

        await driver.press("e", *["end"], *["shift+home"], "delete")
        await driver.type("0.1..0.9/5")
        noise = driver.session.recipe.latent[1]
        assert noise.coefficient == (0.1, 0.3, 0.5, 0.7, 0.9)
        await driver.press("escape")
        assert recipe.has_focus and "c 5 values" in recipe.view.latent[1].summary

        await driver.press("space")
        assert not driver.session.recipe.latent[1].enabled
        await driver.press("K", "K")
        assert [o.op for o in driver.session.recipe.image] == ["add_noise"]
        await driver.press("ctrl+down", "D", "d", "d")
        assert driver.session.recipe.image == ()
        assert [o.op for o in driver.session.recipe.latent] == ["add_noise"]

        await add(driver, "blend", "tab")
        assert [o.op for o in driver.session.recipe.image] == ["blend"]


async def test_everything_is_undone_and_done_again(program: Any) -> None:
    async with program() as driver:
        begin = driver.session
        await add(driver, "scale")
        await driver.press("e", "end", "shift+home")
        await driver.type("1.25")
        await driver.press("escape", "space", "D", "2", "right", "t")
        end = driver.session
        steps = 0
        while driver.session != begin:
            await driver.press("u")
            steps += 1
        assert steps == 5, "add, type, toggle, duplicate, take: one step each"
        await driver.press("u")
        assert driver.session == begin
        await driver.press(*["ctrl+r"] * steps)
        assert driver.session == end


async def test_a_bad_value_is_said_in_place_and_changes_nothing(program: Any) -> None:
    async with program() as driver:
        await add(driver, "add noise")
        await driver.press("e", "end", "shift+home")
        await driver.type("500")
        assert driver.session.recipe.latent[0].coefficient == 50
        assert driver.widget("FieldRow.-error").error == "expected from 0 to 100"
        before = driver.session
        await driver.press("escape", "r")
        assert driver.workspace.run is None, "a wrong value is not run past"
        assert driver.session == before
        await driver.press("u")
        assert not driver.main.query("FieldRow.-error") and driver.session == before
        assert driver.widget("#form").fields[0].control.value == "50"


async def test_images_by_key(program: Any) -> None:
    async with program() as driver:
        await driver.press("2", "right", "right", "t")
        assert driver.session.source.images[0].count == 3
        await driver.press("t")
        assert driver.session.source.images[0].count == 2, "the last one taken is left out"
        await driver.press("e", "down", "right")
        assert driver.session.source.images[0].digit == 6
        await driver.press("tab", "end", "shift+home")
        await driver.type("500")
        await driver.until(lambda: driver.workspace.images.loaded.problem)
        assert "500 is more than" in driver.workspace.images.loaded.problem


async def test_a_sessions_comments_survive_saving(program: Any, session_file: Path) -> None:
    async with program(session_file) as driver:
        await driver.press("4", "down", "down", "space")
        assert driver.workspace.document.history.dirty
        await driver.press("ctrl+s")
        await driver.until(lambda: not driver.workspace.document.history.dirty)
    text = session_file.read_text()
    assert "# fives through a noisy latent" in text and "# two" in text
    assert not load_session(session_file).recipe.latent[0].enabled


async def test_saving_asks_for_a_name_and_before_it_overwrites(
    program: Any, session_file: Path
) -> None:
    before = session_file.read_text()
    async with program() as driver:
        await driver.press("ctrl+s")
        await driver.until(lambda: isinstance(driver.app.screen, Prompt))
        await driver.press("end", "shift+home")
        await driver.type("small")
        await driver.press("enter")
        await driver.until(lambda: isinstance(driver.app.screen, Ask))
        await driver.press("escape")
        await driver.until(lambda: isinstance(driver.app.screen, Prompt))  # to name another file
        assert session_file.read_text() == before and driver.workspace.document.path is None
        await driver.press("end", "shift+home")
        await driver.type("mine")
        await driver.press("enter")
        await driver.closed()
        await driver.until(lambda: driver.workspace.document.path is not None)
        assert load_session("mine.yaml") == driver.session


async def test_quitting_asks_when_something_is_unsaved(program: Any, session_file: Path) -> None:
    async with program(session_file) as driver:
        await driver.press("4", "down", "down", "space", "q")
        await driver.until(lambda: isinstance(driver.app.screen, Ask))
        await driver.press("escape")
        await driver.closed()
        await driver.press("u", "q")
        await driver.until(lambda: not driver.app.is_running)


async def test_reloading_in_place_of_saving_stays_in_the_program(
    program: Any, session_file: Path
) -> None:
    async with program(session_file) as driver:
        session_file.write_text(session_file.read_text().replace("Small", "Theirs"))
        await driver.press("4", "down", "down", "space")
        mine = driver.session
        await driver.press("q")
        await driver.until(lambda: isinstance(driver.app.screen, Ask))
        await driver.press("s")
        await driver.until(lambda: "changed" in "\n".join(driver.screen_text()))
        await driver.press("r")
        await driver.closed()
        await driver.until(lambda: driver.session.title == "Theirs")
        assert driver.app.is_running
        await driver.press("u")
        assert driver.session == mine


async def test_where_the_program_cannot_be_suspended_that_is_said(
    program: Any, session_file: Path
) -> None:
    async with program(session_file) as driver:
        await driver.press("ctrl+z")
        await driver.until(lambda: len(driver.app._notifications))
        (notice,) = driver.app._notifications
        assert "cannot be left" in notice.message


async def test_a_bad_session_is_one_notice(program: Any, session_file: Path) -> None:
    session_file.write_text("version: 1\nsource: 3\n")
    async with program(session_file) as driver:
        assert driver.session.source.checkpoint == "cmnist-fives", "the defaults stand instead"
        notices = [notice.message for notice in driver.app._notifications]
        assert len(notices) == 1 and "small.yaml:2" in notices[0]


async def test_examples_can_be_opened(program: Any) -> None:
    async with program() as driver:
        await driver.press("o")
        await driver.dialog()
        await driver.type("round-trip")
        await driver.press("enter")
        await driver.closed()
        await driver.until(lambda: driver.workspace.document.stem.endswith("round-trip"))
        assert driver.workspace.document.path is None, "an example is never saved over"


async def test_unsaved_work_is_offered_again(program: Any, tmp_path: Path) -> None:
    folder = tmp_path / "state" / "ddib-workbench"
    folder.mkdir(parents=True)
    async with program() as driver:
        await add(driver, "scale")
        await driver.until(lambda: list(folder.glob("unsaved-*.yaml")))
        kept = next(folder.glob("unsaved-*.yaml"))
        unsaved = driver.session
        assert parse_session(kept.read_text()) == unsaved
        kept.rename(folder / "unsaved-999999999.yaml")  # as if left by a program that is gone
    async with program() as driver:
        await driver.dialog()
        await driver.press("y")
        await driver.until(lambda: driver.session == unsaved)
        assert driver.workspace.document.history.dirty
        assert not (folder / "unsaved-999999999.yaml").exists()


async def test_panes_by_number_and_tab(program: Any) -> None:
    async with program() as driver:
        for key, pane in zip("1234", ("checkpoints", "grid", "sheet", "recipe"), strict=True):
            await driver.press(key)
            assert driver.main.focused.id == pane
        seen = []
        for _ in range(4):
            await driver.press("tab")
            seen.append(driver.main.focused.id)
        assert seen == ["checkpoints", "grid", "sheet", "recipe"]
        await driver.press("shift+tab")
        assert driver.main.focused.id == "sheet"


async def test_yaml_help_and_palette(program: Any) -> None:
    async with program() as driver:
        for key, said in (("y", "cmnist-fives"), ("question_mark", "Everywhere")):
            await driver.press(key)
            await driver.dialog()
            assert said in "\n".join(driver.screen_text())
            await driver.press("escape")
            await driver.closed()
        titles = {title for title, _, _ in driver.main.commands()}
        assert {"Run", "Save", "Open"} <= titles


async def test_the_mouse_does_it_too(program: Any) -> None:
    async with program() as driver:
        await driver.pilot.click("#checkpoints", offset=(6, 2))
        assert driver.main.focused.id == "checkpoints"
        assert driver.widget("#checkpoints").cursor == 1
        await driver.pilot.click("#grid", offset=(12, 0))
        assert driver.widget("#grid").cursor == 1
        recipe = driver.widget("#recipe")
        add_line = len(recipe.view.image) + 3  # border, solver, heading
        await driver.pilot.click("#recipe", offset=(5, add_line))
        await driver.pilot.click("#recipe", offset=(5, add_line))
        await driver.dialog()


async def test_the_source_is_shown_pixel_by_pixel(program: Any, session_file: Path) -> None:
    async with program(session_file, size=(200, 60)) as driver:
        flow = driver.widget("#flow")
        picture = driver.workspace.images.loaded.pixels[0]
        shown = {}
        for line in range(16):
            column = 0
            for segment in flow.render_line(line + 1):
                for _ in segment.text:
                    style = segment.style
                    upper = style.color if segment.text.strip() else style.bgcolor
                    shown[column, line] = (upper.triplet, style.bgcolor.triplet)
                    column += 1
        margin = flow._gaps(flow.size.width, 32)[1]
        for line in range(16):
            for column in range(32):
                upper, lower = shown[margin + column, line]
                assert tuple(upper) == tuple(picture[2 * line, column])
                assert tuple(lower) == tuple(picture[2 * line + 1, column])


async def test_a_class_conditional_checkpoint_asks_for_a_label(program: Any) -> None:
    async with program() as driver:
        listed = [checkpoint.name for checkpoint in driver.widget("#checkpoints").view]
        await driver.press("1", "home", *["down"] * listed.index("cmnist-digits"), "t")
        await driver.until(lambda: isinstance(driver.app.screen, Prompt))
        await driver.type("12")
        await driver.press("enter")
        assert isinstance(driver.app.screen, Prompt), "there is no such label"
        await driver.press("ctrl+u")
        await driver.type("1..3")
        await driver.press("enter")
        await driver.closed()
        await driver.until(lambda: driver.session.target.label == (1, 2, 3))
        await driver.press("s")
        await driver.until(lambda: isinstance(driver.app.screen, Prompt))
        await driver.type("5")
        await driver.press("enter")
        await driver.until(lambda: driver.session.source.label == 5)
        assert "cmnist-digits:5 → cmnist-digits:1 2 3" in driver.screen_text()[0]


@pytest.mark.slow
async def test_images_from_files(program: Any, tmp_path: Path) -> None:
    from PIL import Image

    for index in range(3):
        Image.new("RGB", (40, 40), (80 * index, 0, 0)).save(tmp_path / "work" / f"{index}.png")
    async with program() as driver:
        await driver.press("2", "e")
        while driver.session.source.images[0].name != "files":
            before = driver.session.source.images
            await driver.press("right")
            await driver.until(lambda before=before: driver.session.source.images != before)
        await driver.until(lambda: len(driver.workspace.images.loaded.names) == 3)
        assert driver.session.source.images[0].path == "*.png"
        await driver.press("down", "ctrl+u")
        await driver.type("9.png")
        await driver.until(lambda: driver.workspace.images.loaded.problem)
        assert "no image" in "\n".join(driver.screen_text())
        await driver.press("ctrl+u")
        await driver.type("2.png")
        await driver.until(lambda: driver.workspace.images.loaded.names == ("2",))


async def test_entries_of_images_come_and_go(program: Any, session_file: Path) -> None:
    def entries(driver: Any) -> list[tuple[int, int]]:
        return [(spec.digit, spec.count) for spec in driver.session.source.images]

    async with program(session_file) as driver:
        await driver.press("2", "plus")
        assert entries(driver) == [(5, 3), (6, 3)]
        form = driver.widget("#images-form")
        assert [row.view.name for row in form.fields][:3] == ["entry", "from", "digit"]
        assert form.fields[0].control.has_focus and form.fields[0].control.value == 2
        await driver.press("escape", "minus")
        assert entries(driver) == [(5, 3)]
        await driver.press("u", "u")
        assert entries(driver) == [(5, 3)] and not driver.workspace.document.history.can_undo


async def test_the_title_is_edited(program: Any, session_file: Path) -> None:
    async with program(session_file) as driver:
        await driver.press("N")
        await driver.dialog()
        await driver.press("end", "1", "enter")
        await driver.closed()
        assert driver.session.title == "Small1" and "Small1" in driver.screen_text()[0]
        await driver.press("u")
        assert driver.session.title == "Small"
