"""Full and read-only disks lose nothing: python tests/robustness/disks.py --count 100.

A case gives `replay`, `train`, `checkpoints import` or the saving of a session a disk that is full
at a random moment, or read-only: a small tmpfs where root may mount one, else a limit on the size
of files. The command says so in one message and exits with 1 or 2; nothing torn is visible; and
with room again the same command finishes and clears what it left.
"""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from workbench.session import SessionError, load_session, save_session

from support.files import hidden, torn
from support.harness import COUNTS, Case, Check, Fault, read_options, run_cases, signature
from support.hostile import POINTS
from support.programs import TRACEBACK, Program, faults_of

Words = tuple[str, ...]
REFUSED = (1, 2)
ROOM = 64 * 2**20  # bytes that are enough for all
SESSION = """\
version: 1
source:
  checkpoint: cmnist-fives
  images: [{dataset: colored-mnist, digit: 5, count: 8}]
target: {checkpoint: cmnist-sevens}
solver: {steps: 1}
"""
TRAINING = ("--dataset", "moons", "--steps", "20", "--batch", "16")


@dataclass(frozen=True)
class Command:
    """A command that writes to a disk, given by its mount, and about how much."""

    name: str
    arguments: Callable[[Path], Words]
    most: int  # bytes
    files: int  # the largest file


def main() -> NoReturn:
    options, _ = read_options(__doc__, 100)
    run_cases(options, prepare(Program(options.keep / ".home")))


def prepare(program: Program) -> Check:
    """What checks a case; each of five does it with another command."""
    session = program.home / "disk.yaml"
    session.write_text(SESSION)

    def replay(out: Path) -> Words:
        return "replay", str(session), "--out", str(out)

    def train(disk: Path) -> Words:
        return "train", "--name", "full", "--out", str(disk / "out"), *TRAINING

    def bring(_: Path) -> Words:
        return "checkpoints", "import", str(POINTS)

    commands = (
        Command("replay", lambda disk: replay(disk / "out"), 500_000, 200_000),
        Command("cache", lambda _: replay(program.home / "out"), 700_000, 200_000),
        Command("train", train, 2_000_000, 400_000),
        Command("import", bring, 500_000, 400_000),
    )
    program.warm(*(command.arguments(program.home / "warm") for command in commands))
    can_mount = os.geteuid() == 0 and _can_mount(program.home / "try")

    def check(case: Case) -> Iterator[Fault]:
        for left in (program.home / "out", program.cache, program.library):
            shutil.rmtree(left, ignore_errors=True)
        if case.number % 5 == 4:
            yield from check_saving(case, session, can_mount)
        else:
            yield from check_command(program, case, commands[case.number % 5], can_mount)

    return check


def check_command(
    program: Program, case: Case, command: Command, can_mount: bool
) -> Iterator[Fault]:
    read_only = case.random.random() < 0.2
    disk = {"cache": program.cache, "import": program.library}.get(
        command.name, case.folder / "disk"
    )
    disk.mkdir(parents=True, exist_ok=True)
    arguments, how = command.arguments(disk), "read-only" if read_only else "full"
    if can_mount:
        size = ROOM if read_only else case.random.randrange(4096, command.most)
        with mounted(disk, size):
            if read_only:
                remount(disk, "ro")
            ended = program.run(*arguments)
            yield from check_ended(command, how, ended.code, ended.err, disk)
            yield from faults_of(ended, (0, *REFUSED), bounded=False)
            remount(disk, f"rw,size={ROOM}")
            yield from check_again(program, command, arguments, disk)
    elif not read_only:
        limit = case.random.randrange(1024, command.files)
        ended = program.start(*arguments, largest_file=limit).wait()
        yield from check_ended(command, "limited", ended.code, ended.err, disk)
        yield from faults_of(ended, (0, *REFUSED), bounded=False)
        yield from check_again(program, command, arguments, disk)


def check_ended(command: Command, how: str, code: int, said: str, disk: Path) -> Iterator[Fault]:
    COUNTS[f"{command.name}, {how}: {code}"] += 1
    where = {"cache": str(disk.parent), "import": disk.name}.get(command.name, str(disk))
    if code in REFUSED and where not in said and TRACEBACK not in said:
        yield Fault(f"{command.name} on a {how} disk does not say where", said)
    for problem in torn(disk / "out"):
        yield Fault(f"{command.name} on a {how} disk leaves what is torn", problem)


def check_again(
    program: Program, command: Command, arguments: Words, disk: Path
) -> Iterator[Fault]:
    """With room, the same command finishes and leaves nothing hidden."""
    again = program.run(*arguments)
    there = again.code == 2 and "there already" in again.err
    if again.code != 0 and not there:
        yield Fault(f"{command.name}: does not finish when there is room again", str(again))
    elif left := hidden(disk):
        yield Fault(f"{command.name}: leaves hidden files for good", "\n".join(left))


def check_saving(case: Case, session: Path, can_mount: bool) -> Iterator[Fault]:
    """A session that cannot be saved is as it was before."""
    if not can_mount:
        return
    disk = case.folder / "disk"
    disk.mkdir()
    with mounted(disk, 16_384):
        path = disk / "session.yaml"
        shutil.copy(session, path)
        before = path.read_bytes()
        with suppress(OSError), (disk / "filler").open("wb", buffering=0) as filler:
            while filler.write(b"x" * case.random.choice((1, 1000, 4096))):
                pass
        if case.random.random() < 0.3:
            remount(disk, "ro")
        longer = load_session(path).model_copy(update={"title": "x" * 20_000})
        try:
            save_session(longer, path)
            COUNTS["session: saved"] += 1
        except SessionError as error:
            COUNTS["session: refused"] += 1
            if str(path) not in str(error):
                yield Fault("saving a session does not say where", str(error))
            if path.read_bytes() != before:
                yield Fault("saving a session on a full disk loses it", str(error))
        except OSError as error:
            yield Fault(f"saving a session: {signature(error)}", str(error))
        if left := hidden(disk):
            yield Fault("saving a session leaves hidden files", "\n".join(left))


@contextmanager
def mounted(disk: Path, size: int) -> Iterator[None]:
    """A tmpfs of so many bytes at a folder."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(disk)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)


def remount(disk: Path, how: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{how}", str(disk)], check=True)


def _can_mount(folder: Path) -> bool:
    folder.mkdir()
    try:
        with mounted(folder, 4096):
            return True
    except (OSError, subprocess.CalledProcessError):
        return False


if __name__ == "__main__":
    main()
