"""Kills at random moments lose nothing: python tests/robustness/kills.py --count 1000.

A case starts `replay`, `train` or the engine of the screen and kills it one to three times, by
SIGKILL, SIGTERM, SIGHUP or SIGINT, the same command being given again each time; then it lets it
finish. After each kill whatever is visible is whole; at the end the bytes are those of an
undisturbed run and nothing hidden is left. One case in ten starts a new interpreter each time, so
that the start is met too. `--count` counts cases; the report counts kills.
"""

import json
import os
import select
import shutil
import signal
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

from support.files import hidden, same_bytes, torn
from support.harness import COUNTS, Case, Check, Fault, read_options, run_cases
from support.programs import Ended, Program, Running, faults_of

SIGNALS = (signal.SIGKILL, signal.SIGKILL, signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
INTERRUPTED = (0, 128 + signal.SIGINT, 128 + signal.SIGTERM, 128 + signal.SIGHUP)
STARTS = 4.0  # seconds that a new interpreter takes more
LEFT_OVERS = 8  # hidden entries that a kill may leave
SESSION = {
    "version": 1,
    "title": "killed",
    "source": {
        "checkpoint": "cmnist-fives",
        "images": [{"dataset": "colored-mnist", "digit": 5, "count": 24}],
    },
    "target": {"checkpoint": "cmnist-sevens"},
    "solver": {"steps": 2},
    "recipe": {"latent": [{"op": "scale", "factor": 1.1}]},
}
TRAINING = ("--dataset", "moons", "--steps", "60", "--batch", "64")


@dataclass
class Job(ABC):
    """What is started, killed, started again, and compared."""

    program: Program
    session: Path
    seconds: float = 0.0  # that an undisturbed one takes
    undisturbed: list[Path] = field(default_factory=list)  # two results of it

    @abstractmethod
    def start(self, folder: Path, fresh: bool) -> "Attempt":
        """Start it; fresh: in a new interpreter."""

    def measure(self, folder: Path) -> None:
        """Let it finish twice; raises RuntimeError when it does not."""
        for time in ("first", "second"):
            shutil.rmtree(self.program.cache, ignore_errors=True)
            attempt = self.start(folder / time, fresh=False)
            ended = attempt.finish()
            if attempt.result is None:
                raise RuntimeError(str(ended))
            self.seconds = ended.seconds
            self.undisturbed.append(attempt.result)


class Attempt:
    """One start of a command."""

    def __init__(self, running: Running, out: Path) -> None:
        self.running, self.out = running, out
        self.result: Path | None = None  # a file or a folder, when it is there

    def finish(self) -> Ended:
        ended = self.running.wait()
        said = ended.out.split()
        if ended.code == 0 and said:
            self.result = Path(said[-1])
        return ended


class Replay(Job):
    def start(self, folder: Path, fresh: bool) -> Attempt:
        out = folder / "out"
        arguments = ("replay", str(self.session), "--out", str(out))
        return Attempt(self.program.start(*arguments, fresh=fresh), out)


class Train(Job):
    def start(self, folder: Path, fresh: bool) -> Attempt:
        out = folder / "out"
        arguments = ("train", "--name", "killed", "--out", str(out), *TRAINING)
        running = self.program.start(*arguments, fresh=fresh)
        return Trained(running, out)


class Trained(Attempt):
    def finish(self) -> Ended:
        ended = self.running.wait()
        if "is there already" in ended.err or ended.code == 0:  # it was done before the kill
            self.result = self.out / "killed.safetensors"
        return ended


class Engine(Job):
    def start(self, folder: Path, fresh: bool) -> Attempt:
        out = folder / "out"
        requests, to_engine = os.pipe()
        events, from_engine = os.pipe()
        running = self.program.start(
            module="workbench.engine", fresh=fresh, stdin=requests, stdout=from_engine
        )
        os.close(requests)
        os.close(from_engine)
        request = {"type": "run", "id": "1", "session": SESSION, "base": str(folder)}
        line = json.dumps(request | {"name": "killed", "store": str(out)}) + "\n"
        with suppress(BrokenPipeError):
            os.write(to_engine, line.encode())
        return Conversation(running, out, to_engine, events)


class Conversation(Attempt):
    """The engine's stdin and stdout; leaving it closes stdin, as a screen does."""

    def __init__(self, running: Running, out: Path, to_engine: int, events: int) -> None:
        super().__init__(running, out)
        self._to_engine, self._events = to_engine, events

    def finish(self) -> Ended:
        said = b""
        while select.select([self._events], [], [], 120)[0]:
            part = os.read(self._events, 2**16)
            said += part
            if not part or b'"type":"finished"' in said:
                break
        os.close(self._to_engine)
        ended = self.running.wait()
        os.close(self._events)
        for line in said.splitlines():
            event = json.loads(line) if line.endswith(b"}") else {}
            if event.get("type") == "finished" and event["status"] == "done":
                self.result = Path(event["run"])
        return ended


def main() -> NoReturn:
    options, _ = read_options(__doc__, 1000)
    run_cases(options, prepare(Program(options.keep / ".home")))


def prepare(program: Program) -> Check:
    """What checks a case; each of three does it with another program."""
    session = program.home / "killed.yaml"
    session.write_text(json.dumps(SESSION))
    measured = program.home / "undisturbed"
    program.warm(
        ["replay", str(session), "--out", str(measured / "warm")],
        ["train", "--name", "warm", "--out", str(measured), *TRAINING[:3], "1"],
    )
    jobs = [kind(program, session) for kind in (Replay, Train, Engine)]
    for job in jobs:
        job.measure(measured / type(job).__name__)
    return lambda case: check(jobs[case.number % len(jobs)], case)


def check(job: Job, case: Case) -> Iterator[Fault]:
    shutil.rmtree(job.program.cache, ignore_errors=True)
    what = type(job).__name__.lower()
    fresh = case.random.random() < 0.1
    for kill in range(1, case.random.choice((1, 1, 2, 3)) + 1):
        attempt = job.start(case.folder, fresh)
        moment = case.random.uniform(0, 1.1 * job.seconds + STARTS * fresh)
        number = case.random.choice(SIGNALS)
        ended = killed(attempt, moment, number)
        COUNTS[f"{what}: {signal.Signals(number).name} → {ended.code}"] += 1
        COUNTS["kills"] += 1
        if ended.code not in (-number, 2):
            yield from faults_of(ended, INTERRUPTED, bounded=False)
        for problem in torn(attempt.out):
            yield Fault(f"{what}: what is visible after {number.name} is torn", problem)
        left = [*hidden(attempt.out), *hidden(job.program.cache)]
        if len(left) > LEFT_OVERS * kill:
            yield Fault(f"{what}: leaves more than {LEFT_OVERS} hidden files", "\n".join(left))
    attempt = job.start(case.folder, fresh)
    ended = attempt.finish()
    yield from faults_of(ended, (0, 2) if attempt.result else (0,), bounded=False)
    if attempt.result is None:
        yield Fault(f"{what}: does not finish after a kill", str(ended))
        return
    first, second = job.undisturbed
    for name in same_bytes(attempt.result, first, second):
        yield Fault(f"{what}: not the bytes of an undisturbed run", name)
    for problem in torn(attempt.out):
        yield Fault(f"{what}: what is visible at the end is torn", problem)
    if left := [*hidden(attempt.out), *hidden(job.program.cache)]:
        yield Fault(f"{what}: a rerun leaves what a kill left", "\n".join(left))


def killed(attempt: Attempt, moment: float, number: signal.Signals) -> Ended:
    """How an attempt ended that was given a signal at a moment, if it had not ended by itself."""
    handle = os.pidfd_open(attempt.running.process)
    events = attempt._events if isinstance(attempt, Conversation) else None
    gone = select.select([handle], [], [], moment)[0]
    if not gone:
        attempt.running.signal(number)
    os.close(handle)
    if events is not None:
        return attempt.finish()
    return attempt.running.wait()


if __name__ == "__main__":
    main()
