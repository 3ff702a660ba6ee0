"""Hostile checkpoints are refused: python tests/robustness/checkpoints.py --count 1000.

Each goes through `checkpoints list`, `show` and `import`, and `replay --dry-run`: every command
does its work or refuses with one message and exit code 2, in two seconds of its own time and 1 GB.
Nothing is executed, what is refused leaves nothing in the library, and a good checkpoint beside a
bad one stays listed.
"""

import json
import os
import random
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

from support.harness import COUNTS, Case, Check, Fault, read_options, run_cases
from support.hostile import MAKERS, MARK, PICTURES, POINTS
from support.programs import SECONDS, Program, faults_of

SUFFIX = ".safetensors"
NAMES = ("sevens-0.5", "ema_0.9999_100000", "\x1b[31mred", "a\nb", "[red]x", ":100:", "x" * 230,
         ".hid", "-x", "~", "é", "\udcff", "a b", "CON", "$HOME", "*")  # fmt: skip
SESSION = """\
version: 1
source: {{checkpoint: {path}, images: [{images}]}}
target: {{checkpoint: {path}}}
solver: {{steps: 2}}
"""
IMAGES = ("{dataset: moons, count: 4}", "{dataset: colored-mnist, digit: 5, count: 1}")
LISTED = "good"


def main() -> NoReturn:
    options, _ = read_options(__doc__, 1000)
    run_cases(options, prepare(Program(options.keep / ".home")))


def prepare(program: Program) -> Check:
    """What checks a case; loads what the commands load, with good checkpoints of both kinds."""
    session = program.home / "good.yaml"
    session.write_text(SESSION.format(path=PICTURES.stem, images=IMAGES[1]))
    program.warm(
        ["checkpoints", "list"],
        ["checkpoints", "show", PICTURES.stem],
        ["checkpoints", "import", str(POINTS), "--force"],
        ["replay", str(session), "--dry-run"],
    )
    for path in program.library.iterdir():
        path.unlink()
    return lambda case: check(program, case)


def check(program: Program, case: Case) -> Iterator[Fault]:
    os.chdir(case.folder)
    folder = case.folder / "checkpoints"
    folder.mkdir()
    shutil.copyfile(POINTS, folder / f"{LISTED}{SUFFIX}")
    path = folder / name(case.random)
    make = case.random.choice(MAKERS)
    make(case.random, path)
    COUNTS[make.__name__.replace("_", " ")] += 1

    listed = program.run("checkpoints", "list", "--checkpoints", str(folder))
    yield from faults_of(listed, allowed=(0,))
    if listed.code == 0 and LISTED not in listed.out.split():
        yield Fault("checkpoints list: leaves out a good one", str(listed))
    if listed.seconds > SECONDS:
        yield Fault("checkpoints list: takes more than 2 s of its own time", str(listed))

    yield from tried(program, "checkpoints", "show", str(path))

    imported = ("checkpoints", "import", str(path))
    yield from tried(program, *imported, *(() if path.suffix == SUFFIX else ("--name", "x")))
    yield from left_in(program.library)

    session = case.folder / "session.yaml"
    images = case.random.choice(IMAGES)
    quoted = json.dumps(os.fsencode(path).decode("utf-8", "replace"))
    session.write_text(SESSION.format(path=quoted, images=images), "utf-8")
    yield from tried(program, "replay", str(session), "--dry-run")

    if (case.folder / MARK).exists() or (folder / MARK).exists():
        yield Fault("CODE WAS EXECUTED", make.__name__)


def name(rng: random.Random) -> str:
    """What the file is called; some formats are recognised by what ends it, some have to be not."""
    stem = rng.choice(NAMES) if rng.random() < 0.25 else "bad"
    return stem + rng.choice((SUFFIX, SUFFIX, SUFFIX, ".pt", ".ckpt"))


def tried(program: Program, *arguments: str) -> Iterator[Fault]:
    """A command that does its work or refuses; a slow one has another chance."""
    ended = program.run(*arguments)
    if ended.seconds > SECONDS and not ended.hung:
        again = program.run(*arguments)
        ended = min(ended, again, key=lambda one: one.seconds)
    command = " ".join(word for word in arguments[:2] if word.isalpha())
    COUNTS[f"{command}: {ended.code}"] += 1
    yield from faults_of(ended)


def left_in(library: Path) -> Iterator[Fault]:
    """What an import leaves beside checkpoints; empties the library."""
    for path in list(library.iterdir()) if library.is_dir() else []:
        if path.name.startswith(".") or path.suffix != SUFFIX:
            yield Fault("checkpoints import: leaves an unfinished file", path.name)
        path.unlink()


if __name__ == "__main__":
    main()
