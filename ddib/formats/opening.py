"""A file or folder is recognised as one of the formats, and opened in that format."""

import shlex
from functools import cache
from typing import TypeVar

from pydantic import ValidationError

from ddib import formats
from ddib.checkpoints.trial import try_network
from ddib.checkpoints.weights import assemble
from ddib.errors import InputError, first_problem
from ddib.formats.format import FORMATS, Domain, Flags, Format, Opened, Source
from ddib.registry import import_modules

F = TypeVar("F", bound=Flags)


@cache
def load_formats() -> None:
    """Register every format that has a file in this package."""
    import_modules(formats.__name__, list(formats.__path__))


def known_formats() -> tuple[Format, ...]:
    """Every format."""
    load_formats()
    return tuple(FORMATS.values())


def recognise(source: Source) -> Format:
    """The format of what lies at a path.

    Raises InputError, naming the formats, when it is of none or looks like several.
    """
    found = [known for known in known_formats() if known.recognises(source)]
    if not found:
        signs = "; ".join(f"{known.name} ({known.sign})" for known in known_formats())
        held = ", ".join(list(source.state)[:3]) or "nothing of the kind"
        raise InputError(f"{source.path}: of no known format: {signs}. It holds {held}")
    if len(found) > 1:
        names = " and ".join(f"{known.name} ({known.sign})" for known in found)
        raise InputError(
            f"{source.path}: could be of {names}; save the weights of one network alone"
        )
    return found[0]


def split_flags(text: str) -> dict[str, str]:
    """The flags of a command line, `--num_heads 4`, by name; raises InputError."""
    try:
        split = shlex.split(text)
    except ValueError as error:
        raise InputError(f"--flags {text!r}: {error}") from None
    words = [part for word in split for part in word.split("=", maxsplit=1)]
    if len(words) % 2 or not all(word.startswith("--") for word in words[::2]):
        raise InputError(f"--flags takes flags and values, as in --num_heads 4, not {text!r}")
    return {name[2:]: value for name, value in zip(words[::2], words[1::2], strict=True)}


def parse_flags(text: str, kind: type[F]) -> F:
    """A command line, `--num_heads 4 --noise_schedule cosine`; raises InputError."""
    given = split_flags(text)
    try:
        return kind.model_validate({k: v for k, v in given.items() if k not in kind.ignored})
    except ValidationError as error:
        first = error.errors()[0]
        flag = ".".join(map(str, first["loc"]))
        known = f"; known: {', '.join(kind.model_fields)}" if flag not in kind.model_fields else ""
        raise InputError(f"--{flag}: {first['msg']}{known}") from None


def open_source(source: Source, known: Format, flags: Flags, domain: Domain) -> Opened:
    """Read a file or folder in a format; raises InputError, which names the path.

    The weights are put into the network and it is evaluated once, to see that they fit.
    """
    try:
        found = known.open(source, flags, domain)
        try_network(assemble(found.facts.architecture, found.state), found.facts)
    except InputError as error:
        raise InputError(f"{source.path}: {error}") from error
    except ValidationError as error:
        raise InputError(f"{source.path}: {first_problem(error)}") from error
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
        raise InputError(
            f"{source.path}: not as {known.name} writes it: {type(error).__name__}: {error}"
        ) from error
    return found
