"""How exact each solver is, at which cost, on the shipped checkpoints.

    python tests/benchmarks/solvers.py

For 16 held-out fives and each solver and number of steps on the log grid: PSNR of the round trip
through the fives' own model; error of the latent (RMSE) and of the translation to sevens (PSNR)
against dpmpp_3m with 200 steps; evaluations and seconds each way, the median of three.
"""

import os
import platform
import statistics
import time

import torch

import ddib
from ddib.solvers import SOLVERS

STEPS = (10, 15, 20, 30, 50)
IMAGES = 16
FINE = ddib.Solver(name="dpmpp_3m", steps=200)


def main() -> None:
    fives, sevens = ddib.load("cmnist-fives"), ddib.load("cmnist-sevens")
    images = ddib.colored_mnist(digit=5, count=IMAGES)
    latent = ddib.encode(images, fives, FINE)
    result = ddib.decode(latent, sevens, FINE)
    cores = len(os.sched_getaffinity(0))
    print(f"{platform.machine()}, {cores} cores, {torch.get_num_threads()} threads, ", end="")
    print(f"Python {platform.python_version()}, torch {torch.__version__}, {IMAGES} images\n")
    print("| solver | steps | NFE each way | cycle | latent RMSE | translation | s each way |")
    print("|---|---|---|---|---|---|---|")
    for name, scheme in SOLVERS.items():
        for steps in STEPS:
            solver = ddib.Solver(name=name, steps=steps)
            seconds = []
            for _ in range(3):
                begun = time.perf_counter()
                found = ddib.encode(images, fives, solver)
                seconds.append(time.perf_counter() - begun)
            cycle = ddib.psnr(ddib.decode(found, fives, solver), images).mean()
            error = (found - latent).square().mean().sqrt()
            translation = ddib.psnr(ddib.decode(found, sevens, solver), result).mean()
            print(
                f"| {name} | {steps} | {steps * scheme.evaluations} | {cycle:.1f} dB | {error:.4f} "
                f"| {translation:.1f} dB | {statistics.median(seconds):.2f} |"
            )


if __name__ == "__main__":
    main()
