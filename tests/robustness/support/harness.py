"""Runs numbered cases, counts what failed, and goes on where it was stopped.

Case N of seed S is always the same: its random numbers come from S and N alone. Cases are tried in
processes forked for the purpose, so that one that hangs or dies is a failure and not the end.
"""

import argparse
import json
import os
import platform
import random
import re
import select
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple, NoReturn

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before anything imports torch: forks need it

TOLD_EVERY = 60.0  # seconds between words about how far it is
PACKAGES = ("ddib-workbench", "numpy", "pillow", "pydantic", "ruamel.yaml", "textual", "torch")
LARGEST_KEPT = 2**20  # bytes of a file of a failing case
PATIENCE = 600.0  # seconds that a case may take
SPARE = 5 * 2**30  # bytes of the disk that are left to others


class Fault(NamedTuple):
    """What is wrong with a case: a kind, the same for all cases of one cause, and its evidence."""

    kind: str
    detail: str = ""


@dataclass(frozen=True)
class Case:
    """One case: its number, its own random numbers, and an empty folder of its own."""

    number: int
    random: random.Random
    folder: Path


Check = Callable[[Case], Iterable[Fault]]


@dataclass
class Options:
    """What every command takes."""

    count: int
    seed: int
    only: int | None
    resume: Path | None
    keep: Path
    seconds: float


def read_options(
    description: str | None, count: int, parser: argparse.ArgumentParser | None = None
) -> tuple[Options, argparse.Namespace]:
    """The command line; `parser` may hold options of the command's own."""
    parser = parser or argparse.ArgumentParser()
    parser.description = (description or "").splitlines()[0]
    parser.add_argument("--count", type=int, default=count, help="how many cases (%(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of the cases (%(default)s)")
    parser.add_argument("--only", type=int, metavar="N", help="try case N alone, and keep it")
    parser.add_argument(
        "--resume", type=Path, metavar="FILE", help="note there what was tried, and go on from it"
    )
    parser.add_argument(
        "--keep",
        type=Path,
        metavar="FOLDER",
        help="where the smallest case of each kind that fails is kept; else none is",
    )
    parser.add_argument(
        "--seconds", type=float, default=86_400, help="stop after so many (%(default)s)"
    )
    given = parser.parse_args()
    keep = given.keep or Path(tempfile.mkdtemp(prefix="robustness-"))
    options = Options(given.count, given.seed, given.only, given.resume, keep, given.seconds)
    return options, given


@dataclass
class Tally:
    """What was tried and what failed."""

    command: str
    seed: int
    tried: int = 0
    seconds: float = 0.0
    failed: dict[str, list[int]] = field(default_factory=dict)  # cases by kind of fault
    smallest: dict[str, tuple[int, int]] = field(default_factory=dict)  # case and its bytes
    counts: Counter[str] = field(default_factory=Counter)  # what else the cases counted

    @classmethod
    def resumed(cls, command: str, options: Options) -> "Tally":
        """What an earlier command noted in the file, or nothing."""
        if options.resume is None or not options.resume.exists():
            return cls(command, options.seed)
        noted = json.loads(options.resume.read_text())
        if (noted["command"], noted["seed"]) != (command, options.seed):
            sys.exit(f"{options.resume}: of {noted['command']} --seed {noted['seed']}")
        smallest = {kind: (case, size) for kind, (case, size) in noted.pop("smallest").items()}
        return cls(smallest=smallest, counts=Counter(noted.pop("counts")), **noted)

    def note(self, file: Path | None) -> None:
        """Write it all to a file, whole or not at all."""
        if file is not None:
            temporary = file.with_name(f".{file.name}.{os.getpid()}")
            temporary.write_text(json.dumps(vars(self), indent=1))
            temporary.replace(file)

    def report(self) -> str:
        """In words, with the machine and the versions."""
        cases = len({case for numbers in self.failed.values() for case in numbers})
        counted = "".join(f"  {count} {what}\n" for what, count in sorted(self.counts.items()))
        kinds = sorted(self.failed.items(), key=lambda found: -len(found[1]))
        return (
            f"{self.command}: {self.tried} tried in {self.seconds:.0f} s, {cases} failed "
            f"(--seed {self.seed})\n{counted}"
            + "".join(f"  {len(n)} × {kind}: --only {self._example(kind)}\n" for kind, n in kinds)
            + f"{platform.platform()}, {os.cpu_count()} cores, "
            f"Python {platform.python_version()}, {versions()}"
        )

    def _example(self, kind: str) -> int:
        return self.smallest[kind][0] if kind in self.smallest else self.failed[kind][0]


def versions() -> str:
    """Of the program and of what it stands on."""
    return ", ".join(f"{name} {version(name)}" for name in PACKAGES)


def run_cases(options: Options, check: Check, at_once: int = 1) -> NoReturn:
    """Try the cases, say what failed, and exit with 1 if any did, or 130 when interrupted."""
    tally = Tally.resumed(Path(sys.argv[0]).stem, options)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    interrupted = False
    try:
        try_cases(options, check, tally, at_once)
    except KeyboardInterrupt:
        interrupted = True
    print(tally.report(), flush=True)
    sys.exit(130 if interrupted else bool(tally.failed))


