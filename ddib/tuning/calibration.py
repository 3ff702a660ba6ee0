"""Which way of evaluating a network is fastest here, within a stated error: a short calibration.

Measured once for a device, a version of torch, a number of threads and a checkpoint, and stored,
so that the same choice is made in every later run. Reading what is stored needs no torch.
"""

import hashlib
import json
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ddib.checkpoints.files import file_sha256
from ddib.checkpoints.loading import load
from ddib.checkpoints.model import Model
from ddib.denoising.evaluation import FLOAT32, Evaluation, Precision
from ddib.errors import RunError
from ddib.files import replaced
from ddib.solvers.solver import Solver

if TYPE_CHECKING:
    from torch import Tensor

ERROR_BOUND = 0.005  # latent RMSE; a sixth of the default solver's own, 0.031, adds 1 % to it
MARGIN = 1.05  # a less plain evaluation has to be this much faster: timings vary by a few per cent
STEADY = 1.25  # float32's own times before and after may differ by this factor
HOPELESS = 4.0  # times slower than float32 at batch 1: not measured any further
BATCHES = {"cpu": (1, 4, 16), "cuda": (1, 4, 16, 64)}
IMAGES = 8  # sampled from the checkpoint itself, to be encoded
SECONDS = 0.4  # of timing, for each candidate and batch


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Surroundings(_Frozen):
    """What a measurement holds for."""

    device: str
    torch: str
    threads: int
    sha256: str


class Measurement(_Frozen):
    """One candidate: ms of an evaluation by batch size, and the latent RMSE that it adds to an
    encode with the default solver, against float32. `problem` says why either is missing.
    """

    evaluation: Evaluation
    milliseconds: dict[int, float] = {}
    error: float | None = Field(None, ge=0)
    problem: str = ""


class Calibration(_Frozen):
    """All that was measured, plainest first; the first is float32."""

    version: Literal[1] = 1
    checkpoint: str
    surroundings: Surroundings
    measurements: tuple[Measurement, ...] = Field(min_length=1)

    @property
    def choice(self) -> Evaluation:
        """See `fastest`."""
        return fastest(self.measurements)

    def speedup(self, one: Measurement) -> float | None:
        """How many times faster than float32 at the largest batch; None when not measured."""
        plain = self.measurements[0].milliseconds
        largest = max(plain)
        return plain[largest] / one.milliseconds[largest] if largest in one.milliseconds else None


def fastest(measurements: Sequence[Measurement], bound: float = ERROR_BOUND) -> Evaluation:
    """The fastest at the largest batch, where most of the work is done, of those within the bound.

    Of two that are within MARGIN of each other, the plainer, which comes earlier.
    """
    best = measurements[0]
    for other in measurements[1:]:
        if other.problem or other.error is None or other.error > bound:
            continue
        batch = max(best.milliseconds)
        if other.milliseconds[batch] * MARGIN < best.milliseconds[batch]:
            best = other
    return best.evaluation


def candidates(device: str, compiled: bool = False) -> Iterator[Evaluation]:
    """What may be tried on a device, plainest first."""
    yield FLOAT32
    yield Evaluation(channels_last=True)
    for precision in ("bf16", "fp16"):
        yield Evaluation.model_validate({"precision": precision})
        yield Evaluation.model_validate({"precision": precision, "channels_last": True})
    if compiled:
        yield Evaluation(compiled=True)
        yield Evaluation(precision="bf16", compiled=True)
        if device.startswith("cuda"):
            yield Evaluation(precision="fp16", channels_last=True, compiled=True)


