"""The colours of the screen: quiet greys, so that the pictures are the brightest thing on it.

Three themes: dark, light, and one on the terminal's own background, whatever that is: its colours
have a relative luminance near 0.18, which stands out by 4.5:1 from black and from white alike.
"""

from __future__ import annotations

import re
from pathlib import Path

from textual.theme import Theme

RGB = tuple[int, int, int]

DARK = Theme(
    name="dark",
    dark=True,
    primary="#6fa8dc",
    secondary="#98a0ae",
    accent="#e8a04c",
    foreground="#d3d7de",
    background="#13161b",
    surface="#1a1e25",
    panel="#232932",
    success="#7fbf7f",
    warning="#e0b34d",
    error="#f08080",
    variables={
        "source": "#6fa8dc",
        "target": "#e8a04c",
        "dim": "#98a0ae",
        "faint": "#565e6b",
        "line": "#39414d",
        "block-cursor-foreground": "#ffffff",
        "block-cursor-background": "#2f4a68",
        "block-cursor-text-style": "bold",
        "block-cursor-blurred-foreground": "#d3d7de",
        "block-cursor-blurred-background": "#272d37",
        "input-cursor-background": "#d3d7de",
        "input-cursor-foreground": "#13161b",
        "scrollbar": "#39414d",
        "scrollbar-background": "#1a1e25",
        "scrollbar-corner-color": "#1a1e25",
    },
)

LIGHT = Theme(
    name="light",
    dark=False,
    primary="#1f5f9e",
    secondary="#545b66",
    accent="#95500c",
    foreground="#22262c",
    background="#fbfbf9",
    surface="#f2f2ef",
    panel="#e6e7e4",
    success="#2c6e2c",
    warning="#7a5600",
    error="#b02a2a",
    variables={
        "source": "#1f5f9e",
        "target": "#95500c",
        "dim": "#545b66",
        "faint": "#8f96a1",
        "line": "#c3c7cd",
        "block-cursor-foreground": "#000000",
        "block-cursor-background": "#c4dbf2",
        "block-cursor-text-style": "bold",
        "block-cursor-blurred-foreground": "#22262c",
        "block-cursor-blurred-background": "#dfe3e8",
        "input-cursor-background": "#22262c",
        "input-cursor-foreground": "#fbfbf9",
        "scrollbar": "#b4b9c1",
        "scrollbar-background": "#f2f2ef",
        "scrollbar-corner-color": "#f2f2ef",
    },
)

_OWN = "ansi_default"
TERMINAL = Theme(
    name="terminal",
    ansi=True,
    primary="#1d78cb",
    secondary="#757575",
    accent="#b75d0a",
    success="#0f8822",
    warning="#947004",
    error="#dd3131",
    variables={
        "foreground": _OWN,
        "background": _OWN,
        "surface": _OWN,
        "panel": _OWN,
        "ansi-background": _OWN,
        "ansi-foreground": _OWN,
        "source": "#1d78cb",
        "target": "#b75d0a",
        "dim": "#757575",
        "faint": "#757575",
        "line": "#757575",
        "block-cursor-foreground": "#ffffff",
        "block-cursor-background": "#1f5f9e",
        "block-cursor-text-style": "bold",
        "block-cursor-blurred-foreground": "#ffffff",
        "block-cursor-blurred-background": "#5c6370",
        "input-cursor-background": "#1d78cb",
        "input-cursor-foreground": "#ffffff",
        "scrollbar": "#757575",
        "scrollbar-background": _OWN,
        "scrollbar-corner-color": _OWN,
    },
)

THEMES = {theme.name: theme for theme in (DARK, LIGHT, TERMINAL)}
_LINE = re.compile(r"""^theme:\s*["']?(\w+)["']?\s*(?:#.*)?$""", re.MULTILINE)
_UNKNOWN: RGB = (117, 117, 117)  # as far from a black ground as from a white one


def configured_theme() -> str:
    """The theme's name in the configuration file, found without a YAML reader.

    It decides the first frame, so it cannot wait until the file is read and checked.
    """
    from platformdirs import user_config_path

    try:
        text = Path(user_config_path("ddib-workbench", False), "config.yaml").read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        return DARK.name
    found = _LINE.search(text)
    return found[1] if found and found[1] in THEMES else DARK.name


def next_theme(name: str) -> str:
    """The theme after this one, round and round."""
    names = list(THEMES)
    return names[(names.index(name) + 1) % len(names)]


def ground(theme: Theme) -> RGB:
    """What a picture fades to when it is stale, or left out."""
    color = theme.background
    if color is None:
        return _UNKNOWN
    return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)
