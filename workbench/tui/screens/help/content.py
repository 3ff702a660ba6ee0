"""The keys and the words of the screen, for the help."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.tui.terminal.keymap import key

if TYPE_CHECKING:
    from workbench.tui.terminal.keymap import Renamed

COMMANDS = (
    ("Run", "Encode, edit and decode (r)", "run"),
    ("Cancel", "Stop the run that is under way (c)", "cancel"),
    ("Queue", "Runs under way, waiting and ended (Q)", "queue"),
    ("Auto-run", "Run a few images after every change, or no longer (A)", "auto"),
    ("Previews", "Live pictures 4 times a second, once, or not at all (p)", "previews"),
    ("Add operation", "To the image or the latent (a)", "add"),
    ("Add images", "Another entry of images (+ in their pane)", "add_images"),
    (
        "Remove images",
        "The entry of images that is shown (- in their pane)",
        "remove_images",
    ),
    ("Title", "What contact sheets and listings call the session (N)", "title"),
    ("Undo", "Take the last change back (u)", "undo"),
    ("Redo", "Do it again (ctrl+r)", "redo"),
    ("Save", "Write the session to its file (ctrl+s)", "save"),
    ("Save as", "Save the session to another file (W)", "save_as"),
    ("Open", "A session file or an example (o)", "open"),
    ("New", "A session with the defaults (ctrl+n)", "new"),
    ("Copy", "The command that replays the session, or its YAML (C)", "copy"),
    ("History", "The kept runs: take one up again, pin, name, delete (h)", "history"),
    ("YAML", "The session as it would be saved (y)", "yaml"),
    ("Edit YAML", "The session as YAML in $VISUAL or $EDITOR (ctrl+e)", "edit_yaml"),
    ("Latents", "Rows of latents in the contact sheet (l)", "latents"),
    ("Zoom", "The pictures alone (z)", "zoom"),
    ("Theme", "Dark, light, or the terminal's own background (ctrl+t)", "app.theme"),
    ("Look closely", "One picture large, or two compared (v)", "view"),
    ("Trajectory", "Encode and decode of one image, step by step (T)", "trajectory"),
    ("Inspect", "The latent after every operation, beside white noise (i)", "inspect"),
    ("Plots", "A sweep's metrics as curves, and the trade-off (g)", "plots"),
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
                ("^s  W", "save, save as"),
                ("o  ^n", "open (recent ones first, and the examples), new"),
                ("N", "the session's title, which contact sheets and listings show"),
                ("h", "the history: every kept run, to look at and to take up again"),
                ("y  ^e", "the session as YAML; in $VISUAL or $EDITOR, else vi"),
                ("C", "copy the replay command, or the session as YAML"),
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
                ("+  -", "go on from the last end to this one ▷, as in fives → sevens → fives;"),
                ("", "with - the last end goes; operations act before the target only"),
                ("/  S", "narrow the list down while you type (esc: all again); sort it"),
            ),
        ),
        (
            "2 Images",
            (
                ("arrows", "from image to image; the flow shows the one under the cursor"),
                ("space", "take the image, or leave it out"),
                ("t", "take the images up to here; on the last one taken, leave it out"),
                ("*", "take all that are shown; once more, only the one under the cursor"),
                ("/", "narrow the images down by name or number (esc: all again)"),
                ("+ -", "another entry of images besides these; take this entry away"),
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
                ("g", "the sweep as curves"),
                ("m", f"mark it as A; then {key('view')} compares A with the one under the cursor"),
                ("T", "its trajectory from source to target: the states z and estimates"),
                ("i", "inspect its first latent after every operation"),
            ),
        ),
        (
            "Trajectory",
            (
                ("← →", "one state back and on; with shift 10; home and end"),
                ("space", "play, and stop"),
                ("+ -", "larger and smaller pictures in the strip"),
            ),
        ),
        (
            "Inspecting",
            (
                ("↑ ↓", "the latent before the recipe, after each operation"),
                ("← →  a", "another image; all images as one"),
                ("tab", "histogram, spectrum, channels, where there is room for one"),
                ("!", "beyond 3 standard errors of white noise N(0, 1)"),
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
                ("f", "full resolution, by the terminal's own graphics; F the run's sheet.png"),
            ),
        ),
        (
            "Plots of a sweep",
            (
                ("↑ ↓", "another metric"),
                ("← →", "from variant to variant; its pictures are shown below"),
                ("t", "the trade-off of two metrics; x and y change its axes"),
                ("enter", "back, to this variant in the results"),
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
                ("↑ ↓", "a step more or less, a tenth of its power of ten; with shift tenfold"),
                ("tab  enter", "the next field; shift+tab goes back"),
                ("esc", "back to the list"),
            ),
        ),
        (
            "Signs",
            (
                ("●", "fresh: follows from the session as it stands"),
                ("○", f"stale: the session was changed since; {key('run')} runs it again"),
                ("◐", "being computed; partial: cancelled before it was whole"),
                ("σ κ", "standard deviation and kurtosis of a latent: 1 and 3 when Gaussian"),
                ("seven · 4°", "what the probe takes a result for; how far its hue moved"),
            ),
        ),
    )
