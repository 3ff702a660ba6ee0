"""Pictures at full resolution, by the terminal's own graphics, while the program is suspended."""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Literal, TextIO

from textual.app import SuspendNotSupported

from workbench.support.terminal import Environment, image_protocol, multiplexer
from workbench.support.text import clean_line

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from PIL.Image import Image
    from textual.app import App

    from workbench.tui.models import Pixels

How = Literal["kitty", "iterm2", "sixel"]
Cell = tuple[int, int]  # pixels of a cell, across and down

PACKAGES: dict[How, str] = {"kitty": "term_image", "iterm2": "term_image", "sixel": "textual_image"}
CELL: Cell = (8, 16)  # of a terminal that does not tell
GAP = 2  # pixels between two pictures
_ENTER, _LEAVE = "\x1b[?1049h\x1b[2J\x1b[H", "\x1b[?1049l"  # the alternate screen
_KITTY_DELETE = "\x1b_Ga=d\x1b\\"


def choose(environment: Environment, is_installed: Callable[[str], bool]) -> tuple[How | None, str]:
    """How to draw, or None with a sentence that says why not and what would help.

    is_installed: whether a package of `PACKAGES`, which draw by one protocol each, is there.
    """
    between = multiplexer(environment)
    if between:
        name = "tmux" if between == "tmux" else "GNU screen"
        return None, (
            f"Half blocks are all there is: {name} keeps the terminal's graphics from programs "
            f"inside. Run outside {name} to see more."
        )
    protocol = image_protocol(environment)
    if protocol == "half blocks":
        return None, (
            "Half blocks are all there is: this terminal has no known graphics. "
            "kitty, WezTerm, iTerm2 and foot have."
        )
    if is_installed(PACKAGES[protocol]):
        return protocol, ""
    if protocol == "sixel":
        return None, (
            "This terminal can show more, by Sixel graphics: "
            "pip install 'ddib-workbench[graphics]', then start again."
        )
    return None, (
        "Half blocks are all there is: this terminal's graphics need the package term-image, "
        "which Python 3.14 does not have. Use Python 3.13 to see more."
    )


def joined(pictures: Sequence[Pixels], *, below: bool = False) -> Image:
    """Pictures [H, W, C] as one, beside or below each other."""
    from PIL import Image

    from workbench.runs.strips import rgb

    images = [Image.fromarray(rgb(pixels)) for pixels in pictures]
    widths, heights = [i.width for i in images], [i.height for i in images]
    gaps = GAP * (len(images) - 1)
    size = (max(widths), sum(heights) + gaps) if below else (sum(widths) + gaps, max(heights))
    whole = Image.new("RGB", size)
    x = y = 0
    for image in images:
        whole.paste(image, (x, y))
        x, y = (x, y + image.height + GAP) if below else (x + image.width + GAP, y)
    return whole


def placed(picture: Image, columns: int, lines: int, cell: Cell) -> Image:
    """The picture in the middle of all the pixels there are.

    It grows by whole multiples only; one that is too large is averaged until it fits.
    """
    from PIL import Image

    room = Image.new("RGB", (columns * cell[0], lines * cell[1]))
    scale = min(room.width / picture.width, room.height / picture.height)
    scale = int(scale) if scale >= 1 else scale
    size = max(1, int(picture.width * scale)), max(1, int(picture.height * scale))
    how = Image.Resampling.NEAREST if scale >= 1 else Image.Resampling.BOX
    corner = (room.width - size[0]) // 2, (room.height - size[1]) // 2
    room.paste(picture.convert("RGB").resize(size, how), corner)
    return room


def draw(picture: Image, how: How, columns: int, lines: int, out: TextIO) -> None:
    """Write a picture that takes `columns` by `lines` cells from the cursor on."""
    encode = _sixel if how == "sixel" else _term_image
    out.write(encode(placed(picture, columns, lines, _cell_size(out)), how, columns, lines))
    out.flush()


def show(app: App[None], picture: Image, title: str) -> str | None:
    """Suspend the program for a picture until a key is pressed; why not, when it cannot be."""
    how, why = choose(os.environ, lambda package: find_spec(package) is not None)
    if how is None:
        return why
    try:
        with app.suspend():  # which does not go on after an exception
            try:
                _show(picture, how, title, sys.stdout)
            except Exception as error:
                return f"The terminal's graphics failed: {error}"
    except SuspendNotSupported:
        return "The terminal's graphics need a terminal: this program was started without one."
    return None


def _show(picture: Image, how: How, title: str, out: TextIO) -> None:
    """The picture on a screen of its own, until a key is pressed."""
    columns, lines = os.get_terminal_size(out.fileno())
    out.write(_ENTER)
    try:
        draw(picture, how, columns, lines - 1, out)
        words = f"{clean_line(title)} · {picture.width}×{picture.height} pixels · any key goes back"
        out.write(f"\x1b[{lines};1H{words[:columns]}")
        out.flush()
        _wait_for_key()
    finally:
        out.write((_KITTY_DELETE if how == "kitty" else "") + _LEAVE)
        out.flush()


def _cell_size(out: TextIO) -> Cell:
    """Pixels of a cell: the kernel may know, or else term-image asks the terminal."""
    import fcntl
    import struct
    import termios

    window = fcntl.ioctl(out.fileno(), termios.TIOCGWINSZ, bytes(8))
    lines, columns, width, height = struct.unpack("4H", window)
    if lines and columns and width >= columns and height >= lines:
        return width // columns, height // lines
    if find_spec("term_image") is None:
        return CELL
    import term_image
    from term_image.utils import get_cell_size

    term_image.enable_queries()
    try:
        return get_cell_size() or CELL
    finally:
        term_image.disable_queries()


def _term_image(canvas: Image, how: How, columns: int, lines: int) -> str:
    """By the protocols of kitty and iTerm2."""
    from term_image.image import ITerm2Image, KittyImage

    style: Any = KittyImage if how == "kitty" else ITerm2Image
    style.forced_support = True  # the environment has told; others than kitty itself speak it too
    image = style(canvas)
    image.set_size(columns, lines)
    return f"{image:1.1+W}"


def _sixel(canvas: Image, how: How, columns: int, lines: int) -> str:
    """By Sixel, which foot and Windows Terminal have."""
    from io import StringIO

    from rich.console import Console
    from textual_image.renderable import SixelImage

    text = StringIO()
    Console(file=text, force_terminal=True, width=columns, height=lines).print(
        SixelImage(canvas, width=columns, height=lines), end=""
    )
    return text.getvalue()


def _wait_for_key() -> None:
    """Return when a key is pressed; what else it sends is dropped."""
    import termios
    import tty

    terminal = sys.__stdin__.fileno() if sys.__stdin__ else 0
    before = termios.tcgetattr(terminal)
    try:
        tty.setraw(terminal)
        os.read(terminal, 1)
    finally:
        termios.tcsetattr(terminal, termios.TCSAFLUSH, before)
