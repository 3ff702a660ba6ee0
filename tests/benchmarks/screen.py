"""What the screen costs, in one run: python tests/benchmarks/screen.py [--runs N] [--images N].

Prints the machine, its load and the versions, then the time to the first frame; the time from a
key to its repaint while the engine works; the bytes sent to the terminal per second when idle and
while previews arrive; with auto-run the time from the turn of a knob to the first picture; and with
a folder of 100,000 images the time to a usable list and the memory of the screen's process.
Everything is measured from outside, on a pseudo-terminal.
"""

import argparse
import fcntl
import os
import platform
import pty
import select
import signal
import statistics
import struct
import sys
import tempfile
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

from PIL import Image

LIMIT = 60.0  # seconds that anything may take
LINKS = 30_000  # names that a file may have
WATCHED = 5.0  # seconds for which bytes are counted
RUN = """\
version: 1
source:
  checkpoint: cmnist-fives
  images: [{dataset: colored-mnist, digit: 5, count: 16}]
target: {checkpoint: cmnist-sevens}
solver: {steps: 2000}
"""
KNOB = """\
version: 1
source:
  checkpoint: cmnist-fives
  images: [{dataset: colored-mnist, digit: 5, count: 16}]
target: {checkpoint: cmnist-sevens}
solver: {steps: 10}
recipe: {latent: [{op: scale, factor: 1.0}]}
"""
UP, END = "\x1b[A", "\x1b[F"
FOLDER = """\
version: 1
source:
  checkpoint: cmnist-fives
  images: [{path: "folder"}]
target: {checkpoint: cmnist-sevens}
"""


class Terminal:
    """The program on a pseudo-terminal: keys in, bytes out."""

    def __init__(self, process: int, file: int) -> None:
        self.process, self.file = process, file
        self.begun = time.perf_counter()

    def press(self, keys: str) -> None:
        os.write(self.file, keys.encode())

    def until(self, words: str) -> float:
        """Seconds until `words` are written from now on."""
        begun, seen = time.perf_counter(), b""
        while words.encode() not in seen:
            if time.perf_counter() - begun > LIMIT:
                raise TimeoutError(f"{words!r} not in {seen[-2000:]!r}")
            seen += self.read(1.0)
        return time.perf_counter() - begun

    def read(self, seconds: float) -> bytes:
        ready = select.select([self.file], [], [], seconds)[0]
        return os.read(self.file, 65536) if ready else b""

    def quiet(self) -> None:
        """Wait until nothing has been written for a second."""
        begun = time.perf_counter()
        while self.read(1.0):
            if time.perf_counter() - begun > LIMIT:
                raise TimeoutError("the terminal does not fall silent")

    def bytes_per_second(self) -> float:
        begun, count = time.perf_counter(), 0
        while (left := begun + WATCHED - time.perf_counter()) > 0:
            count += len(self.read(left))
        return count / WATCHED

    def memory(self) -> float:
        """MB of the process, as the system counts what it holds."""
        status = Path(f"/proc/{self.process}/status").read_text()
        kilobytes = next(line.split()[1] for line in status.splitlines() if "VmRSS" in line)
        return int(kilobytes) / 1e3


