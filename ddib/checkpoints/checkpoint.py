"""Checkpoints: one safetensors file each, whose header says everything else.

The header is read without torch; the weights are loaded without executing code.
"""

import hashlib
import json
import os
import struct
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, overload

import numpy as np
from platformdirs import user_data_path
from pydantic import Base64Bytes, Field, ValidationError, model_validator

from ddib.data.pixels import POINT_CHANNELS
from ddib.denoising.evaluation import FLOAT32, Evaluation, prepare
from ddib.errors import InputError
from ddib.guides.guidance import Classifier
from ddib.networks.configurations import Architecture, ClassifierConfig, Frozen, ProbeConfig
from ddib.schedules.grids import Curve, Grid, make_grid
from ddib.schedules.noise_schedules import SCHEDULES, Sigmas, schedule_sigmas, sigmas_of_betas
from ddib.solvers.solver import Solver
from ddib.tuning.grid_fit import read_grid

if TYPE_CHECKING:
    from torch import Tensor

    from ddib.denoising.denoiser import Denoiser, Label
    from ddib.networks.probe import Probe

ZOO = Path(__file__).parents[1] / "zoo"
USER_CHECKPOINTS = user_data_path("ddib-workbench") / "checkpoints"
SUFFIX = ".safetensors"
HEADER_KEY = "ddib"
MAX_HEADER = 16 * 2**20  # bytes; a header that claims more is not ours
MAX_TIMESTEPS = 100_000
CUSTOM = "custom"  # the name of a schedule that is given by its betas

SAME_SCHEDULE = 1e-4  # of log σ: what float32 makes of a schedule's β, at most

Beta = Annotated[float, Field(gt=0, lt=1)]


class Schedule(Frozen):
    """A noise schedule by name, or by its own β, and its number of timesteps."""

    name: str = Field("linear", description="one of `ddib.schedules.grids.SCHEDULES`, or custom")
    steps: int = Field(1000, ge=2, le=MAX_TIMESTEPS)
    betas: tuple[Beta, ...] | None = Field(None, description="of a custom schedule's timesteps")
    rescale_timesteps: bool = Field(
        False, description="the network is told timesteps of a thousand, whatever their number"
    )

    @model_validator(mode="after")
    def _is_whole(self) -> "Schedule":
        if (self.name == CUSTOM) != (self.betas is not None):
            raise ValueError(f"betas belong to name: {CUSTOM}, and to no other")
        if self.betas is not None and len(self.betas) != self.steps:
            raise ValueError(f"{len(self.betas)} betas for {self.steps} timesteps")
        return self

    @classmethod
    def of_betas(cls, betas: Sequence[float]) -> "Schedule":
        """The schedule of these β, by its name where it has one; raises InputError where σ is
        not finite."""
        if not all(0 < beta < 1 for beta in betas):
            raise InputError(
                "its schedule has a β outside (0, 1): with zero terminal SNR (or none at the "
                "start) σ is not finite, and the ODE cannot begin there"
            )
        wanted = np.log(sigmas_of_betas(np.array(betas, np.float64)))
        for name, schedule in SCHEDULES.items():
            with np.errstate(divide="ignore", invalid="ignore"):
                off = np.abs(np.log(schedule(len(betas))) - wanted).max()
            if off < SAME_SCHEDULE:
                return cls(name=name, steps=len(betas))
        return cls(name=CUSTOM, steps=len(betas), betas=tuple(betas))

    @property
    def sigmas(self) -> Sigmas:
        """σ of each timestep, ascending, [steps]; raises InputError for an unknown name."""
        if self.betas is not None:
            return sigmas_of_betas(np.array(self.betas))
        return schedule_sigmas(self.name, self.steps)


