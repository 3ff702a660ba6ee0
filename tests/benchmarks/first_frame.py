"""Time from the start of the process to the first frame, in a terminal of 120×36.

    python tests/benchmarks/first_frame.py [RUNS]

Prints the machine, the versions, and median, least and largest over the runs, after one warm-up.
The engine starts afterwards and is not counted.
"""

import fcntl
import os
import platform
import pty
import select
import signal
import statistics
import struct
import sys
import termios
import time
from importlib.metadata import version

FRAME = b"Recipe"  # the title of the pane that is drawn last
LIMIT = 30.0  # seconds


def first_frame() -> float:
    """Seconds until the first frame has been written to the terminal."""
    begun = time.perf_counter()
    child, terminal = pty.fork()
    if child == 0:
        os.environ.update(TERM="xterm-256color", COLORTERM="truecolor", COLUMNS="120", LINES="36")
        os.execv(sys.executable, [sys.executable, "-m", "workbench"])
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 36, 120, 0, 0))
    seen = b""
    try:
        while FRAME not in seen:
            if time.perf_counter() - begun > LIMIT:
                raise TimeoutError(seen[-2000:].decode(errors="replace"))
            if select.select([terminal], [], [], 1)[0]:
                seen += os.read(terminal, 65536)
        return time.perf_counter() - begun
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(terminal)


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    first_frame()
    seconds = [first_frame() for _ in range(runs)]
    cores = len(os.sched_getaffinity(0))
    print(f"{platform.machine()}, {cores} cores, Python {platform.python_version()}, ", end="")
    print(f"textual {version('textual')}, {runs} runs")
    print(
        f"first frame: median {statistics.median(seconds):.3f} s "
        f"({min(seconds):.3f} to {max(seconds):.3f})"
    )


if __name__ == "__main__":
    main()
