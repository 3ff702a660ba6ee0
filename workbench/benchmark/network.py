"""The network's forward pass beside a plain matrix product of the same precision."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from statistics import median

import torch
from torch.utils.flop_counter import FlopCounterMode

import ddib
from ddib.denoising.evaluation import Evaluation
from workbench.benchmark.report import Column
from workbench.benchmark.subject import SOURCE, Subject
from workbench.benchmark.timing import Clock, Work, seconds

PRECISIONS = {"float32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
LAYOUTS = (False, True)  # channels last
SHORT, FULL = (1, 4, 16), (1, 2, 4, 8, 16, 32, 64)  # images at once
PRODUCT = 2048  # rows and columns of the matrices
SIGMA = 1.0
_PROBE, _USELESS = 512, 5.0  # rows; GFLOP/s
_WARM_UP = 2


@dataclass(frozen=True)
class Speed:
    """An evaluation of `batch` images, and what a matrix product reaches.

    `difference` is the RMSE of D(z, σ = 1) against the plain float32 network's.
    """

    evaluation: str
    batch: int
    milliseconds: float
    gflops: float
    product_gflops: float
    share: float
    difference: float


COLUMNS = (
    Column("evaluation", "evaluation"),
    Column("batch", "batch", "d"),
    Column("milliseconds", "ms", ".1f"),
    Column("gflops", "GFLOP/s", ".0f"),
    Column("product_gflops", "matrix product", ".0f"),
    Column("share", "share", ".0%"),
    Column("difference", "D, RMSE", ".1e"),
)


def measure(
    subject: Subject, precision: str, batches: Sequence[int], repeats: int
) -> Iterator[Speed]:
    """Each memory format and batch in a precision.

    Raises RuntimeError where the device lacks the precision, or is too slow in it.
    """
    device, plain = subject.images.device, subject.source.denoiser
    product = product_speed(PRECISIONS[precision], device, repeats, subject.clock)
    for last in LAYOUTS:
        evaluation = Evaluation.model_validate({"precision": precision, "channels_last": last})
        denoiser = ddib.load(SOURCE, str(device), evaluation).denoiser
        for batch in batches:
            images = subject.images[torch.arange(batch) % len(subject.images)]
            difference = denoiser(images, SIGMA) - plain(images, SIGMA)
            work = partial(denoiser, images, SIGMA)
            taken = _median(work, repeats, subject.clock)
            speed = operations(partial(plain, images, SIGMA)) / taken / 1e9
            yield Speed(
                evaluation=str(evaluation),
                batch=batch,
                milliseconds=1e3 * taken,
                gflops=speed,
                product_gflops=product,
                share=speed / product,
                difference=float(difference.square().mean().sqrt()),
            )


def operations(work: Work) -> int:
    """Floating-point operations of convolutions and products (a multiply-add is two)."""
    with torch.inference_mode(), FlopCounterMode(display=False) as counter:
        work()
    return int(counter.get_total_flops())


def product_speed(dtype: torch.dtype, device: torch.device, repeats: int, clock: Clock) -> float:
    """GFLOP/s of a product of two square matrices.

    Raises RuntimeError where the device computes in this precision so slowly that the network
    is not worth the wait (fp16 on many processors).
    """

    def speed(rows: int) -> float:
        left, right = (torch.randn(rows, rows, device=device).to(dtype) for _ in range(2))
        return 2 * rows**3 / _median(lambda: left @ right, repeats, clock) / 1e9

    if (probed := speed(_PROBE)) < _USELESS:
        raise RuntimeError(f"a matrix product of {_PROBE} rows runs at {probed:.1f} GFLOP/s")
    return speed(PRODUCT)


def _median(work: Work, repeats: int, clock: Clock) -> float:
    for _ in range(_WARM_UP):
        work()
    return median(seconds(work, clock) for _ in range(repeats))