class CheckpointFacts(Frozen):
    """Everything about a checkpoint but its weights.

    `labels` are the classes its domain holds: one for a model of sevens, ten for a
    class-conditional model of all digits. `picture` is the one whose colours are its domain, as
    PNG.
    """

    version: Literal[1] = 1
    kind: Literal["denoiser", "probe", "classifier"]
    domain: str
    labels: tuple[int, ...] = ()
    class_conditional: bool = False
    image_size: int = Field(ge=1)
    channels: int = Field(ge=1)
    architecture: Annotated[Architecture, Field(discriminator="kind")]
    schedule: Schedule = Schedule()
    parameterisation: Literal["epsilon", "v", "x0"] = "v"
    parameters: int = Field(ge=0)
    data: dict[str, Any] = Field({})
    training: dict[str, Any] = Field({})
    versions: dict[str, str] = Field({})
    thumbnail: Base64Bytes | None = None
    picture: Base64Bytes | None = None

    @overload
    def check_label(self, label: int | None, key: str = "label") -> int | None: ...

    @overload
    def check_label(self, label: "Label", key: str = "label") -> "Label": ...

    def check_label(self, label: "Label", key: str = "label") -> "Label":
        """The label to condition on; raises InputError, naming `key`, when there is no such one.

        A model of one domain takes none, but may be given the label that its domain has. Of labels
        for each image that are all the same, one is left.
        """
        if isinstance(label, tuple):
            each = [self.check_label(one, key) for one in label]
            return label if len(set(each)) > 1 else each[0]
        if label is not None and label not in self.labels:
            known = ", ".join(map(str, self.labels)) or "none"
            what = "classifier" if self.kind == "classifier" else "model"
            raise InputError(f"no label {label} in a {what} of {self.domain}; it has {known}", key)
        return label if self.class_conditional else None

    @property
    def learnt_unconditional(self) -> bool:
        """Whether a class-conditional model was trained without its label too, now and then."""
        return self.class_conditional and self.training.get("label_dropout", 0) > 0

    @property
    def of_points(self) -> bool:
        """Whether its images are clouds of points of the plane."""
        return self.channels == POINT_CHANNELS

    @property
    def shape(self) -> str:
        """Of its images, such as 32×32×3, or that they are points of 2 coordinates."""
        if self.of_points:
            return f"points of {self.channels} coordinates"
        return f"{self.image_size}×{self.image_size}×{self.channels}"

    def wanted_label(self, label: "Label") -> "Label":
        """The class that pictures should be of: `label`, or the domain's only one."""
        return self.labels[0] if label is None and len(self.labels) == 1 else label


@dataclass(frozen=True)
class Model:
    """A loaded checkpoint of a denoiser: `denoise(z, σ, label) -> D` and its facts."""

    name: str
    path: Path
    facts: CheckpointFacts
    sha256: str
    denoiser: "Denoiser"
    evaluation: Evaluation = FLOAT32

    @cached_property
    def sigmas(self) -> Any:
        """σ of each timestep of its schedule, ascending, float64 [steps]."""
        return self.facts.schedule.sigmas

    @cached_property
    def curve(self) -> Curve:
        """What was fitted for the adapted grid; raises InputError when nothing was."""
        return read_grid(self.path, self.sha256).curve

    def grid(self, solver: Solver) -> Grid:
        """The σ values that a solver setting visits; raises InputError where it cannot be had.

        `steps: auto` has to be resolved before: `ddib.tuning.auto_steps.fewest_steps`.
        """
        if solver.steps == "auto":
            raise ValueError("steps: auto is not resolved")
        curve = self.curve if solver.grid == "adapted" else None
        return make_grid(solver.grid, self.sigmas, solver.steps, solver.start_noise, curve)


def read_facts(path: Path) -> CheckpointFacts:
    """The facts in a checkpoint's header, a few kilobytes, without torch.

    Raises InputError for a file that is not there, cut off, or not a workbench checkpoint.
    """
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            prefix = file.read(8)
            length = struct.unpack("<Q", prefix)[0] if len(prefix) == 8 else 0
            if not 2 <= length <= min(MAX_HEADER, size - 8):
                raise InputError(
                    f"{path}: not a safetensors file, or cut off in its header; `ddib-workbench "
                    "checkpoints import` turns other programs' weights into a checkpoint"
                )
            header = json.loads(file.read(length))
        ends = [
            entry["data_offsets"][1] for name, entry in header.items() if name != "__metadata__"
        ]
        missing = 8 + length + max(ends, default=0) - size
        facts = header["__metadata__"][HEADER_KEY]
    except FileNotFoundError:
        raise InputError(f"{path}: no such checkpoint") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error
    except InputError:
        raise
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError):
        raise InputError(
            f"{path}: a safetensors file without the workbench's facts in its header; "
            "`ddib-workbench checkpoints import` turns other programs' weights into a checkpoint"
        ) from None
    if missing > 0:
        raise InputError(f"{path}: cut off: {missing:,} bytes are missing; copy the file again")
    try:
        return CheckpointFacts.model_validate_json(facts)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"]))
        raise InputError(f"{path}: bad facts in its header: {key}: {first['msg']}") from None


