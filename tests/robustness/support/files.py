"""Looks at what the program wrote: whether it is whole, the same, and all that is there."""

import json
import struct
from collections.abc import Iterator
from pathlib import Path

from PIL import Image

from workbench.session import SessionError, load_session


def torn(folder: Path) -> Iterator[str]:
    """Visible files that cannot be read to their end, and runs that lack their manifest."""
    for path in sorted(visible(folder)):
        if path.is_file() and (problem := _unreadable(path)):
            yield f"{path.relative_to(folder)}: {problem}"
    for path in folder.glob("[!.]*/") if folder.is_dir() else ():
        if path.is_dir() and not (path / "manifest.json").is_file():
            yield f"{path.name}: no manifest"


def visible(folder: Path) -> Iterator[Path]:
    """Everything below a folder whose path has no part that begins with a dot."""
    for path in folder.iterdir() if folder.is_dir() else ():
        if not path.name.startswith("."):
            yield path
            yield from visible(path)


def hidden(folder: Path) -> list[str]:
    """What a user would not see: names below a folder that begin with a dot."""
    return [str(path.relative_to(folder)) for path in folder.rglob(".*")] if folder.is_dir() else []


def _unreadable(path: Path) -> str | None:
    try:
        match path.suffix:
            case ".png":
                with Image.open(path) as image:
                    image.load()
            case ".json":
                json.loads(path.read_text("utf-8"))
            case ".yaml":
                load_session(path)
            case ".safetensors":
                weights(path)
    except (OSError, ValueError, SyntaxError, KeyError, struct.error, SessionError) as error:
        return f"{type(error).__name__}: {error}"
    return None


def weights(path: Path) -> bytes:
    """What follows the header of a safetensors file; raises ValueError when it is cut off."""
    data = path.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    ends = [entry["data_offsets"][1] for name, entry in header.items() if name != "__metadata__"]
    if len(data) != 8 + length + max(ends, default=0):
        raise ValueError(f"{len(data)} bytes, not those of its header")
    return data[8 + length :]


def same_bytes(found: Path, first: Path, second: Path) -> Iterator[str]:
    """Names of what differs from two undisturbed results that agree in it.

    Times and versions make a manifest differ each time. Of checkpoints the weights are compared.
    """
    if not found.is_dir():
        if weights(found) != weights(first):
            yield found.name
        return
    names = {_names(folder) for folder in (found, first)}
    if len(names) > 1:
        yield "the names of the files"
        return
    for name in sorted(names.pop()):
        one, two, this = (folder.joinpath(name).read_bytes() for folder in (first, second, found))
        if one == two and this != one:
            yield name


def _names(folder: Path) -> frozenset[str]:
    return frozenset(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())
