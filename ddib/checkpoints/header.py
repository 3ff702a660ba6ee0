"""A checkpoint's header holds the facts about it, and is read without its weights and torch."""

from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any, Literal, Self, overload

from pydantic import Base64Bytes, Field, ValidationError, model_validator

from ddib.checkpoints.safetensors_header import IMPORT, check_tensors, read_tensor_layout
from ddib.checkpoints.schedule import Schedule
from ddib.data.pixels import POINT_CHANNELS
from ddib.denoising.label import Label
from ddib.denoising.preconditionings import PreconditioningName
from ddib.errors import InputError, first_problem
from ddib.networks.configurations import (
    MAX_CLASSES,
    MAX_PLANES,
    Architecture,
    Frozen,
    classes_of,
)

HEADER_KEY = "ddib"
MAX_EDGE = 4096  # pixels of an image
MAX_PARAMETERS = 10**12
_JUDGES = ("probe", "classifier")  # kinds whose `architecture.kind` has the same name


class CheckpointFacts(Frozen):
    """Everything about a checkpoint but its weights.

    `labels` are the classes its domain holds: one for a model of sevens, ten for a
    class-conditional model of all digits. `picture` is the one whose colours are its domain, as
    PNG.
    """

    version: Literal[1] = 1
    kind: Literal["denoiser", "probe", "classifier"]
    domain: str
    labels: tuple[Annotated[int, Field(ge=0, lt=MAX_CLASSES)], ...] = Field(
        (), max_length=MAX_CLASSES
    )
    class_conditional: bool = False
    image_size: int = Field(ge=1, le=MAX_EDGE)
    channels: int = Field(ge=1, le=MAX_PLANES)
    architecture: Annotated[Architecture, Field(discriminator="kind")]
    schedule: Schedule = Schedule()
    parameterisation: PreconditioningName = "v"
    parameters: int = Field(ge=0, le=MAX_PARAMETERS)
    data: dict[str, Any] = Field({})
    training: dict[str, Any] = Field({})
    versions: dict[str, str] = Field({})
    thumbnail: Base64Bytes | None = None
    picture: Base64Bytes | None = None

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Self:
        reads = self.architecture.kind if self.architecture.kind in _JUDGES else "denoiser"
        if self.kind != reads:
            raise ValueError(f"a {self.kind} whose architecture is {self.architecture.kind}")
        classes = classes_of(self.architecture)
        if self.class_conditional and classes is None:
            raise ValueError("class-conditional, with an architecture that takes no classes")
        if classes is not None and self.labels and max(self.labels) >= classes:
            raise ValueError(f"label {max(self.labels)} of a network of {classes} classes")
        return self

    @overload
    def check_label(self, label: int | None, key: str = "label") -> int | None: ...

    @overload
    def check_label(self, label: Label, key: str = "label") -> Label: ...

    def check_label(self, label: Label, key: str = "label") -> Label:
        """The label to condition on; raises InputError, naming `key`, when there is no such one.

        A model of one domain takes none, but may be given the label that its domain has. One that
        was never trained without its label has to be given one. Of labels for each image that are
        all the same, one is left.
        """
        if isinstance(label, tuple):
            each = [self.check_label(one, key) for one in label]
            return label if len(set(each)) > 1 else each[0]
        if label is not None and label not in self.labels:
            known = ", ".join(map(str, self.labels)) or "none"
            what = "classifier" if self.kind == "classifier" else "model"
            raise InputError(f"no label {label} in a {what} of {self.domain}; it has {known}", key)
        if label is None and self.class_conditional and not self.trained_with_label_dropout:
            known = ", ".join(map(str, self.labels))
            raise InputError(
                f"the model of {self.domain} was trained with labels only, or its header does not "
                f"say; give a label, one of {known}",
                key,
            )
        return label if self.class_conditional else None

    @property
    def trained_with_label_dropout(self) -> bool:
        """Whether a class-conditional model was also trained without labels (label dropout)."""
        dropout = self.training.get("label_dropout", 0)
        return self.class_conditional and isinstance(dropout, int | float) and dropout > 0

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

    Raises InputError for a file that is not there, cut off, or not a workbench checkpoint, or that
    says what cannot be.
    """
    layout = read_tensor_layout(path)
    if HEADER_KEY not in layout.metadata:
        raise InputError(
            f"{path}: a safetensors file without the workbench's facts in its header; {IMPORT}"
        )
    check_tensors(path, layout)
    try:
        return CheckpointFacts.model_validate_json(layout.metadata[HEADER_KEY])
    except ValidationError as error:
        raise InputError(f"{path}: bad facts in its header: {first_problem(error)}") from None


def has_facts(path: Path) -> bool:
    """Whether a file says that it is a workbench checkpoint, be it damaged; reads no weights."""
    with suppress(InputError):
        return HEADER_KEY in read_tensor_layout(path).metadata
    return False