@contextmanager
def program(*arguments: str, folder: Path, size: tuple[int, int] = (120, 36)) -> Iterator[Terminal]:
    """The program in a folder of its own."""
    columns, lines = size
    process, file = pty.fork()
    if process == 0:
        os.environ.update(
            TERM="xterm-256color", COLORTERM="truecolor", COLUMNS=str(columns), LINES=str(lines)
        )
        for name in ("DATA", "STATE", "CACHE", "CONFIG"):
            os.environ[f"XDG_{name}_HOME"] = str(folder / name.lower())
        os.chdir(folder)
        os.execv(sys.executable, [sys.executable, "-m", "workbench", *arguments])
    fcntl.ioctl(file, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
    terminal = Terminal(process, file)
    try:
        yield terminal
    finally:
        os.kill(process, signal.SIGKILL)
        os.waitpid(process, 0)
        os.close(file)


def first_frame(folder: Path) -> float:
    """Seconds from the start of the process until the pane that is drawn last is there."""
    with program(folder=folder) as terminal:
        return terminal.until("Recipe")


def key_to_repaint(terminal: Terminal, count: int) -> list[float]:
    """Seconds from a letter typed into the palette to its being shown, many times."""
    terminal.press("a")
    terminal.until("enter")
    took = []
    for typed in range(1, count + 1):
        deadline = time.perf_counter() + 0.05 + 0.013 * (typed % 7)  # at all phases of a preview
        while (left := deadline - time.perf_counter()) > 0:
            terminal.read(left)
        terminal.press("w")
        took.append(terminal.until("w" * typed))
    terminal.press("\x1b")
    return took


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=10, help="of the first frame")
    parser.add_argument("--images", type=int, default=100_000)
    options = parser.parse_args()
    cores = len(os.sched_getaffinity(0))
    load = os.getloadavg()[0]
    print(f"{platform.machine()}, {cores} cores, load {load:.1f}, ", end="")
    print(f"Python {platform.python_version()}, ", end="")
    print(f"textual {version('textual')}, 120x36")
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        first_frame(folder)
        frames = [first_frame(folder) for _ in range(options.runs)]
        print(f"first frame: {_figures(frames)}")
        _while_running(folder)
        _auto_run(folder / "knob", 10)  # which leaves unsaved work behind
        _large_folder(folder, options.images)


def _while_running(folder: Path) -> None:
    session = folder / "run.yaml"
    session.write_text(RUN)
    with program(str(session), folder=folder) as terminal:
        terminal.until("cpu")
        terminal.quiet()
        print(f"idle: {terminal.bytes_per_second():.0f} bytes a second")
        terminal.press("r")
        terminal.until("encode")
        took = key_to_repaint(terminal, 50)
        print(f"key to repaint during a run: {_figures(took)}")
        for rate in ("4 a second", "1 a second", "off"):
            terminal.read(1.0)
            rated = terminal.bytes_per_second() / 1e3
            print(f"previews {rate}: {rated:.1f} kB a second")
            terminal.press("p")


def _auto_run(folder: Path, turns: int) -> None:
    folder.mkdir()
    session = folder / "knob.yaml"
    session.write_text(KNOB)
    with program(str(session), folder=folder) as terminal:
        terminal.until("cpu")
        terminal.press("A")
        terminal.until("done in")
        for key in ("4", END, UP, "e"):  # into the form of the recipe's last operation
            terminal.press(key)
            terminal.quiet()
        took = []
        for _ in range(turns):
            terminal.press(UP)
            took.append(terminal.until("stale") + terminal.until("not kept"))
            terminal.quiet()
        print(f"auto-run, from a turn of a knob to the first picture: {_figures(took)}")


def _large_folder(folder: Path, images: int) -> None:
    session, place = folder / "folder.yaml", folder / "folder"
    session.write_text(FOLDER)
    place.mkdir()
    for number in range(images):
        image = place / f"image-{number:06d}.png"
        if number % LINKS == 0:
            first = image
            Image.new("RGB", (32, 32), (200, 60, 60)).save(first)
        else:
            image.hardlink_to(first)
    with program(str(session), folder=folder) as terminal:
        frame = terminal.until("Recipe")
        listed = terminal.until(f"{images:,}")
        terminal.quiet()
        print(f"{images:,} images: listed {listed:.2f} s after the first frame ({frame:.2f} s), ")
        print(f"memory of the screen {terminal.memory():.0f} MB")


def _figures(seconds: list[float]) -> str:
    ordered = sorted(seconds)
    p95 = ordered[min(len(ordered) - 1, round(0.95 * len(ordered)))]
    return (
        f"median {statistics.median(ordered) * 1e3:.0f} ms, p95 {p95 * 1e3:.0f} ms "
        f"({len(ordered)} times)"
    )


if __name__ == "__main__":
    main()
