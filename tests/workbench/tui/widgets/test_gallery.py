"""Checkpoints and images: large folders, single picks, filters, files that come and go."""

import os
import shutil
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from ddib.checkpoints.files import ZOO
from ddib.data.sources.colored_mnist import ColoredMNIST
from ddib.data.sources.image_files import ImageFiles
from workbench.session.reading import parse_session
from workbench.tui.main import screen as main_screen
from workbench.tui.state.filtering import matching
from workbench.tui.state.images.image_selection import with_places

pytestmark = pytest.mark.slow

FILES = """\
version: 1
source: {checkpoint: cmnist-fives, images: [{path: photos}]}
target: {checkpoint: cmnist-sevens}
"""


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Four images, the second one damaged, and a session that takes them all."""
    folder = tmp_path / "work" / "photos"
    folder.mkdir()
    for index, name in enumerate(("ant", "bee", "cat", "dog")):
        Image.new("RGB", (40, 40), (60 * index, 9, 9)).save(folder / f"{name}.png")
    (folder / "bee.png").write_bytes(b"\x89PNG\r\n\x1a\n cut off")
    (folder.parent / "files.yaml").write_text(FILES)
    return folder


def many(folder: Path, count: int) -> None:
    """So many names of one PNG."""
    folder.mkdir(exist_ok=True)
    Image.new("RGB", (8, 8), (200, 60, 9)).save(folder / "image-000000.png")
    for index in range(1, count):
        first = folder / f"image-{index // 30_000 * 30_000:06d}.png"
        if index % 30_000 == 0:  # a file may have fewer names than this test wants
            shutil.copy(folder / "image-000000.png", first)
        else:
            os.link(first, f"{folder}/image-{index:06d}.png")


async def settled(driver: Any) -> None:
    await driver.until(lambda: not driver.workspace.images.loaded.available.busy)


async def test_single_images_are_picked_and_given_back(program: Any) -> None:
    async with program() as driver:
        before = driver.session
        await driver.press("2", "right", "space")
        taken = driver.session.source.images[0]
        assert taken.count == 16 and taken.indices == (0, *range(2, 16))
        assert "15 of 100" in driver.widget("#images").border_subtitle
        await driver.until(lambda: len(driver.workspace.images.loaded.pixels) == 15)
        assert driver.workspace.images.loaded.names[1] == "test-5-00002"
        assert parse_session(driver.workspace.document.yaml) == driver.session
        await driver.press("space")
        assert driver.session == before, "the first sixteen need no indices"
        await driver.press("asterisk")
        assert driver.session.source.images[0].count == 100
        await driver.press("asterisk")
        assert driver.session.source.images[0].indices == (1,)
        await driver.press("space")
        assert driver.session.source.images[0].indices == (1,), "one image is needed"
        await driver.press("u", "u", "u", "u")
        assert driver.session == before


async def test_flow_and_grid_follow_each_other_over_picks(program: Any) -> None:
    async with program() as driver:
        await driver.press("2", "right", "space", "right")
        await driver.until(lambda: len(driver.workspace.images.loaded.pixels) == 15)
        await driver.press("right")
        panel = driver.widget("#flow").view.panels[0]
        assert panel.captions[0] == "test-5-00003" and driver.workspace.images.column(3) == 2
        assert driver.workspace.images.place(2) == 3 and driver.workspace.images.column(1) is None


async def test_images_are_narrowed_down_while_typing(program: Any) -> None:
    async with program() as driver:
        grid = driver.widget("#grid")
        await driver.press("2", "slash")
        await driver.type("42")
        assert grid._places == [42] and "/42▏" in "\n".join(driver.screen_text())
        await driver.press("enter", "asterisk")
        assert driver.session.source.images[0].indices == (42,)
        await driver.press("escape")
        assert grid._count == 100 and grid.place == 42
        assert "2 Images" in driver.widget("#images").border_title


async def test_checkpoints_are_narrowed_down_and_sorted(program: Any) -> None:
    async with program() as driver:
        lines = driver.widget("#checkpoints")
        await driver.press("1", "slash")
        await driver.type("st")  # keys of the list, were it not for the filter
        assert driver.session.source.checkpoint == "cmnist-fives"
        await driver.press("backspace", "e", "v", "enter", "s")
        assert [c.name for c in lines._shown] == ["cmnist-sevens"]
        assert driver.session.source.checkpoint == "cmnist-sevens"
        await driver.press("escape", "S", "S", "home")
        assert "size" in lines.border_title and lines.current.name == "cmnist-digits"


async def test_the_checkpoint_under_the_cursor_is_described(program: Any) -> None:
    async with program(size=(120, 44)) as driver:
        await driver.press("1", "home")
        text = "\n".join(driver.screen_text())
        assert "colored-mnist digits" in text and "5,000 steps" in text and "loss 0.078" in text
        await driver.press("3")
        assert "5,000 steps" not in "\n".join(driver.screen_text())


async def test_a_damaged_file_is_marked_with_its_reason(program: Any, photos: Path) -> None:
    async with program(photos.parent / "files.yaml") as driver:
        await settled(driver)
        await driver.press("2")
        await driver.until(lambda: "all 4" in driver.widget("#images").border_subtitle)
        await driver.press("right")
        await driver.until(lambda: "unreadable" in driver.widget("#images").border_subtitle)
        assert "not a readable PNG" in driver.widget("#images").tooltip
        assert any("!" in line for line in driver.screen_text())
        await driver.press("space")
        spec = driver.session.source.images[0]
        assert spec.names == ("ant.png", "cat.png", "dog.png")


async def test_lists_follow_the_disk(
    program: Any, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(main_screen, "LOOK", 0.1)
    async with program(photos.parent / "files.yaml") as driver:
        await driver.press("2", "right", "right")
        grid, lines = driver.widget("#grid"), driver.widget("#checkpoints")
        Image.new("RGB", (8, 8)).save(photos / "ape.png")
        await driver.until(lambda: grid._count == 5)
        assert driver.workspace.images.loaded.available.names[grid.place] == "cat.png"
        own = tmp_path / "data" / "ddib-workbench" / "checkpoints"
        own.mkdir(parents=True)
        shutil.copy(ZOO / "cmnist-fives.safetensors", own / "mine.safetensors")
        await driver.until(lambda: "mine" in [c.name for c in lines.view])


async def test_a_hundred_thousand_images(program: Any, tmp_path: Path) -> None:
    folder = tmp_path / "work" / "photos"
    many(folder, 100_000)
    (folder.parent / "files.yaml").write_text(FILES)
    async with program() as driver:
        await settled(driver)
        begun = time.perf_counter()
        driver.main.open_document(document_of(folder.parent / "files.yaml"))
        grid = driver.widget("#grid")
        await driver.until(lambda: grid._count == 100_000)
        assert time.perf_counter() - begun < 10
        await settled(driver)
        assert driver.workspace.images.loaded.available.decoded < 200
        await driver.press("2", "end", "home", *["pagedown"] * 5)
        await settled(driver)
        assert grid.cursor >= 5
        assert not isinstance(driver.workspace.images.loaded.available.get(grid.place), str)
        decoded = driver.workspace.images.loaded.available.decoded
        await driver.press("slash")
        await driver.type("99999")
        assert grid._places == [99_999]
        await driver.press("enter", "asterisk", "escape")
        assert driver.session.source.images[0].names == ("image-099999.png",)
        await settled(driver)
        assert driver.workspace.images.loaded.available.decoded < decoded + 300, (
            "the gallery is kept"
        )


def document_of(path: Path) -> Any:
    from workbench.tui.state.session.document import Document

    return Document.open(path)


def test_letters_find_names_when_no_word_does() -> None:
    names = ["Fives-old", "fives", "sevens", "conditional"]
    assert list(matching("five old", names).places) == [0]
    assert list(matching("svn", names).places) == [2]
    assert list(matching("", names).places) == [0, 1, 2, 3]
    assert list(matching("zz", names).places) == []


@given(st.lists(st.text("abc -", max_size=8), max_size=12), st.text("abcA ", max_size=6))
def test_narrowing_key_by_key_finds_the_same(names: list[str], typed: str) -> None:
    found = None
    for end in range(len(typed) + 1):
        found = matching(typed[:end], names, found)
    assert found is not None and list(found.places) == list(matching(typed, names).places)


def test_picks_that_a_session_cannot_hold() -> None:
    names = [f"{n}.png" for n in range(10_000)]
    spec = ImageFiles(path="*.png")
    assert with_places(spec, names, range(10_000)) == spec
    assert with_places(spec, names, range(5_000)).count == 5_000  # type: ignore[attr-defined]
    with pytest.raises(ValueError, match="up to 4,096 single images"):
        with_places(spec, names, range(1, 10_000))
    with pytest.raises(ValueError, match="one is needed"):
        with_places(ColoredMNIST(), names, [])
