"""The real program in a real terminal."""

import os
import select
import shlex
import shutil
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

PROGRAM = """\
import sys
from pathlib import Path
from workbench.tui.app import WorkbenchApp
WorkbenchApp(Path(sys.argv[1]), runs=Path(sys.argv[2])).run()
print("left")
"""

EDITOR = """\
import sys
from pathlib import Path
path = Path(sys.argv[1])
path.write_text(path.read_text().replace("steps: 3", input("an editor: ")))
"""


class Terminal:
    def __init__(self, command: list[str], folder: Path, size: tuple[int, int]) -> None:
        self._socket = f"ddib-{uuid.uuid4().hex[:8]}"
        inherited = ("TMUX", "COLUMNS", "LINES")  # of the terminal that the tests run in
        environment = {k: v for k, v in os.environ.items() if not k.startswith(inherited)}
        width, height = map(str, size)
        subprocess.run(
            [
                *self._tmux,
                "-f",
                os.devnull,
                "new-session",
                "-d",
                "-x",
                width,
                "-y",
                height,
                *command,
            ],
            check=True,
            cwd=folder,
            env=environment | {"TERM": "xterm-256color"},
        )
        subprocess.run([*self._tmux, "set", "-g", "remain-on-exit", "on"], check=True)
        pipe = folder / "terminal-output"
        os.mkfifo(pipe)
        self._output = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
        subprocess.run([*self._tmux, "pipe-pane", f"cat > {shlex.quote(str(pipe))}"], check=True)

    @property
    def _tmux(self) -> list[str]:
        return ["tmux", "-L", self._socket]

    def text(self) -> str:
        shown = subprocess.run(
            [*self._tmux, "capture-pane", "-p"], capture_output=True, text=True, check=True
        )
        return shown.stdout

    def until(self, said: str, seconds: float = 120) -> str:
        """The screen once it says `said`."""
        return self.once(lambda text: said in text, repr(said), seconds)

    def once(self, condition: Callable[[str], object], wanted: str, seconds: float = 120) -> str:
        """The screen once it is as wanted; looked at whenever the program has drawn."""
        deadline = time.monotonic() + seconds
        while not condition(text := self.text()):
            left = deadline - time.monotonic()
            assert left > 0, f"{wanted} never came:\n{text}"
            self.written(min(left, 1.0))
        return text

    def written(self, seconds: float) -> bytes:
        """What the program writes next; nothing when it writes nothing for so long."""
        if select.select([self._output], [], [], seconds)[0]:
            return os.read(self._output, 2**20)
        return b""

    def press(self, *keys: str) -> None:
        subprocess.run([*self._tmux, "send-keys", *keys], check=True)

    def resize(self, width: int, height: int) -> None:
        size = ["-x", str(width), "-y", str(height)]
        subprocess.run([*self._tmux, "resize-window", *size], check=True)

    def process(self) -> int:
        """The program's process."""
        shown = subprocess.run(
            [*self._tmux, "list-panes", "-F", "#{pane_pid}"],
            capture_output=True,
            text=True,
            check=True,
        )
        return int(shown.stdout)

    def hang_up(self) -> None:
        """As a lost connection does."""
        subprocess.run([*self._tmux, "kill-server"], check=False, capture_output=True)

    def close(self) -> None:
        self.hang_up()
        os.close(self._output)


@pytest.fixture
def steps() -> int:
    return 3


@pytest.fixture
def terminal(
    session_file: Path, steps: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Terminal]:
    if shutil.which("tmux") is None:
        if os.environ.get("CI") == "true":
            pytest.fail("tmux is missing; install it (apt-get install tmux)")
        pytest.skip("tmux is not installed")
    (tmp_path / "editor.py").write_text(EDITOR)
    monkeypatch.setenv("VISUAL", shlex.join([sys.executable, str(tmp_path / "editor.py")]))
    session_file.write_text(session_file.read_text().replace("steps: 3", f"steps: {steps}"))
    arguments = [str(session_file), str(tmp_path / "runs")]
    terminal = Terminal([sys.executable, "-c", PROGRAM, *arguments], tmp_path, (120, 36))
    yield terminal
    terminal.close()


