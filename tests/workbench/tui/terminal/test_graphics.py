"""Pictures by the terminal's own graphics."""

import base64
import fcntl
import io
import os
import pty
import re
import struct
import subprocess
import sys
import termios
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from workbench.tui.models import PictureRow
from workbench.tui.screens.viewer.screen import ViewScreen
from workbench.tui.terminal.graphics import choose, joined, placed

DRAW = """\
import sys
from PIL import Image
from workbench.tui.terminal.graphics import draw
draw(Image.open(sys.argv[1]), sys.argv[2], 20, 9, sys.stdout)
"""


@pytest.mark.parametrize(
    ("environment", "missing", "how", "words"),
    [
        ({"KITTY_WINDOW_ID": "1"}, "textual_image", "kitty", ""),
        ({"TERM": "xterm-ghostty"}, "textual_image", "kitty", ""),
        ({"TERM_PROGRAM": "WezTerm"}, "textual_image", "iterm2", ""),
        ({"TERM_PROGRAM": "iTerm.app"}, "", "iterm2", ""),
        ({"TERM_PROGRAM": "iTerm.app"}, "term_image", None, "Use Python 3.13"),
        ({"TERM": "foot"}, "term_image", "sixel", ""),
        ({"TERM": "foot"}, "textual_image", None, "pip install 'ddib-workbench[graphics]'"),
        ({"KITTY_WINDOW_ID": "1", "TMUX": "x"}, "", None, "Run outside tmux"),
        ({"KITTY_WINDOW_ID": "1", "STY": "x"}, "", None, "Run outside GNU screen"),
        ({"TERM": "xterm-256color"}, "", None, "kitty, WezTerm, iTerm2 and foot have"),
    ],
)
def test_how_a_terminal_draws(
    environment: dict[str, str], missing: str, how: str | None, words: str
) -> None:
    chosen, said = choose(environment, lambda package: package != missing)
    assert chosen == how and words in said and bool(said) == (how is None)


def test_a_picture_grows_by_whole_multiples_and_is_averaged_to_fit() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (5, 4, 3)).astype(np.uint8)
    canvas = np.asarray(placed(Image.fromarray(pixels), 3, 1, (10, 20)))
    assert canvas.shape == (20, 30, 3)
    assert (canvas[:, 7:23] == pixels.repeat(4, 0).repeat(4, 1)).all()
    assert not canvas[:, :7].any() and not canvas[:, 23:].any()
    white = Image.new("RGB", (100, 10), "white")
    assert np.asarray(placed(white, 5, 1, (10, 20))).any(axis=2).sum() == 50 * 5
    assert joined([pixels, pixels]).size == (10, 5)
    assert joined([pixels, pixels], below=True).size == (4, 12)


def written(picture: Path, how: str) -> bytes:
    """What is written to a terminal of 20 cells of 10 × 20 pixels in 10 lines."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 10, 20, 200, 200))
    drawing = subprocess.Popen(
        [sys.executable, "-c", DRAW, str(picture), how],
        stdin=slave,
        stdout=slave,
        stderr=subprocess.PIPE,
        start_new_session=True,
        env=os.environ | {"TERM": "xterm-kitty"},
    )
    os.close(slave)
    got = b""
    try:
        while part := os.read(master, 65536):
            got += part
    except OSError:  # the other end is closed
        pass
    finally:
        os.close(master)
    _, complaint = drawing.communicate(timeout=30)
    assert drawing.returncode == 0, complaint.decode()
    return got


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    pixels = np.random.default_rng(1).integers(0, 256, (32, 32, 3)).astype(np.uint8)
    Image.fromarray(pixels).save(tmp_path / "picture.png")
    return tmp_path / "picture.png"


def test_kitty_gets_every_pixel(picture: Path) -> None:
    pytest.importorskip("term_image")
    got = written(picture, "kitty")
    parts = re.findall(rb"\x1b_G([^;\x1b]*);([^\x1b]*)\x1b\\", got)
    drawn = [(keys, data) for keys, data in parts if b"a=q" not in keys]
    keys = dict(item.split(b"=") for item in drawn[0][0].split(b","))
    assert (keys[b"a"], keys[b"c"], keys[b"r"]) == (b"T", b"20", b"9")
    size = int(keys[b"v"]), int(keys[b"s"])
    assert size == (180, 200), "a pixel of the canvas is a pixel of the terminal"
    raw = zlib.decompress(base64.b64decode(b"".join(data for _, data in drawn)))
    canvas = np.frombuffer(raw, np.uint8).reshape(*size, -1)[..., :3]
    whole = np.asarray(Image.open(picture)).repeat(5, 0).repeat(5, 1)
    assert (canvas[10:170, 20:180] == whole).all()


def test_iterm2_gets_a_picture(picture: Path) -> None:
    pytest.importorskip("term_image")
    found = re.search(rb"\x1b\]1337;File=([^:]*):([^\x1b\x07]*)", written(picture, "iterm2"))
    assert found is not None and b"width=20;height=9" in found[1]
    assert Image.open(io.BytesIO(base64.b64decode(found[2]))).size == (200, 180)


def test_sixel_terminals_get_sixels(picture: Path) -> None:
    pytest.importorskip("textual_image")
    assert re.search(rb"\x1bP[\d;]*q.*\x1b\\", written(picture, "sixel"), re.DOTALL)


async def test_without_graphics_the_view_says_why(
    program: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMUX", "x")
    async with program() as driver:
        pixels = np.zeros((1, 8, 8, 3), np.uint8)
        driver.app.push_screen(ViewScreen((PictureRow("source", pixels),)))
        await driver.dialog()
        await driver.press("f", "F")
        said = [notice.message for notice in driver.app._notifications]
        assert "Run outside tmux" in said[0] and "sheet.png" in said[1]
