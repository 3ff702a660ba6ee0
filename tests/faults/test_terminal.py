"""The screen in a real terminal: it leaves it as it was, and never hangs or stays blank."""

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

ENTRY = str(Path(sys.executable).with_name("ddib-workbench"))
MODES = (1049, 1000, 1003, 1006, 2004)  # alternate screen, mouse reporting, bracketed paste


class Terminal:
    """A process in a pseudo-terminal of 120x36; everything that it writes is kept."""

    def __init__(self, command: list[str], *, stderr: Any = None, env: dict[str, str]) -> None:
        self._end, inner = pty.openpty()
        fcntl.ioctl(inner, termios.TIOCSWINSZ, struct.pack("HHHH", 36, 120, 0, 0))
        self.process = subprocess.Popen(
            ["setsid", "--ctty", *command],
            stdin=inner,
            stdout=inner,
            stderr=inner if stderr is None else stderr,
            env={k: v for k, v in os.environ.items() if k != "TMUX"} | env,
        )
        os.close(inner)
        self.written = b""

    def read(self, seconds: float) -> bytes:
        """What is written until nothing has come for so long."""
        begun, latest = len(self.written), time.monotonic() + 10 * seconds
        while time.monotonic() < latest and select.select([self._end], [], [], seconds)[0]:
            try:
                self.written += os.read(self._end, 2**16)
            except OSError:  # the other end is closed
                break
        return self.written[begun:]

    def until(self, wanted: bytes, since: int = 0, seconds: float = 30) -> None:
        deadline = time.monotonic() + seconds
        while wanted not in self.written[since:]:
            assert time.monotonic() < deadline, f"{wanted!r} never came: {self.written[-800:]!r}"
            self.read(0.1)

    def ended(self, seconds: float = 40) -> int:
        """The exit code; what is written on the way is read, or the program could not end."""
        deadline = time.monotonic() + seconds
        while self.process.poll() is None:
            assert time.monotonic() < deadline, "the program goes on"
            self.read(0.1)
        self.read(0.2)
        return self.process.returncode

    def press(self, keys: bytes) -> int:
        """Where in `written` the answer begins."""
        os.write(self._end, keys)
        return len(self.written)

    def close(self) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        os.close(self._end)


@pytest.fixture
def terminal() -> Iterator[Callable[..., Terminal]]:
    started: list[Terminal] = []

    def start(*command: str | Path, stderr: Any = None, **env: str) -> Terminal:
        environment = {"TERM": "xterm-256color", "LC_ALL": "C.UTF-8"} | env
        started.append(Terminal([str(word) for word in command], stderr=stderr, env=environment))
        return started[-1]

    yield start
    for one in started:
        one.close()


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM])
def test_a_signal_gives_the_terminal_back_as_it_was(
    terminal: Callable[..., Terminal], session_file: Path, number: signal.Signals
) -> None:
    """The exit code says how it ended: 129 or 143, as `replay` does."""
    shown = terminal(ENTRY, session_file)
    shown.until(b"normalize")
    shown.process.send_signal(number)
    code = shown.ended()
    left = [
        mode
        for mode in MODES
        if shown.written.rfind(f"\x1b[?{mode}h".encode())
        > shown.written.rfind(f"\x1b[?{mode}l".encode())
    ]
    assert not left
    assert code == 128 + number


@pytest.mark.parametrize("editor", ["/nowhere/editor", "no-such-editor -x", "'unbalanced"])
def test_an_editor_that_cannot_be_started_is_told_of_and_the_screen_goes_on(
    terminal: Callable[..., Terminal], session_file: Path, editor: str
) -> None:
    shown = terminal(ENTRY, session_file, EDITOR=editor, VISUAL="")
    shown.until(b"normalize")
    shown.read(1.5)
    since = shown.press(b"\x05")
    shown.until(b"Set EDITOR", since, seconds=10)
    since = shown.press(b"?")
    shown.until(b"Help", since, seconds=10)


def test_with_stderr_in_a_file_the_screen_is_drawn_on_the_terminal(
    terminal: Callable[..., Terminal], session_file: Path, tmp_path: Path
) -> None:
    """Nothing of the drawing is in the file."""
    with (tmp_path / "errors").open("wb") as file:
        shown = terminal(ENTRY, session_file, stderr=file)
        shown.until(b"normalize", seconds=10)
    assert b"\x1b[?1049h" not in (tmp_path / "errors").read_bytes()


def test_a_dumb_terminal_is_refused_in_words(
    terminal: Callable[..., Terminal], session_file: Path
) -> None:
    """Exit code 2, the name TERM in the message, and no escape sequence."""
    shown = terminal(ENTRY, session_file, TERM="dumb")
    while not shown.written and shown.process.poll() is None:
        shown.read(0.2)
    assert b"\x1b" not in shown.written
    assert shown.ended() == 2 and b"TERM" in shown.written


@pytest.mark.parametrize("closed", ["0<&-", "1>&-", "0<&- 1>&- 2>&-"])
def test_a_closed_stream_is_refused_without_a_traceback(session_file: Path, closed: str) -> None:
    done = subprocess.run(
        ["sh", "-c", f'exec "$0" "$1" {closed}', ENTRY, str(session_file)],
        capture_output=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 2
    assert b"Traceback" not in done.stderr and b"Exception" not in done.stderr


def test_a_command_with_a_closed_stdin_works(points_file: Path, home: Path) -> None:
    done = subprocess.run(
        ["sh", "-c", 'exec "$0" replay "$1" --out "$2" 0<&-', ENTRY, points_file, home / "runs"],
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_ctrl_z_suspends_and_fg_draws_again(
    terminal: Callable[..., Terminal], session_file: Path
) -> None:
    shown = terminal("bash", "--norc", "--noprofile", "-i", PS1="prompt> ")
    shown.until(b"prompt> ")
    shown.press(f"{ENTRY} {session_file}\n".encode())
    shown.until(b"normalize")
    shown.read(1.5)
    since = shown.press(b"\x1a")
    shown.until(b"Stopped", since, seconds=10)
    assert b"\x1b[?1049l" in shown.written[since:]
    since = shown.press(b"fg\n")
    shown.until(b"normalize", since, seconds=10)
