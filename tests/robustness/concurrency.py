"""Programs share a run store and a cache: python tests/robustness/concurrency.py --count 50.

A case starts at once some of: `replay` of the same session into the same folder and into the store,
`runs list`, `cache clear`, `cache list`, `train` of one name, `checkpoints import` of one name and
`checkpoints list`. None ends with a traceback, no run is lost, every run has the same bytes, and
nothing is torn or left hidden.
"""

import random
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

from support.files import hidden, same_bytes, torn
from support.harness import COUNTS, Case, Check, Fault, read_options, run_cases
from support.hostile import POINTS
from support.programs import Program, faults_of

AT_ONCE = (3, 6)  # programs
SESSION = """\
version: 1
source:
  checkpoint: cmnist-fives
  images: [{dataset: colored-mnist, digit: 5, count: 20}]
target: {checkpoint: cmnist-sevens}
solver: {steps: 1}
"""
TRAINING = ("--dataset", "moons", "--steps", "20", "--batch", "16")
Words = tuple[str, ...]


def main() -> NoReturn:
    options, _ = read_options(__doc__, 50)
    run_cases(options, prepare(Program(options.keep / ".home")))


def prepare(program: Program) -> Check:
    """What checks a case, with two runs that nothing disturbed."""
    session = program.home / "shared.yaml"
    session.write_text(SESSION)
    alone = program.home / "alone"
    replay = ("replay", str(session), "--out")
    program.warm(
        (*replay, str(alone / "1")), ("cache", "clear"), (*replay, str(alone / "2")),
        ("train", "--name", "warm", "--out", str(alone), *TRAINING),
        ("checkpoints", "import", str(POINTS)),
    )  # fmt: skip
    undisturbed = alone / "1" / session.stem, alone / "2" / session.stem
    return lambda case: check(program, case, session, undisturbed)


def check(
    program: Program, case: Case, session: Path, undisturbed: tuple[Path, Path]
) -> Iterator[Fault]:
    for folder in (program.cache, program.library, program.library.with_name("runs")):
        shutil.rmtree(folder, ignore_errors=True)
    out = case.folder / "out"
    chosen = commands(case.random, session, out)
    started = [program.start(*words, fresh=case.number % 10 == 9) for words in chosen]
    runs = 0
    for running in started:
        ended = running.wait()
        command = " ".join(word for word in ended.arguments[:2] if "/" not in word)
        COUNTS[f"{command}: {ended.code}"] += 1
        runs += ended.arguments[0] == "replay" and ended.code == 0
        yield from faults_of(ended, allowed(ended.arguments), bounded=False)
    store = program.library.with_name("runs")
    found = [run for place in (out, store) for run in sorted(place.glob("[!.]*/"))]
    if len(found) != runs:
        yield Fault("programs lose a run of each other", f"{runs} ended well, there are {found}")
    for run in found:
        for name in same_bytes(run, *undisturbed):
            yield Fault("a run beside others has other bytes", f"{run.name}: {name}")
    for place in (out, store, program.library, case.folder / "trained"):
        for problem in torn(place) if place in (out, store) else ():
            yield Fault("programs leave what is torn", problem)
        if left := hidden(place):
            yield Fault("programs leave hidden files", "\n".join(left))


def commands(rng: random.Random, session: Path, out: Path) -> list[Words]:
    """Some commands, two of them replays at least."""
    replays: list[Words] = [
        ("replay", str(session), "--out", str(out)),
        ("replay", str(session)),
    ]
    others: list[Words] = [
        *replays,
        ("replay", str(session), "--out", str(out), "--no-cache"),
        ("runs", "list"),
        ("cache", "clear"),
        ("cache", "list"),
        ("cache", "size"),
        ("checkpoints", "list"),
        ("checkpoints", "import", str(POINTS)),
        ("checkpoints", "import", str(POINTS), "--force"),
        ("train", "--name", "shared", "--out", str(out.with_name("trained")), *TRAINING),
    ]
    return [
        rng.choice(replays),
        rng.choice(replays),
        *rng.choices(others, k=rng.randint(*AT_ONCE) - 2),
    ]


def allowed(arguments: Words) -> tuple[int, ...]:
    """A name that another has taken meanwhile may be refused."""
    taken = arguments[0] == "train" or arguments[:2] == ("checkpoints", "import")
    return (0, 2) if taken else (0,)


if __name__ == "__main__":
    main()
