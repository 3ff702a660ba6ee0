"""Starts the program as its users do, bounded in time and memory, and judges how it ended.

Python and torch take seconds to load. `Program.warm` loads what a command loads into this process;
from then on each command is a fork of it, with a session, files, limits and signals of its own.
"""

import importlib
import os
import re
import resource
import runpy
import select
import signal
import sys
import time
import traceback
import warnings
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from support.harness import Fault, named

SECONDS = 2.0  # of its own time that a refusal may take
BYTES = 2**30  # that a refusal may hold
PATIENCE = 300.0  # seconds that a command may take, however busy the machine is
STILL = 15.0  # seconds for which it may do nothing at all
SPARE = 3 * 2**30  # address space a command may add to what is loaded
LARGEST_FILE = 2**28  # bytes that a command may write to a file
TRACEBACK = "Traceback (most recent call last)"
FOLDERS = ("DATA", "CACHE", "STATE", "CONFIG")


@dataclass(frozen=True)
class Ended:
    """How a command ended: code (negative: the signal), what it said, what it took."""

    arguments: tuple[str, ...]
    code: int
    out: str
    err: str
    seconds: float  # of its own time
    peak: int  # bytes
    hung: bool

    def __str__(self) -> str:
        took = f"{self.seconds:.2f} s, {self.peak / 2**20:.0f} MiB"
        said = f"{self.out[-3000:]}{self.err[-6000:]}"
        return f"{' '.join(self.arguments)} → {self.code} ({took})\n{said}"


class Running:
    """A command that was started; its output goes to files, or `out` is a pipe of its stdout."""

    def __init__(self, process: int, arguments: Sequence[str], files: tuple[Path, Path]) -> None:
        self.process = process
        self._arguments = tuple(arguments)
        self._files = files

    def signal(self, number: int) -> None:
        with suppress(ProcessLookupError):
            os.kill(self.process, number)

    def wait(self, patience: float = PATIENCE) -> Ended:
        """How it ended; one that only waits, or works for too long, hangs and is killed."""
        handle, deadline = os.pidfd_open(self.process), time.monotonic() + patience
        used, moved, hung = -1.0, time.monotonic(), False
        while not hung and not select.select([handle], [], [], 1.0)[0]:
            now, worked = time.monotonic(), seconds_of(self.process)
            if worked > used:
                used, moved = worked, now
            hung = now > deadline or now - moved > STILL
        os.close(handle)
        if hung:
            self.signal(signal.SIGKILL)
        _, status, usage = os.wait4(self.process, 0)
        with suppress(ProcessLookupError):  # what it started itself, such as an engine
            os.killpg(self.process, signal.SIGKILL)
        out, err = (file.read_text("utf-8", "surrogateescape") for file in self._files)
        for file in self._files:
            file.unlink()
        code, own = os.waitstatus_to_exitcode(status), usage.ru_utime + usage.ru_stime
        return Ended(self._arguments, code, out, err, own, usage.ru_maxrss * 1024, hung)


class Program:
    """The command line in folders of its own, one for all that is started."""

    def __init__(self, home: Path) -> None:
        self.home = home.resolve()
        self._started = 0
        for name in FOLDERS:  # before anything is imported that looks at them
            os.environ[f"XDG_{name}_HOME"] = str(self.home / name.lower())
        os.environ |= {"COLUMNS": "200", "NO_COLOR": "1"}
        self.home.mkdir(parents=True, exist_ok=True)

    @property
    def cache(self) -> Path:
        return self.home / "cache"

    @property
    def library(self) -> Path:
        """The user's checkpoints."""
        return self.home / "data" / "ddib-workbench" / "checkpoints"

    def warm(self, *commands: Sequence[str], module: str = "workbench") -> None:
        """Load what these commands load; each has to succeed."""
        listing = self.home / "modules"
        for command in commands:
            ended = self.start(*command, module=module, listing=listing).wait()
            if ended.code:
                raise RuntimeError(str(ended))
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                for name in listing.read_text().split():
                    with suppress(Exception):
                        importlib.import_module(name)

    def run(self, *arguments: str, folder: Path | None = None, patience: float = PATIENCE) -> Ended:
        """A command from its start to its end."""
        return self.start(*arguments, folder=folder).wait(patience)

    def start(
        self,
        *arguments: str,
        module: str = "workbench",
        folder: Path | None = None,
        fresh: bool = False,
        stdin: int | None = None,
        stdout: int | None = None,
        largest_file: int = LARGEST_FILE,
        listing: Path | None = None,
    ) -> Running:
        """A command in `folder`; `fresh`: in a new interpreter, as from a shell."""
        self._started += 1
        place = self.home / f"{os.getpid()}-{self._started}"
        files = place.with_suffix(".out"), place.with_suffix(".err")
        for file in files:
            file.touch()
        process = os.fork()
        if process == 0:
            try:
                os.setsid()
                os.chdir(folder or self.home)
                opened = [
                    os.open(os.devnull, os.O_RDONLY) if stdin is None else stdin,
                    os.open(files[0], os.O_WRONLY) if stdout is None else stdout,
                    os.open(files[1], os.O_WRONLY | os.O_APPEND),
                ]
                for number, descriptor in enumerate(opened):
                    os.dup2(descriptor, number)
                os.closerange(3, 64)
                _limit(largest_file, None if fresh or listing else SPARE)
                become(module, arguments, fresh, listing)
            finally:
                os._exit(70)
        return Running(process, arguments, files)


