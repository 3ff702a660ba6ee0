"""The manifest: what a run directory says about itself, and reading it."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ddib.errors import InputError
from workbench.runs.files import MANIFEST
from workbench.support.files import why

VERSION = 1

Status = Literal["done", "failed", "cancelled"]


class Record(BaseModel):
    """A part of a file in a run directory; it holds these keys and no others."""

    model_config = ConfigDict(extra="forbid", ser_json_inf_nan="strings")


class CheckpointUsed(Record):
    """A checkpoint as it was when it ran."""

    name: str
    path: str
    sha256: str
    evaluation: str = "float32"  # precision, memory format, compiled


class InputUsed(Record):
    """A source image as it was when it ran; its sha256 is that of its 8-bit pixels."""

    name: str
    sha256: str


class IntermediateResult(Record):
    """What an end of a chain decoded before it encoded it again; figures of both."""

    end: int  # 1 is the target
    title: str  # the checkpoint, and its label
    metrics: dict[str, float] = {}
    per_image: dict[str, list[float | None]] = {}
    images: list[str] = []  # file names under images/


class OperationUsed(Record):
    """An operation or another part that is not ddib's own, as it was when it ran."""

    source: str  # a file's name, or a package and its version
    sha256: str  # of the file that defines it


class VariantResult(Record):
    """One combination of sweep values and what came of it.

    Of a chain that was stopped on its way there are intermediate results only.
    """

    values: dict[str, Any] = {}
    label: str = ""
    cycle: Literal["exact", "free"] = "free"  # what the solver promises of its way back
    metrics: dict[str, float] = {}
    per_image: dict[str, list[float | None]] = {}
    images: list[str] = []  # file names under images/
    intermediates: list[IntermediateResult] = []

    @property
    def furthest(self) -> list[str]:
        """The pictures of the last end that was reached."""
        return self.images or (self.intermediates[-1].images if self.intermediates else [])


class Manifest(Record):
    """What a run directory says about itself."""

    version: Literal[1] = 1
    session: str  # its name: the file's stem
    title: str = ""
    status: Status
    error: str | None = None
    created: datetime = Field(default_factory=lambda: datetime.now(UTC).replace(microsecond=0))
    device: str
    device_name: str = ""
    dtype: str = "float32"
    threads: int
    chunk_size: int
    versions: dict[str, str] = {}  # of Python, torch, this package, …
    checkpoints: dict[str, CheckpointUsed] = {}  # by role: source, target or target.0, chain.0
    operations: dict[str, OperationUsed] = {}  # and other parts, those that are not ddib's own
    inputs: list[InputUsed] = []
    nfe: dict[str, int] = {}  # encode, decode
    seconds: dict[str, float] = {}  # load, encode, decode, total
    cache: dict[str, Literal["hit", "miss"]] = {}
    variants: list[VariantResult] = []
    notes: list[str] = []


def read_manifest(run: Path) -> Manifest:
    """What a run directory says about itself; raises InputError."""
    path = run / MANIFEST
    try:
        content = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        raise InputError(f"{run}: not a run directory: it has no {MANIFEST}") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {why(error)}") from None
    try:
        return Manifest.model_validate_json(content)
    except ValidationError as error:
        version = next((e["input"] for e in error.errors() if e["loc"] == ("version",)), None)
        if isinstance(version, int) and version > VERSION:
            raise InputError(
                f"{path}: its version {version} is newer than this program, "
                f"which reads {VERSION}; update the program"
            ) from None
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"]))
        raise InputError(f"{path}: damaged: {key + ': ' if key else ''}{first['msg']}") from None
