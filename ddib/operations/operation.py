"""The operations: edits of an image before encoding or of a latent before decoding.

An operation is a frozen pydantic model, one class each. The class is everything there is to say:
its fields are the keys in a session file, the form on the screen and the rows of the
documentation; its docstring is the help; `apply` is the effect. A new operation is a new class in
a file of this folder, or of the user's own.

Every operation maps [N, C, H, W] to [N, C, H, W] of the same dtype and device, and the result for
one image does not depend, to the last bit, on which other images are in the batch.

Importing this module loads no torch.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from inspect import get_annotations
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol, Self

from pydantic import BaseModel, ConfigDict, Field

from ddib.operations.sweeps import check_usable
from ddib.registry import Registry, register_model

if TYPE_CHECKING:
    from torch import Tensor

Stage = Literal["image", "latent"]


class Everything(Protocol):
    """All of a session's images or latents [M, C, H, W]: a tensor, or what is indexed like one."""

    def __len__(self) -> int: ...

    def __getitem__(self, places: list[int], /) -> Tensor: ...


@dataclass(frozen=True)
class Context:
    """What an operation may know besides the tensor it edits.

    image: the source [N, C, H, W] in [-1, 1], as it is before any edit, row for row with the
        edited tensor; None where there is none (operations that need it then raise InputError).
    first_index: the place of the first image in the session, so that noise per image does not
        depend on how the session is cut into chunks.
    stage: what is edited. On "image" brightness is (x + 1) / 2, so that 0 is black.
    everything: the unedited latents of the whole session (on the image stage its images), for
        operations that lead from one image towards another; None where there is one batch only.
    before: the tensor as it was before each operation of the stack so far, the oldest first.
    """

    image: Tensor | None = None
    first_index: int = 0
    stage: Stage = "latent"
    everything: Everything | None = None
    before: tuple[Tensor, ...] = ()


class Operation(BaseModel):
    """One edit of an image or a latent; subclasses register themselves in OPERATIONS."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    pictures_only: ClassVar[bool] = False
    """Whether it means nothing for a cloud of points, whose neighbours are not near."""

    op: str
    enabled: bool = Field(default=True, description="false: kept in the session, not applied")

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        """Register a class that names itself; one that only widens another's fields does not."""
        super().__pydantic_init_subclass__(**kwargs)
        if "op" in get_annotations(cls):
            register_model(OPERATIONS, "op", cls)

    def __call__(self, z: Tensor, context: Context | None = None) -> Tensor:
        """Apply to z [N, C, H, W]; without a context z is a latent without its source."""
        return self.apply(z, context or Context())

    @property
    def reads_everything(self) -> bool:
        """Whether it asks for other images than those that it edits (`Context.everything`)."""
        return False

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        """Settings that cover what the class can do, for `ddib.operations.checks`."""
        return (cls.model_validate({"op": cls.model_fields["op"].default}),)

    def adjust_to(self, above: Sequence[bool]) -> Operation | None:
        """Return the operation as it is applied below some that run and some that do not.

        above: for each operation above it in the stack, whether it runs. An operation that counts
        the ones above counts those that run; None where it then has nothing to do.
        """
        return self

    @abstractmethod
    def apply(self, z: Tensor, context: Context) -> Tensor:
        """Return the edited z, [N, C, H, W]. Ignores `enabled` and does not change z."""


OPERATIONS: Registry[type[Operation]] = Registry("operation", "operations", check_usable)
"""Every operation by its name."""