def has_facts(path: Path) -> bool:
    """Whether a file says that it is a workbench checkpoint, be it damaged; reads no weights."""
    with suppress(OSError, ValueError, struct.error), path.open("rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        if length <= MAX_HEADER:
            header = json.loads(file.read(length))
            return isinstance(header, dict) and HEADER_KEY in (header.get("__metadata__") or {})
    return False


def resolve(name_or_path: str | Path) -> Path:
    """The file of a checkpoint by path, or by name in the zoo or the user's data folder.

    Raises InputError when there is none.
    """
    candidates = [
        Path(name_or_path).expanduser(),
        *(folder / f"{name_or_path}{SUFFIX}" for folder in (USER_CHECKPOINTS, ZOO)),
    ]
    for path in candidates:
        if path.is_file():
            return path
    raise InputError(f"no checkpoint {str(name_or_path)!r}: neither a file nor a name in the zoo")


def load(
    name_or_path: str | Path,
    device: str = "cpu",
    evaluation: Evaluation = FLOAT32,
    compiled_folder: Path | None = None,
) -> Model:
    """A denoiser's checkpoint, ready to use on a device.

    `compiled_folder`: where compiled code is kept between programs, for a compiled evaluation.
    Raises InputError for a file that is missing, damaged, or no denoiser's.
    """
    from ddib.denoising.denoiser import Denoiser

    path = resolve(name_or_path)
    facts = read_facts(path)
    if isinstance(facts.architecture, ProbeConfig | ClassifierConfig):
        raise InputError(f"{path}: a {facts.kind}, not a denoiser")
    network = _network(facts.architecture, path, device)
    prepare(network, evaluation, device, compiled_folder)
    scale = 1000 / facts.schedule.steps if facts.schedule.rescale_timesteps else 1.0
    denoiser = Denoiser(network, facts.schedule.sigmas, facts.parameterisation, scale)
    return Model(path.stem, path, facts, file_sha256(path), denoiser, evaluation)


def load_probe(name_or_path: str | Path, device: str = "cpu") -> "Probe":
    """The checkpoint of a probe, ready to use; raises InputError as `load` does."""
    path = resolve(name_or_path)
    facts = read_facts(path)
    if not isinstance(facts.architecture, ProbeConfig):
        raise InputError(f"{path}: a {facts.kind}, not a probe")
    probe: Probe = _network(facts.architecture, path, device)
    return probe


def load_classifier(name_or_path: str | Path, device: str = "cpu") -> Classifier:
    """A classifier of noisy images, ready to guide, loaded once for as long as its file stays the
    same; raises InputError as `load` does."""
    path = resolve(name_or_path)
    return _loaded_classifier(path, path.stat().st_mtime_ns, device)


@lru_cache(maxsize=8)
def _loaded_classifier(path: Path, modified: int, device: str) -> Classifier:
    facts = read_facts(path)
    if not isinstance(facts.architecture, ClassifierConfig):
        raise InputError(f"{path}: a {facts.kind}, not a classifier of noisy images")
    return Classifier(facts, file_sha256(path), _network(facts.architecture, path, device))


def write_checkpoint(
    path: Path, state: Mapping[str, "Tensor"], facts: CheckpointFacts, half: bool = True
) -> None:
    """Weights (in float16 when `half`) and facts as one file, written whole or not at all."""
    import torch
    from safetensors.torch import save_file

    dtype = torch.float16 if half else torch.float32
    tensors = {name: t.detach().to("cpu", dtype).contiguous() for name, t in state.items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.partial")
    save_file(tensors, temporary, metadata={HEADER_KEY: facts.model_dump_json()})
    temporary.chmod(0o644)  # safetensors writes for the owner alone
    temporary.replace(path)


def file_sha256(path: Path) -> str:
    """Hex digest of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_tensors(path: Path) -> dict[str, "Tensor"]:
    """Names and tensors of a safetensors file; raises InputError when it is damaged."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(path)
    except (SafetensorError, OSError) as error:
        raise InputError(f"{path}: damaged: {error}") from error


def assemble(architecture: Architecture, state: Mapping[str, "Tensor"]) -> Any:
    """The network of an architecture with copies of weights in float32, and nothing else.

    Raises InputError when they do not fit.
    """
    import torch

    with torch.device("meta"):
        network = architecture.network()
    copied = {name: tensor.to(torch.float32, copy=True) for name, tensor in state.items()}
    try:
        network.load_state_dict(copied, assign=True)
    except RuntimeError as error:
        reason = str(error).split("\n")[1].strip() if "\n" in str(error) else str(error)
        raise InputError(f"its weights do not fit the architecture: {reason}") from error
    return network.eval().requires_grad_(False)


def _network(architecture: Architecture, path: Path, device: str) -> Any:
    state = read_tensors(path)
    try:
        network = assemble(architecture, state)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    if not all(bool(tensor.isfinite().all()) for tensor in state.values()):
        raise InputError(f"{path}: damaged: its weights hold NaN or infinite values")
    return network.to(device)
