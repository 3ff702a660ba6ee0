"""The screen on a pseudo-terminal: keys in, words out."""

import fcntl
import os
import re
import select
import signal
import struct
import termios
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from support.harness import Fault
from support.programs import TRACEBACK, Program, become, signature_of

SIZE = (120, 36)  # columns and lines
PATIENCE = 90.0  # seconds that anything may take
KEPT = 2**18  # bytes of what was written last
ASKED = {"Not saved": "d", "Quit?": "y"}  # what the screen asks when it is left, and the answer
CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[=>()][A-Z0-9]?|\x1b\][^\x07\x1b]*(\x07|\x1b\\)")


class Screen:
    """The program, in a new interpreter, on a terminal of its own; killed when it is left."""

    def __init__(self, program: Program, *arguments: str, folder: Path) -> None:
        self._written = b""
        self.process, self._file = os.forkpty()
        if self.process == 0:
            try:
                os.environ |= {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
                os.environ["COLUMNS"], os.environ["LINES"] = map(str, SIZE)
                os.chdir(folder)
                become("workbench", arguments, fresh=True)
            finally:
                os._exit(70)
        size = struct.pack("HHHH", SIZE[1], SIZE[0], 0, 0)
        fcntl.ioctl(self._file, termios.TIOCSWINSZ, size)

    def __enter__(self) -> "Screen":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.process, signal.SIGKILL)
        with suppress(ChildProcessError):
            os.waitpid(self.process, 0)
        os.close(self._file)

    def press(self, keys: str) -> None:
        """Type keys and forget what was written before."""
        self._written = b""
        os.write(self._file, keys.encode())

    def until(self, *words: str, patience: float = PATIENCE) -> str:
        """Wait for one of these words, written since the last key; raises TimeoutError."""
        deadline = time.monotonic() + patience
        while not any(word in self.text() for word in words):
            if (left := deadline - time.monotonic()) <= 0 or not self._read(left):
                raise TimeoutError(f"{words} did not come: {self.text()[-3000:]}")
        return self.text()

    def quiet(self, patience: float = PATIENCE, still: float = 0.5) -> None:
        """Wait until nothing was written for a moment, or patience ends: a cursor may blink."""
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline and select.select([self._file], [], [], still)[0]:
            if not self._read(0):
                return

    def text(self) -> str:
        """What was written, without what moves and colours it."""
        return CONTROL.sub("", self._written.decode("utf-8", "replace"))

    def _read(self, seconds: float) -> bool:
        """Take what is written within a time; whether the program still has the terminal."""
        if select.select([self._file], [], [], seconds)[0]:
            try:
                self._written = (self._written + os.read(self._file, 2**16))[-KEPT:]
            except OSError:  # it has closed its terminal
                return False
        return True

    def leave(self) -> Iterator[Fault]:
        """Quit, and what is wrong with how that goes."""
        self.press("q")
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline and self._read(1.0):
            if answer := next((key for asked, key in ASKED.items() if asked in self.text()), None):
                self.press(answer)
        ended, status = os.waitpid(self.process, 0 if time.monotonic() < deadline else os.WNOHANG)
        if not ended:
            yield Fault("the screen does not leave", self.text()[-3000:])
            return
        if TRACEBACK in self.text() or "Traceback" in self.text():
            yield Fault(f"the screen: {signature_of(self.text())}", self.text()[-6000:])
        elif code := os.waitstatus_to_exitcode(status):
            yield Fault(f"the screen ends with {code}", self.text()[-3000:])

    def memory(self) -> tuple[float, float]:
        """MB that the screen's process holds, and those that it started together."""
        return _resident(self.process), sum(map(_resident, _children(self.process)))


def _children(process: int) -> list[int]:
    try:
        return [
            int(p) for p in Path(f"/proc/{process}/task/{process}/children").read_text().split()
        ]
    except OSError:
        return []


def _resident(process: int) -> float:
    with suppress(OSError):
        for line in Path(f"/proc/{process}/status").read_text().splitlines():
            if line.startswith("VmRSS"):
                return int(line.split()[1]) / 1e3
    return 0.0