def test_the_program_in_a_terminal(terminal: Terminal, tmp_path: Path) -> None:
    terminal.until("small.yaml")
    terminal.until("add noise")
    terminal.press("r")
    text = terminal.until("done in")
    assert "c = 0.1" in text and "c = 0.4" in text and "hue" in text and "▀" in text
    assert len(list((tmp_path / "runs").iterdir())) == 1
    terminal.resize(80, 24)
    terminal.until("Library")
    terminal.resize(120, 36)
    terminal.press("4", "Down", "Down", "Space")
    terminal.until("○ normalize")
    terminal.press("u")
    terminal.until("● normalize")
    terminal.press("Down")
    terminal.until("add noise · latent")
    terminal.press("e")
    terminal.until("⏎ next")
    terminal.press("C-a", "C-k")
    terminal.press("-l", "0.1..0.5/3")
    terminal.until("c 3 values")
    terminal.press("Escape")
    terminal.until("space on/off")  # else the next key would be taken for alt+u
    terminal.press("u")
    terminal.until("c 0.1 0.4")
    terminal.press("q")
    terminal.until("left")


def is_whole(text: str, width: int, height: int) -> bool:
    """Header, hints, and every frame closed: what opens at the left ends at the last column."""
    lines = text.splitlines()
    if len(lines) != height or max(map(len, lines)) > width:
        return False
    header, hints = lines[0], lines[-1]
    corners = [text.count(corner) for corner in "╭╮╰╯"]
    framed = [line for line in lines if line[:1] in ("╭", "│", "╰")]
    return (
        "small.yaml" in header
        and header.rstrip().endswith("cpu")
        and len(header) > width - 3
        and hints.rstrip().endswith("? help")
        and corners[0] > 0
        and len(set(corners)) == 1
        and all(len(line) == width and line[-1] in "╮│╯" for line in framed)
    )


@pytest.mark.parametrize("steps", [120])
def test_every_size_is_drawn_whole_during_a_run(terminal: Terminal) -> None:
    terminal.until("add noise")
    terminal.press("r")
    terminal.until("NFE")
    for width, height in ((80, 24), (200, 60), (60, 20), (120, 36)):
        terminal.resize(width, height)
        text = terminal.once(
            partial(is_whole, width=width, height=height),
            f"a whole screen of {width}x{height}",
            seconds=30,
        )
        assert "NFE" in text, "the run was over before the last size"
    terminal.until("done in")


def test_nothing_is_written_after_a_run(terminal: Terminal) -> None:
    terminal.until("add noise")
    terminal.press("r")
    terminal.until("done in")
    deadline = time.monotonic() + 20
    while said := terminal.written(1.0):  # the last of the run's pictures may still come
        assert time.monotonic() < deadline, said


def test_a_lost_connection_ends_the_program_and_keeps_the_work(
    terminal: Terminal, tmp_path: Path
) -> None:
    terminal.until("small.yaml")
    terminal.press("4", "Down", "Down", "Space")
    terminal.until("○ normalize")
    terminal.press("r")
    terminal.until("evaluations")
    ended = os.pidfd_open(terminal.process())
    terminal.hang_up()
    assert select.select([ended], [], [], 60)[0], "the program outlived its terminal"
    os.close(ended)
    (unsaved,) = (tmp_path / "state").rglob("unsaved-*.yaml")
    assert "enabled: false" in unsaved.read_text()


def test_an_editor_has_the_terminal_to_itself(terminal: Terminal) -> None:
    terminal.until("small.yaml")
    terminal.until("add noise")
    terminal.press("C-e")
    terminal.until("an editor:")
    terminal.press("-l", "steps: 7")
    terminal.press("Enter")
    terminal.until("dpmpp_2m · 7")
    terminal.press("u")
    terminal.until("dpmpp_2m · 3")
    terminal.press("q")
    terminal.until("left")
