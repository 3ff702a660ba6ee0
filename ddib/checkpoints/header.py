"""A checkpoint's header holds the facts about it, and is read without its weights and torch."""

import json
import os
import struct
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any, Literal, overload

from pydantic import Base64Bytes, Field, ValidationError

from ddib.checkpoints.schedule import Schedule
from ddib.data.pixels import POINT_CHANNELS
from ddib.denoising.label import Label
from ddib.denoising.preconditionings import PreconditioningName
from ddib.errors import InputError
from ddib.networks.configurations import Architecture, Frozen

HEADER_KEY = "ddib"
MAX_HEADER = 16 * 2**20  # bytes; a header that claims more is not ours


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
    parameterisation: PreconditioningName = "v"
    parameters: int = Field(ge=0)
    data: dict[str, Any] = Field({})
    training: dict[str, Any] = Field({})
    versions: dict[str, str] = Field({})
    thumbnail: Base64Bytes | None = None
    picture: Base64Bytes | None = None

    @overload
    def check_label(self, label: int | None, key: str = "label") -> int | None: ...

    @overload
    def check_label(self, label: Label, key: str = "label") -> Label: ...

    def check_label(self, label: Label, key: str = "label") -> Label:
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

    def wanted_label(self, label: Label) -> Label:
        """The class that pictures should be of: `label`, or the domain's only one."""
        return self.labels[0] if label is None and len(self.labels) == 1 else label


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
