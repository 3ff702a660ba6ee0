"""A long sitting with the screen and its engine: python tests/robustness/soak.py --minutes 60.

The screen runs on a pseudo-terminal with a real engine. Run after run is started by `r`, most after
a change of a value; now and then the history, the viewer, the inspector and the palette are opened.
The memory of the screen and of the engine is printed, and how much each run adds; more than
`--most` MB a run of the screen's process is a failure, as is a key that is not answered.
"""

import argparse
import platform
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import NoReturn

from support.harness import Fault, versions
from support.programs import Program
from support.screen import Screen

SESSION = """\
version: 1
source:
  checkpoint: cmnist-fives
  images: [{dataset: colored-mnist, digit: 5, count: 4}]
target: {checkpoint: cmnist-sevens}
solver: {steps: 1}
recipe: {latent: [{op: scale, factor: 1.0}]}
"""
SETTLED = 20  # runs until caches are as full as they get
ESCAPE, UP, END = "\x1b", "\x1b[A", "\x1b[F"
LOOKS = ("h", "v", "i", "?", "a", "Q")  # screens that are opened and left


def main() -> NoReturn:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--runs", type=int, default=10_000, help="at most (%(default)s)")
    parser.add_argument("--most", type=float, default=0.1, help="MB a run (%(default)s)")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        program = Program(Path(temporary) / "home")
        faults = list(sit(program, Path(temporary), options))
    for fault in faults:
        print(f"  {fault.kind}\n{fault.detail}")
    print(f"{platform.platform()}, Python {platform.python_version()}, {versions()}")
    sys.exit(bool(faults))


def sit(program: Program, folder: Path, options: argparse.Namespace) -> Iterator[Fault]:
    rng, ends = random.Random(options.seed), time.monotonic() + options.minutes * 60
    (folder / "soak.yaml").write_text(SESSION)
    held: list[tuple[float, float]] = []
    with Screen(program, "soak.yaml", folder=folder) as screen:
        try:
            screen.until("cpu")  # the engine has said on what it runs
            for run in count(1):
                one_run(screen, rng, run)
                held.append(screen.memory())
                if run % 10 == 0:
                    print(
                        f"{run} runs: screen {held[-1][0]:.1f} MB, engine {held[-1][1]:.1f} MB",
                        flush=True,
                    )
                if run >= options.runs or time.monotonic() > ends:
                    break
            yield from screen.leave()
        except TimeoutError as error:
            yield Fault(f"no answer in run {len(held) + 1}", str(error))
    grown = growth([screen for screen, _ in held])
    print(f"{len(held)} runs; a run adds {grown:.3f} MB to the screen's process, "
          f"{growth([engine for _, engine in held]):.3f} MB to the engine's")  # fmt: skip
    if grown > options.most:
        yield Fault(f"the screen's process grows by more than {options.most} MB a run")


def one_run(screen: Screen, rng: random.Random, run: int) -> None:
    """A run from its key to its end, and what one looks at before."""
    if run > 1 and rng.random() < 0.2:
        screen.press(rng.choice(LOOKS))
        screen.quiet(10)
        screen.press(ESCAPE)
        screen.quiet(10)
    if run == 1:
        for key in ("4", END, UP):  # to the recipe's only operation
            screen.press(key)
            screen.quiet(10)
    if rng.random() < 0.8:
        for key in ("e", UP, ESCAPE):  # into its form, a step more, and out
            screen.press(key)
            screen.quiet(10, still=0.2)
    screen.press("r")
    screen.until("done in", patience=120)


def growth(held: list[float]) -> float:
    """MB that each run adds, by the line through the runs after the first ones."""
    later = held[min(SETTLED, len(held) // 2) :]
    return statistics.linear_regression(range(len(later)), later).slope if len(later) > 2 else 0.0


if __name__ == "__main__":
    main()