def _limit(largest_file: int, spare: int | None) -> None:
    """Bound what this process may write, and the address space that it may add to what it has."""
    if spare is not None:
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        space = pages * resource.getpagesize() + spare
        resource.setrlimit(resource.RLIMIT_AS, (space, space))
    resource.setrlimit(resource.RLIMIT_FSIZE, (largest_file, largest_file))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPROF):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)


def become(
    module: str, arguments: Sequence[str], fresh: bool, listing: Path | None = None
) -> NoReturn:
    """Be that program from here on: in a new interpreter, or with what is loaded here."""
    if fresh:
        os.execv(sys.executable, [sys.executable, "-m", module, *arguments])
    sys.argv = [module, *arguments]
    code = 1
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
        code = 0
    except SystemExit as ending:
        code = ending.code if isinstance(ending.code, int) else int(ending.code is not None)
    except BaseException:
        traceback.print_exc()
    if listing is not None:
        names = [n for n in sys.modules if not n.endswith("__main__")]
        listing.write_text("\n".join(names))
    for stream in (sys.stdout, sys.stderr):
        with suppress(Exception):
            stream.flush()
    os._exit(code & 0xFF)


def faults_of(
    ended: Ended, allowed: Sequence[int] = (0, 2), bounded: bool = True
) -> Iterator[Fault]:
    """What is wrong with how a command ended; `bounded`: a refusal in time and memory."""
    what = " ".join(word for word in ended.arguments[:2] if word.isalpha()) or "engine"
    detail = str(ended)
    if ended.hung:
        yield Fault(f"{what}: hangs", detail)
        return
    if TRACEBACK in ended.err + ended.out:
        yield Fault(f"{what}: {signature_of(ended.err + ended.out)}", detail)
    elif ended.code not in allowed:
        yield Fault(f"{what}: ends with {ended.code}", detail)
    elif ended.code == 2 and not re.search(r"^(error: |Error: )", ended.err, re.MULTILINE):
        yield Fault(f"{what}: refuses without saying why", detail)
    if not all(c.isprintable() or c == "\n" for c in ended.out + ended.err):
        yield Fault(f"{what}: says what cannot be printed", ascii(detail))
    if bounded and ended.code == 2 and ended.seconds > SECONDS:
        yield Fault(f"{what}: refuses after more than {SECONDS:g} s of its own time", detail)
    if bounded and ended.code == 2 and ended.peak > BYTES:
        yield Fault(f"{what}: refuses with more than {BYTES >> 20} MiB", detail)


def signature_of(said: str) -> str:
    """The last traceback of a text, named by its error and innermost own frame."""
    last = said.rpartition(TRACEBACK)[2]
    frames = re.findall(r'^  File "(.+?)", line \d+, in (\S+)', last, re.MULTILINE)
    errors = re.findall(r"^([A-Za-z_][\w.]*)(?::|$)", last, re.MULTILINE)
    error = errors[-1].rpartition(".")[2] if errors else "an error"
    return error if error == KeyboardInterrupt.__name__ else named(error, frames)


def seconds_of(process: int) -> float:
    """The own time of a process so far; 0 when it is gone."""
    with suppress(OSError):
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return 0.0
