"""Imported before textual: whether the terminal shows 24-bit colours, and the palette.

Over ssh COLORTERM is often lost, and textual then draws in 256 colours or fewer. Terminals that
are known to show all colours get them; DDIB_WORKBENCH_COLORS=auto leaves the choice to textual.
"""

import os
from collections.abc import Mapping

_TERMS = ("kitty", "alacritty", "foot", "wezterm", "ghostty", "contour", "rio", "direct")
_PROGRAMS = ("iTerm.app", "WezTerm", "vscode", "ghostty", "rio", "Hyper", "mintty", "tmux")
_MARKS = ("TMUX", "KITTY_WINDOW_ID", "WT_SESSION", "KONSOLE_VERSION", "VTE_VERSION")


def shows_true_color(environment: Mapping[str, str]) -> bool:
    """Whether the terminal is known to take 24-bit colours.

    tmux takes them and passes on what the terminal outside can show; GNU screen does not.
    """
    if environment.get("COLORTERM", "").lower() in ("truecolor", "24bit"):
        return True
    if any(environment.get(mark) for mark in _MARKS):
        return True
    if environment.get("TERM_PROGRAM") in _PROGRAMS:
        return True
    return any(term in environment.get("TERM", "") for term in _TERMS)


def choose_color_system() -> None:
    """Set TEXTUAL_COLOR_SYSTEM unless the user did, or asked for textual's own choice."""
    if os.environ.get("DDIB_WORKBENCH_COLORS") == "auto" or "NO_COLOR" in os.environ:
        return
    if shows_true_color(os.environ):
        os.environ.setdefault("TEXTUAL_COLOR_SYSTEM", "truecolor")


choose_color_system()