def calibrate(
    path: Path, device: str, folder: Path, *, compiled: bool = False
) -> Iterator[Measurement]:
    """Measure every candidate, and store them all in `folder` at the end.

    Takes some twenty seconds on two cores, and with `compiled` a few minutes. Raises InputError
    as `load` does, and RunError, storing nothing, when other programs disturbed it.
    """
    import torch

    from ddib.bridge.bridge import decode, encode
    from ddib.measures.images import rmse
    from ddib.operations.tensors import standard_noise

    reference = load(path, device)
    facts = reference.facts
    label = facts.labels[0] if facts.class_conditional else None
    shape = (facts.channels, facts.image_size, facts.image_size)
    noise = torch.stack([standard_noise(0, place, shape) for place in range(IMAGES)]).to(device)
    solver = Solver()
    images = decode(noise, reference, solver, label)
    wanted = encode(images, reference, solver, label)
    batches = BATCHES.get(device.partition(":")[0], BATCHES["cpu"])
    z = noise.repeat(-(-max(batches) // IMAGES), 1, 1, 1)
    measured: list[Measurement] = []
    for evaluation in candidates(device, compiled):
        try:
            model = load(path, device, evaluation, folder / "compiled")
            times: dict[int, float] = {}
            for batch in batches:
                times[batch] = _milliseconds(model, z[:batch], label)
                if measured and times[batch] > HOPELESS * measured[0].milliseconds[batch]:
                    problem = "much slower than float32"
                    one = Measurement(evaluation=evaluation, milliseconds=times, problem=problem)
                    break
            else:
                error = rmse(encode(images, model, solver, label), wanted)
                one = Measurement(evaluation=evaluation, milliseconds=times, error=round(error, 6))
        except Exception as error:  # compilers and kernels that are missing fail in many ways
            if not measured:
                raise
            reason = str(error).strip().split("\n")[0][:200] or type(error).__name__
            one = Measurement(evaluation=evaluation, problem=reason)
        measured.append(one)
        yield one
    before = measured[0].milliseconds[max(batches)]
    after = _milliseconds(reference, z[: max(batches)], label)
    if not 1 / STEADY < after / before < STEADY:
        raise RunError(
            f"other programs disturbed the calibration of {path.stem}: an evaluation took "
            f"{before:.0f} ms and later {after:.0f} ms; repeat it when the machine is quiet"
        )
    found = Calibration(
        checkpoint=path.stem,
        surroundings=surroundings(path, device),
        measurements=tuple(measured),
    )
    _write(_place(folder, found.surroundings), found)


def stored(folder: Path) -> list[Calibration]:
    """Every calibration in a folder; damaged files are passed over."""
    found = (_read(path) for path in sorted(folder.glob("*.json")))
    return [calibration for calibration in found if calibration is not None]


def chosen(
    path: Path, device: str, precision: Precision | Literal["auto"], folder: Path
) -> Evaluation:
    """The evaluation to load a checkpoint with: what is asked for, or for `auto` the fastest.

    `auto` goes by the calibration stored in `folder`, and calibrates first when there is none,
    without compiling; when that is disturbed it is float32. Raises InputError as `load` does.
    """
    if precision != "auto":
        return Evaluation(precision=precision)
    found = find(path, device, folder)
    if found is not None:
        return found.choice
    try:
        return fastest(list(calibrate(path, device, folder)))
    except RunError:
        return FLOAT32


def find(path: Path, device: str, folder: Path) -> Calibration | None:
    """The stored calibration of a checkpoint on a device, if there is a sound one."""
    here = surroundings(path, device)
    found = _read(_place(folder, here))
    return found if found is not None and found.surroundings == here else None


def surroundings(path: Path, device: str) -> Surroundings:
    """Of a checkpoint on a device, with torch as it is set up in this process."""
    import torch

    from ddib.bridge.cache import device_name

    return Surroundings(
        device=device_name(torch.device(device)),
        torch=torch.__version__,
        threads=torch.get_num_threads(),
        sha256=file_sha256(path),
    )


def _milliseconds(model: Model, z: "Tensor", label: int | None) -> float:
    """The least of one evaluation, until SECONDS are spent: other programs only add to it."""

    def evaluate() -> float:
        begun = time.perf_counter()
        model.denoiser(z, 1.0, label).flatten()[0].item()  # waits for a GPU to have finished
        return 1000 * (time.perf_counter() - begun)

    evaluate()  # the first call compiles, or chooses kernels
    times = [evaluate() for _ in range(3)]
    while sum(times) < 1000 * SECONDS:
        times.append(evaluate())
    return round(min(times), 3)


def _place(folder: Path, here: Surroundings) -> Path:
    key = json.dumps([here.device, here.torch, here.threads]).encode()
    return folder / f"{here.sha256[:16]}-{hashlib.sha256(key).hexdigest()[:8]}.json"


def _read(path: Path) -> Calibration | None:
    try:
        return Calibration.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return None


def _write(path: Path, calibration: Calibration) -> None:
    """In one step; a folder that cannot be written only means measuring again."""
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        with replaced(path) as temporary:
            temporary.write_text(calibration.model_dump_json(indent=1), "utf-8")
