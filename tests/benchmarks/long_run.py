"""Peak memory of long runs, and what ten kills leave of one: python tests/benchmarks/long_run.py.

`--images N` sessions of two solver steps, compared with a tenth of that. The kills are SIGKILL at
random moments; the run is taken up again each time and compared with the undisturbed one.
"""

import argparse
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from workbench.runs.comparison import compare_runs

SESSION = """\
version: 1
source:
  checkpoint: cmnist-fives
  images: [{{dataset: colored-mnist, digit: 5, count: {count}, repeat: true}}]
target: {{checkpoint: cmnist-sevens}}
solver: {{name: unipc, grid: adapted, steps: 2, start_noise: 0.03}}
recipe: {{latent: [{{op: blend, proportion: 0.05}}]}}
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=10_000)
    parser.add_argument("--kills", type=int, default=10)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        took = 0.0
        for count in (options.images // 10, options.images):
            begun = time.monotonic()
            subprocess.run(command(folder, count, "undisturbed"), check=True, stdout=sys.stderr)
            took = time.monotonic() - begun
            peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
            print(f"{count} images: {took:.0f} s, peak {peak:.0f} MiB", flush=True)
        kills = 0
        while kills < options.kills:
            process = subprocess.Popen(
                command(folder, options.images, "killed"), stderr=subprocess.DEVNULL
            )
            try:
                process.wait(random.uniform(0, 2 * took / options.kills))
                break  # it was done before its time
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                kills += 1
        subprocess.run(command(folder, options.images, "killed"), check=True, stdout=sys.stderr)
        name = str(options.images)
        found = compare_runs(folder / "undisturbed" / name, folder / "killed" / name)
        print(f"killed {kills} times: {'the same bytes' if found.same_bytes else found}")


def command(folder: Path, count: int, out: str) -> list[str]:
    session = folder / f"{count}.yaml"
    session.write_text(SESSION.format(count=count))
    program = [sys.executable, "-m", "workbench", "replay", str(session)]
    return [*program, "--no-cache", "--out", str(folder / out)]


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", str(os.cpu_count() or 1))
    main()
