"""Dark, light and the terminal's own background: legible, chosen in the file, turned by a key."""

from pathlib import Path
from typing import Any

import pytest
from rich.segment import Segment
from textual.color import Color

from ddib.errors import InputError
from workbench.library.configuration import read_config
from workbench.tui.terminal.theme import DARK, LIGHT, TERMINAL, configured_theme

LEAST = 4.5  # WCAG 2.2, success criterion 1.4.3
TEXT = ("primary", "secondary", "accent", "success", "warning", "error")
TEXT_VARIABLES = ("source", "target", "dim")
OWN = {"black": Color(0, 0, 0), "white": Color(255, 255, 255)}


def luminance(color: Color) -> float:
    """Relative luminance, WCAG 2.2."""
    parts = [part / 255 for part in color.rgb]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: Color, other: Color) -> float:
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def write_config(tmp_path: Path, text: str) -> None:
    folder = tmp_path / "config" / "ddib-workbench"
    folder.mkdir(parents=True)
    (folder / "config.yaml").write_text(text)


@pytest.mark.parametrize("theme", [DARK, LIGHT], ids=lambda theme: theme.name)
def test_text_stands_out_from_every_ground(theme: Any) -> None:
    texts = [theme.foreground, *(getattr(theme, name) for name in TEXT)]
    texts += [theme.variables[name] for name in TEXT_VARIABLES]
    for text in texts:
        for ground in (theme.background, theme.surface, theme.panel):
            assert contrast(Color.parse(text), Color.parse(ground)) >= LEAST, (text, ground)


def test_the_terminals_theme_stands_out_from_black_and_white() -> None:
    texts = [getattr(TERMINAL, name) for name in TEXT]
    texts += [TERMINAL.variables[name] for name in TEXT_VARIABLES]
    for text in texts:
        for ground in OWN.values():
            assert contrast(Color.parse(text), ground) >= LEAST, text


@pytest.mark.parametrize("theme", [DARK, LIGHT, TERMINAL], ids=lambda theme: theme.name)
@pytest.mark.parametrize("cursor", ["block-cursor", "block-cursor-blurred", "input-cursor"])
def test_text_stands_out_from_the_cursor(theme: Any, cursor: str) -> None:
    text, ground = (
        Color.parse(theme.variables[f"{cursor}-{part}"]) for part in ("foreground", "background")
    )
    assert contrast(text, ground) >= LEAST


def shown(driver: Any) -> list[Segment]:
    strips = driver.app.screen._compositor.render_strips()
    return [segment for strip in strips for segment in strip]


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.slow
async def test_every_word_on_the_screen_is_legible(
    program: Any, session_file: Path, tmp_path: Path, theme: str
) -> None:
    write_config(tmp_path, f"theme: {theme}\n")
    async with program(session_file) as driver:
        assert driver.app.theme == theme
        for pane in "1234":
            await driver.press(pane)
            for segment in shown(driver):
                words = [character for character in segment.text if character.isalnum()]
                style = segment.style
                if words and style and style.color and style.bgcolor and not style.reverse:
                    colors = (Color.from_rich_color(c) for c in (style.color, style.bgcolor))
                    assert contrast(*colors) >= LEAST, segment


async def test_a_key_goes_round_the_themes(program: Any) -> None:
    async with program() as driver:
        for theme in ("light", "terminal", "dark"):
            await driver.press("ctrl+t")
            await driver.until(lambda theme=theme: driver.app.theme == theme)
        assert any("theme: dark" in note.message for note in driver.app._notifications)


async def test_the_terminals_own_background_is_left_alone(program: Any, tmp_path: Path) -> None:
    write_config(tmp_path, "theme: terminal\n")
    async with program() as driver:
        styles = {s.style for s in shown(driver) if s.style and "ddib-workbench" in s.text}
        (ground,) = {style.bgcolor for style in styles}
        assert ground is None or ground.is_default


async def test_without_colour_nothing_is_coloured(
    program: Any, session_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with program(session_file) as driver:
        await driver.press("4")
        strips = driver.app.screen._compositor.render_strips()
        shades = "".join(strip.text for strip in strips)
        assert "▀" not in shades and ".." in shades
        assert driver.widget("#recipe").get_component_rich_style("lines--cursor").reverse


@pytest.mark.parametrize("text", ["", "theme: purple\n", "cache_limit: 2G\n"])
def test_dark_where_the_file_says_nothing(tmp_path: Path, text: str) -> None:
    assert configured_theme() == "dark"
    write_config(tmp_path, text)
    assert configured_theme() == "dark"


def test_a_theme_that_is_none_is_named_with_its_line(tmp_path: Path) -> None:
    write_config(tmp_path, "cache_limit: 2G\ntheme: purple\n")
    with pytest.raises(InputError, match=r"config\.yaml:2: theme: Input should be 'dark', 'li"):
        read_config()