def try_cases(options: Options, check: Check, tally: Tally, at_once: int = 1) -> None:
    """Try the cases that `tally` lacks, and count them there; `at_once` of them share a process."""
    begun, told = time.monotonic() - tally.seconds, time.monotonic()
    options.keep.mkdir(parents=True, exist_ok=True)
    numbers = range(tally.tried, options.count)
    if options.only is not None:
        numbers, options.resume = range(options.only, options.only + 1), None
    with working_folder(options.keep) as folder:
        while numbers and time.monotonic() - begun < options.seconds:
            if shutil.disk_usage(folder).free < SPARE:
                sys.exit(f"{folder}: less than {SPARE >> 30} GiB are free; nothing was lost")
            outcomes = _try(numbers[:at_once], options, check, folder)
            for number, faults, counts in outcomes:
                tally.tried += 1
                tally.counts.update(counts)
                _count(tally, number, faults, folder / str(number), options.keep)
                numbers = numbers[1:]
            tally.seconds = time.monotonic() - begun
            tally.note(options.resume)
            if time.monotonic() - told > TOLD_EVERY:
                told = time.monotonic()
                failed = sum(map(len, tally.failed.values()))
                print(f"{tally.tried} tried, {failed} faults", file=sys.stderr, flush=True)


@contextmanager
def working_folder(inside: Path) -> Iterator[Path]:
    """A folder that goes at the end, whatever lies in it."""
    folder = Path(tempfile.mkdtemp(prefix=".work-", dir=inside))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


Outcome = tuple[int, list[Fault], dict[str, int]]

COUNTS: Counter[str] = Counter()  # what a check wants counted beside faults


def _try(numbers: range, options: Options, check: Check, folder: Path) -> Iterator[Outcome]:
    """Outcomes of cases as they come from a process of their own; at least the first one's."""
    reading, writing = os.pipe()
    process = os.fork()
    if process == 0:
        os.setpgid(0, 0)
        os.close(reading)
        _work(numbers, options.seed, check, folder, writing)
    os.close(writing)
    left = list(numbers)
    ending = ""
    try:
        said = b""
        while left and not ending:
            if not select.select([reading], [], [], PATIENCE)[0]:
                ending = f"hangs: no end after {PATIENCE:.0f} s"
            elif part := os.read(reading, 2**16):
                *lines, said = (said + part).split(b"\n")
                for line in lines:
                    number, faults, counts = json.loads(line)
                    yield number, [Fault(*fault) for fault in faults], counts
                    left.remove(number)
            else:
                ending = "dies"
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process, signal.SIGKILL)
        _, status = os.waitpid(process, 0)
        os.close(reading)
    if ending == "dies":
        ending = f"its process dies with {os.waitstatus_to_exitcode(status)}"
    if ending:
        yield left[0], [Fault(ending)], {}


def _work(numbers: range, seed: int, check: Check, folder: Path, writing: int) -> NoReturn:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    for number in numbers:
        case = Case(number, random.Random(f"{seed}:{number}"), folder / str(number))
        case.folder.mkdir(exist_ok=True)
        COUNTS.clear()
        try:
            faults = list(check(case))
        except Exception as error:
            faults = [Fault(f"the check itself: {signature(error)}", traceback.format_exc())]
        line = json.dumps([number, faults, COUNTS]) + "\n"
        os.write(writing, line.encode())  # less than a pipe holds, or waited for
    os._exit(0)


def _count(tally: Tally, number: int, faults: list[Fault], folder: Path, keep: Path) -> None:
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    for kind, detail in faults:
        tally.failed.setdefault(kind, []).append(number)
        _, least = tally.smallest.get(kind, (0, sys.maxsize))
        if size < least:
            tally.smallest[kind] = number, size
            place = keep / re.sub(r"[^\w.]+", "-", kind)[:80]
            shutil.rmtree(place, ignore_errors=True)
            if folder.exists():
                shutil.copytree(folder, place, symlinks=True, copy_function=_copy)
                again = f"{tally.command}.py --seed {tally.seed} --only {number}"
                (place / "fault.txt").write_text(f"{kind}\n{again}\n{detail}\n")
    shutil.rmtree(folder, ignore_errors=True)


def _copy(source: str, target: str) -> None:
    """Keep a small file. A pipe would be waited for, and a sparse file may be any size: such are
    made again by their number."""
    file = Path(source)
    if file.is_file() and file.stat().st_size <= LARGEST_KEPT:
        shutil.copyfile(source, target)


def signature(error: BaseException) -> str:
    """An exception's type and the innermost place in this project that it passed."""
    frames = traceback.extract_tb(error.__traceback__)
    return named(type(error).__name__, [(f.filename, f.name) for f in frames])


def named(error: str, frames: list[tuple[str, str]]) -> str:
    """A name for a fault from the error's type and the frames (file, function) it passed."""
    own = [(f, name) for f, name in frames if re.search(r"/(workbench|ddib)/(?!.*site-pack)", f)]
    file, name = (own or frames or [("?", "?")])[-1]
    return f"{error} in {'/'.join(Path(file).parts[-2:])}:{name}"


class TooLong(BaseException):
    """A case took more of its process's own time than it may."""


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raise TooLong after so many seconds of this process's own time."""

    def stop(*_: object) -> NoReturn:
        raise TooLong(f"more than {seconds:g} s of its own time")

    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
