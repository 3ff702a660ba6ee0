"""Imported before textual: whether the terminal shows 24-bit colours.

Over ssh COLORTERM is often lost, and textual then draws in 256 colours or fewer. Terminals that
are known to show all colours get them; DDIB_WORKBENCH_COLORS=auto leaves the choice to textual.
"""

import os

from workbench.support.terminal import shows_true_color


def choose_color_system() -> None:
    """Set TEXTUAL_COLOR_SYSTEM unless the user did, or asked for textual's own choice."""
    if os.environ.get("DDIB_WORKBENCH_COLORS") == "auto" or "NO_COLOR" in os.environ:
        return
    if shows_true_color(os.environ):
        os.environ.setdefault("TEXTUAL_COLOR_SYSTEM", "truecolor")


choose_color_system()
