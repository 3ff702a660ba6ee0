"""A calibration measures which evaluation of a network is fastest here, within an error bound.

It is made once for a device, a version of torch, a number of threads and a checkpoint, and stored,
so that every later run makes the same choice. Reading a stored one loads no torch.
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
MARGIN = 1.05  # a later candidate has to be this much faster: timings vary by a few per cent
STEADY = 1.25  # float32's own times before and after may differ by this factor
HOPELESS = 4.0  # times slower than float32: a candidate is not measured at larger batches
BATCHES = {"cpu": (1, 4, 16), "cuda": (1, 4, 16, 64)}
IMAGES = 8  # that the checkpoint itself generates, to be encoded
SECONDS = 0.4  # spent on timing each candidate at each batch size


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Surroundings(_Frozen):
    """Where a measurement is valid: device, version of torch, threads, hash of the checkpoint."""

    device: str
    torch: str
    threads: int
    sha256: str


class Measurement(_Frozen):
    """The time and the error of one candidate.

    milliseconds: of an evaluation, by batch size. error: RMSE between its latents and float32's,
    encoding with the default solver. problem: why either is missing.
    """

    evaluation: Evaluation
    milliseconds: dict[int, float] = {}
    error: float | None = Field(None, ge=0)
    problem: str = ""


class Calibration(_Frozen):
    """The measurements of a checkpoint, in the order of `list_candidates`; float32 is first."""

    version: Literal[1] = 1
    checkpoint: str
    surroundings: Surroundings
    measurements: tuple[Measurement, ...] = Field(min_length=1)

    @property
    def choice(self) -> Evaluation:
        """The evaluation that `choose_fastest` returns for the measurements."""
        return choose_fastest(self.measurements)

    def speedup(self, one: Measurement) -> float | None:
        """Return the speed over float32's at the largest batch; None where it was not measured."""
        plain = self.measurements[0].milliseconds
        largest = max(plain)
        return plain[largest] / one.milliseconds[largest] if largest in one.milliseconds else None


def choose_fastest(measurements: Sequence[Measurement], bound: float = ERROR_BOUND) -> Evaluation:
    """Return the evaluation that is fastest at the largest batch, among those within the bound.

    Most of the work is done at the largest batch. A later one is chosen only where it is faster
    than an earlier one by the factor MARGIN.
    """
    best = measurements[0]
    for other in measurements[1:]:
        if other.problem or other.error is None or other.error > bound:
            continue
        batch = max(best.milliseconds)
        if other.milliseconds[batch] * MARGIN < best.milliseconds[batch]:
            best = other
    return best.evaluation


def list_candidates(device: str, compiled: bool = False) -> Iterator[Evaluation]:
    """List the evaluations to measure on a device: float32 first, compiled ones last."""
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
    """Measure every candidate, and store all measurements in `folder` at the end.

    It takes some twenty seconds on two cores, and with `compiled` a few minutes. Raises InputError
    as `load` does, and RunError, storing nothing, when other programs disturbed the timing.
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
    for evaluation in list_candidates(device, compiled):
        try:
            model = load(path, device, evaluation, folder / "compiled")
            times: dict[int, float] = {}
            for batch in batches:
                times[batch] = _time_evaluation(model, z[:batch], label)
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
    after = _time_evaluation(reference, z[: max(batches)], label)
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
    _write(_calibration_file(folder, found.surroundings), found)


def read_calibrations(folder: Path) -> list[Calibration]:
    """Read every calibration in a folder; damaged files are left out."""
    found = (_read(path) for path in sorted(folder.glob("*.json")))
    return [calibration for calibration in found if calibration is not None]


def choose_evaluation(
    path: Path, device: str, precision: Precision | Literal["auto"], folder: Path
) -> Evaluation:
    """Return the evaluation to load a checkpoint with: a precision, or for `auto` the fastest.

    `auto` uses the calibration stored in `folder`, and calibrates first where there is none,
    without compiling; where other programs disturb that, it is float32. Raises InputError as `load`
    does.
    """
    if precision != "auto":
        return Evaluation(precision=precision)
    found = find_calibration(path, device, folder)
    if found is not None:
        return found.choice
    try:
        return choose_fastest(list(calibrate(path, device, folder)))
    except RunError:
        return FLOAT32


def find_calibration(path: Path, device: str, folder: Path) -> Calibration | None:
    """Return the valid stored calibration of a checkpoint on a device, or None."""
    here = surroundings(path, device)
    found = _read(_calibration_file(folder, here))
    return found if found is not None and found.surroundings == here else None


def surroundings(path: Path, device: str) -> Surroundings:
    """Return the surroundings of a checkpoint on a device in this process."""
    import torch

    from ddib.bridge.cache import device_name

    return Surroundings(
        device=device_name(torch.device(device)),
        torch=torch.__version__,
        threads=torch.get_num_threads(),
        sha256=file_sha256(path),
    )


def _time_evaluation(model: Model, z: "Tensor", label: int | None) -> float:
    """Return the shortest time of one evaluation, in ms, among as many as fill SECONDS."""

    def evaluate() -> float:
        begun = time.perf_counter()
        model.denoiser(z, 1.0, label).flatten()[0].item()  # waits for a GPU to have finished
        return 1000 * (time.perf_counter() - begun)

    evaluate()  # the first call compiles, or chooses kernels
    times = [evaluate() for _ in range(3)]
    while sum(times) < 1000 * SECONDS:
        times.append(evaluate())
    return round(min(times), 3)


def _calibration_file(folder: Path, here: Surroundings) -> Path:
    key = json.dumps([here.device, here.torch, here.threads]).encode()
    return folder / f"{here.sha256[:16]}-{hashlib.sha256(key).hexdigest()[:8]}.json"


def _read(path: Path) -> Calibration | None:
    try:
        return Calibration.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return None


def _write(path: Path, calibration: Calibration) -> None:
    """Write a calibration atomically; where the folder cannot be written, it is measured again."""
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        with replaced(path) as temporary:
            temporary.write_text(calibration.model_dump_json(indent=1), "utf-8")
