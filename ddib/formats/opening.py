"""What a format has to say of itself, and which one lies at a path."""

import pkgutil
import re
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError, field_validator
from torch import Tensor

from ddib import formats
from ddib.checkpoints.header import CheckpointFacts
from ddib.checkpoints.weights import assemble
from ddib.errors import InputError
from ddib.formats.weights import read_weights

if TYPE_CHECKING:
    from ddib.formats.identify import Identified, Samples

State = Mapping[str, Tensor]


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


F = TypeVar("F", bound=Flags)


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


@dataclass(frozen=True)
class Format:
    """How a program keeps its checkpoints.

    recognises: by content. open: raises InputError for what cannot be had. identify: where weights
    leave open what only trying on images tells, see `ddib.formats.identify`.
    """

    name: str
    sign: str  # what it is recognised by, in words
    flags: type[Flags]
    recognises: Callable[[Source], bool]
    open: Callable[[Source, Any, Domain], Opened]
    identify: "Callable[[State, Samples, Any], Identified] | None" = None


@cache
def known_formats() -> tuple[Format, ...]:
    """Every format that has a file in this package."""
    names = (found.name for found in pkgutil.iter_modules(formats.__path__))
    modules = (import_module(f"{formats.__name__}.{name}") for name in names)
    return tuple(module.FORMAT for module in modules if hasattr(module, "FORMAT"))


def recognise(source: Source) -> Format:
    """The format of what lies at a path; raises InputError when it is none."""
    found = next((known for known in known_formats() if known.recognises(source)), None)
    if found is None:
        signs = "; ".join(f"{known.name} ({known.sign})" for known in known_formats())
        held = ", ".join(list(source.state)[:3]) or "nothing of the kind"
        raise InputError(f"{source.path}: of no known format: {signs}. It holds {held}")
    return found


def parse_flags(text: str, kind: type[F]) -> F:
    """A command line, `--num_heads 4 --noise_schedule cosine`; raises InputError."""
    words = [part for word in shlex.split(text) for part in re.split(r"=", word, maxsplit=1)]
    if len(words) % 2 or not all(word.startswith("--") for word in words[::2]):
        raise InputError(f"expected flags and values, as in --num_heads 4, not {text!r}")
    given = {name[2:]: value for name, value in zip(words[::2], words[1::2], strict=True)}
    try:
        return kind.model_validate({k: v for k, v in given.items() if k not in kind.ignored})
    except ValidationError as error:
        first = error.errors()[0]
        flag = ".".join(map(str, first["loc"]))
        known = f"; known: {', '.join(kind.model_fields)}" if flag not in kind.model_fields else ""
        raise InputError(f"--{flag}: {first['msg']}{known}") from None


def check_channels(entering: int, leaving: int) -> None:
    """Raises InputError for a network that makes no pictures of the kind it takes."""
    if entering not in (1, 3):
        raise InputError(
            f"{entering} channels: not pictures in grey or colour; networks in the latent space of "
            "an autoencoder are not supported"
        )
    if leaving not in (entering, 2 * entering):  # twice: with learned variances
        raise InputError(f"{leaving} channels come out where {entering} go in")


def opened(source: Source, known: Format, flags: Flags, domain: Domain) -> Opened:
    """What lies at a path, read as a format; raises InputError, naming the path, where it is not.

    The weights are put into the network once, to see that they fit.
    """
    try:
        found = known.open(source, flags, domain)
        assemble(found.facts.architecture, found.state)
    except InputError as error:
        raise InputError(f"{source.path}: {error}") from error
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise InputError(
            f"{source.path}: not as {known.name} writes it: {type(error).__name__}: {error}"
        ) from error
    return found
