"""The keys and the words of the screen, for the help."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from workbench.tui.keys import Renamed

COMMANDS = (
    ("Run", "Encode, edit and decode (r)", "run"),
    ("Cancel", "Stop the run that is under way (c)", "cancel"),
    ("Queue", "Runs under way, waiting and ended (Q)", "queue"),
    ("Auto-run", "Run a few images after every change, or no longer (A)", "auto"),
    ("Previews", "Live pictures 4 times a second, once, or not at all (p)", "previews"),
    ("Add operation", "To the image or the latent (a)", "add"),
    ("Undo", "Take the last change back (u)", "undo"),
    ("Redo", "Do it again (ctrl+r)", "redo"),
    ("Save", "Write the session to its file (ctrl+s)", "save"),
    ("Open", "A session file or an example (o)", "open"),
    ("New", "A session with the defaults (ctrl+n)", "new"),
    ("History", "The kept runs: take one up again, pin, name, delete (h)", "history"),
    ("YAML", "The session as it would be saved (y)", "yaml"),
    ("Latents", "Rows of latents in the contact sheet (l)", "latents"),
    ("Zoom", "The pictures alone (z)", "zoom"),
    ("Theme", "Dark, light, or the terminal's own background (ctrl+t)", "app.theme"),
    ("Look closely", "One picture large, or two compared (v)", "view"),
    ("Help", "All keys (?)", "help"),
    ("Quit", "Leave the program (q)", "quit"),
)

EVERYWHERE = "Everywhere"

Group = tuple[str, tuple[tuple[str, str], ...]]


def help_for(pane: int, renamed: Renamed) -> list[Group]:
    """The groups with the keys of now: the pane's first, then those that work everywhere."""
    first = (f"{pane} ", EVERYWHERE)
    groups = [
        (heading, tuple((renamed.column(keys), words) for keys, words in lines))
        if heading == EVERYWHERE or heading[0].isdecimal()
        else (heading, lines)
        for heading, lines in help_groups()
    ]
    return sorted(groups, key=lambda group: [not group[0].startswith(name) for name in first])


def help_groups() -> tuple[Group, ...]:
    """Headings, each with keys and what they do."""
    return (
        (
            EVERYWHERE,
            (
                ("r", "run: encode, edit, decode; it waits behind a run that is under way"),
                ("c  esc", "cancel the run under way, else the newest that waits"),
                ("Q", "the queue: every run of this sitting, to cancel or to show"),
                ("A", "auto-run: every change runs 4 images, which are not kept"),
                ("p", "live previews: 4 per second, 1, off"),
                ("a", "add an operation"),
                ("u  ^r", "undo and redo, over everything that changes the session"),
                ("^s  o  ^n", "save, open (with the examples), new"),
                ("h", "the history: every kept run, to look at and to take up again"),
                ("y", "the session as YAML"),
                ("1 2 3 4", "checkpoints, images, results, recipe; tab goes round"),
                ("^t", "theme: dark, light, the terminal's own background"),
                ("^p", "all actions by name"),
                ("q", "quit"),
            ),
        ),
        (
            "1 Checkpoints",
            (
                ("s  t", "the checkpoint under the cursor is the source ◀, the target ▶"),
                ("", "the source encodes images to latents, the target decodes latents"),
            ),
        ),
        (
            "2 Images",
            (
                ("arrows", "from image to image; the flow shows the one under the cursor"),
                ("space", "take the images up to here; on the last one taken, leave it out"),
                ("e", "digit, count and seed of the hues, or files by a pattern"),
            ),
        ),
        (
            "3 Results",
            (
                ("← →", "from image to image"),
                ("↑ ↓", "from variant to variant"),
                ("+ -", "larger and smaller pictures"),
                ("l", "rows of latents too"),
                ("z", "the pictures alone"),
                ("v  enter", "look closely at the picture under the cursor"),
                ("m", "mark it as A; then v compares A with the one under the cursor"),
            ),
        ),
        (
            "Looking closely",
            (
                ("+ -  0", "larger and smaller by whole factors; as large as fits"),
                ("arrows", "move the crosshair, and the picture where it is larger than the room"),
                ("n  N", "the next image, the next row; also shift and arrows"),
                ("m", "mark the picture as A; then go to another one, B"),
                ("tab  1-4", "one alone, side by side, flicker, difference B − A"),
                ("space", "hold the flicker"),
                ("w", "the whole row of pictures"),
            ),
        ),
        (
            "4 Recipe",
            (
                ("space", "switch an operation off and on; off, it stays in the session"),
                ("enter  e", "edit its parameters"),
                ("J  K", "move it down and up (also ctrl+↓ ctrl+↑), over the stage's border too"),
                ("D  d", "duplicate, remove"),
            ),
        ),
        (
            "Values",
            (
                ("0.3", "one value"),
                ("0.01 0.1 0.3", "a sweep: a variant for each value; also [0.01, 0.1, 0.3]"),
                ("0.1..0.9/5", "five values from 0.1 to 0.9"),
                ("1..4", "1, 2, 3 and 4"),
                ("esc", "back to the list"),
            ),
        ),
        (
            "Signs",
            (
                ("●", "fresh: follows from the session as it stands"),
                ("○", "stale: the session was changed since; r runs it again"),
                ("◐", "being computed; partial: cancelled before it was whole"),
                ("σ κ", "standard deviation and kurtosis of a latent: 1 and 3 when Gaussian"),
                ("seven · 4°", "what the probe takes a result for; how far its hue moved"),
            ),
        ),
    )
