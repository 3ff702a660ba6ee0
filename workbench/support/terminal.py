"""What the terminal can do, as far as the environment says: nothing here asks the terminal."""

import subprocess
from collections.abc import Mapping
from typing import Literal

Environment = Mapping[str, str]
Protocol = Literal["kitty", "iterm2", "sixel", "half blocks"]

_TRUE_COLOR_TERMS = ("kitty", "alacritty", "foot", "wezterm", "ghostty", "contour", "rio", "direct")
_TRUE_COLOR_PROGRAMS = (
    "iTerm.app",
    "WezTerm",
    "vscode",
    "ghostty",
    "rio",
    "Hyper",
    "mintty",
    "tmux",
)
_TRUE_COLOR_MARKS = ("TMUX", "KITTY_WINDOW_ID", "WT_SESSION", "KONSOLE_VERSION", "VTE_VERSION")
_KITTY = ("kitty", "ghostty")
_ITERM2 = ("iTerm.app", "WezTerm", "rio", "Hyper", "vscode", "mintty")
_SIXEL = ("foot", "mlterm", "contour", "sixel", "yaft")


def shows_true_color(environment: Environment) -> bool:
    """Whether the terminal is known to take 24-bit colours.

    tmux takes them and passes on what the terminal outside can show; GNU screen does not.
    """
    if environment.get("COLORTERM", "").lower() in ("truecolor", "24bit"):
        return True
    if any(environment.get(mark) for mark in _TRUE_COLOR_MARKS):
        return True
    if environment.get("TERM_PROGRAM") in _TRUE_COLOR_PROGRAMS:
        return True
    return any(term in environment.get("TERM", "") for term in _TRUE_COLOR_TERMS)


def image_protocol(environment: Environment) -> Protocol:
    """How images can be drawn at full resolution; half blocks work everywhere.

    tmux and GNU screen keep the outer terminal's graphics from a program inside.
    """
    term, program = environment.get("TERM", ""), environment.get("TERM_PROGRAM", "")
    if multiplexer(environment):
        return "half blocks"
    if environment.get("KITTY_WINDOW_ID") or any(name in term + program for name in _KITTY):
        return "kitty"
    if program in _ITERM2 or environment.get("LC_TERMINAL") == "iTerm2" or "wezterm" in term:
        return "iterm2"
    if any(name in term for name in _SIXEL) or environment.get("WT_SESSION"):
        return "sixel"
    return "half blocks"


def multiplexer(environment: Environment) -> Literal["tmux", "screen"] | None:
    """What stands between this program and the terminal."""
    if environment.get("TMUX"):
        return "tmux"
    return "screen" if environment.get("STY") else None


def is_utf8(environment: Environment) -> bool:
    """Whether the locale's characters are UTF-8."""
    names = (environment.get(name) for name in ("LC_ALL", "LC_CTYPE", "LANG"))
    locale = next((name for name in names if name), "")
    return locale.lower().replace("-", "").endswith("utf8")


def ask_tmux(*arguments: str) -> str | None:
    """What tmux answers to a command; None when it does not."""
    try:
        answer = subprocess.run(
            ["tmux", *arguments], capture_output=True, text=True, timeout=2, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return answer.stdout.strip()
