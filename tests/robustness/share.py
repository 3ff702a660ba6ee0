"""A few cases of every command: python tests/robustness/share.py files, or disturbances.

What CI runs. All share a process, for most of the time of so few cases is loading the program.
"""

import argparse
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import checkpoints
import concurrency
import disks
import kills
import pictures
import sessions
from support.harness import Check, Options, Tally, try_cases
from support.programs import Program

Prepare = Callable[[Program], Check]
SHARES: dict[str, tuple[tuple[str, Prepare, int], ...]] = {
    "files": (
        ("sessions", sessions.prepare, 100),
        ("checkpoints", checkpoints.prepare, 12),
        ("pictures", pictures.prepare, 12),
    ),
    "disturbances": (
        ("kills", kills.prepare, 3),
        ("disks", disks.prepare, 5),
        ("concurrency", concurrency.prepare, 1),
    ),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("share", choices=SHARES)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    failed = False
    with tempfile.TemporaryDirectory() as temporary:
        program = Program(Path(temporary) / "home")
        for command, prepare, count in SHARES[given.share]:
            tally = Tally(command, given.seed)
            keep = Path(temporary) / command
            options = Options(count, given.seed, None, None, keep, 600)
            try_cases(options, prepare(program), tally, at_once=count if count > 20 else 1)
            print(tally.report())
            for fault in sorted(keep.glob("*/fault.txt")):
                print(fault.read_text()[-2000:])
            failed = failed or bool(tally.failed)
    sys.exit(failed)


if __name__ == "__main__":
    main()
