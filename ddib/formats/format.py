"""A format says how another program keeps its checkpoints, and how one becomes ours.

A format is one file in this folder that registers itself; `checkpoints import`, its help and the
tests of hostile files then know it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from statistics import NormalDist
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from pydantic import BaseModel, ConfigDict, field_validator

from ddib.checkpoints.header import CheckpointFacts
from ddib.errors import InputError
from ddib.formats.weights import read_weights
from ddib.registry import Registry

if TYPE_CHECKING:
    from torch import Tensor

State = Mapping[str, "Tensor"]
"""Tensors by name."""


class Flags(BaseModel):
    """What a format's files do not say, in the words of the program that wrote them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    ignored: ClassVar[frozenset[str]] = frozenset()  # flags that change nothing here

    @field_validator("*", mode="before")
    @classmethod
    def _spelled(cls, value: Any) -> Any:
        return (
            {"true": True, "false": False}.get(value.lower(), value)
            if isinstance(value, str)
            else value
        )


@dataclass(frozen=True)
class Source:
    """A file or a folder of another program's."""

    path: Path

    @cached_property
    def state(self) -> dict[str, Tensor]:
        """A file's tensors by name, none of a folder; raises InputError as `read_weights`."""
        return {} if self.path.is_dir() else read_weights(self.path)


class Opened(NamedTuple):
    """Weights, and the facts that the workbench writes into their header.

    notes: what had to be taken for granted.
    """

    state: State
    facts: CheckpointFacts
    notes: tuple[str, ...] = ()


class Domain(NamedTuple):
    """What the weights draw, as the user calls it, and the classes of it; none: all there are."""

    name: str
    labels: tuple[int, ...] = ()

    def of(self, classes: int | None) -> tuple[int, ...]:
        """Its classes in a network of so many (None: of no classes); raises InputError."""
        if classes is not None and (wrong := [n for n in self.labels if not 0 <= n < classes]):
            raise InputError(f"no class {wrong[0]} in a network of {classes} classes")
        return self.labels or tuple(range(classes or 0))


class Example(NamedTuple):
    """A tiny honest file or folder of a format, and the flags with which it is imported."""

    path: Path
    flags: str = ""


class Samples(NamedTuple):
    """Images of the domain [N, C, H, W] in [-1, 1] and their classes, int [N], -1 for none."""

    images: Tensor
    labels: Tensor


@dataclass(frozen=True)
class Candidate:
    """Settings, the geometric mean of the squared error of the images that they denoise, and how
    many standard errors they are behind the best, over `tried` images; 0 for the best.
    """

    flags: Any
    error: float
    behind: float
    tried: int

    def __str__(self) -> str:
        return str(self.flags)


@dataclass(frozen=True)
class Identified:
    """Every candidate, the best first: those that were left out only after all others."""

    candidates: list[Candidate]

    @property
    def flags(self) -> Any:
        """The settings of the best."""
        return self.candidates[0].flags

    @property
    def sure(self) -> float:
        """How likely it is that the best is better than the next, 0.5 … 1, by a normal law."""
        return NormalDist().cdf(min((c.behind for c in self.candidates[1:]), default=10.0))


@dataclass(frozen=True)
class Format:
    """How a program keeps its checkpoints.

    recognises: by content. open: raises InputError for what cannot be had. example: writes one into
    an empty folder; the tests of hostile files change it. identify: where weights leave open what
    only trying on images tells, see `ddib.formats.identify`.
    """

    name: str
    sign: str  # what it is recognised by, in words
    flags: type[Flags]
    recognises: Callable[[Source], bool]
    open: Callable[[Source, Any, Domain], Opened]
    example: Callable[[Path], Example]
    identify: Callable[[State, Samples, Any], Identified] | None = None


FORMATS: Registry[Format] = Registry("checkpoint format", "formats")


def register_format(known: Format) -> Format:
    """Add a format to the registry, by its name with underscores, and return it."""
    return FORMATS.register(known.name.replace("-", "_"), known)


def check_channels(entering: int, leaving: int) -> None:
    """Raises InputError for a network that makes no pictures of the kind it takes."""
    if entering not in (1, 3):
        raise InputError(
            f"{entering} channels: not pictures in grey or colour; networks in the latent space of "
            "an autoencoder are not supported"
        )
    if leaving not in (entering, 2 * entering):  # twice: with learned variances
        raise InputError(f"{leaving} channels come out where {entering} go in")
