"""`checkpoints import`: weights of this program or of another into the user's library."""

from pathlib import Path

import torch
from rich.console import Console
from rich.table import Table

from ddib.checkpoints.files import SUFFIX, file_sha256
from ddib.checkpoints.header import read_facts
from ddib.checkpoints.trial import try_network
from ddib.checkpoints.weights import load_network
from ddib.checkpoints.writing import write_checkpoint
from ddib.data.loading import load_images
from ddib.data.pixels import to_tensor
from ddib.data.sources.colored_mnist import ColoredMNIST
from ddib.data.sources.image_files import ImageFiles
from ddib.errors import InputError
from ddib.formats.format import Domain, Flags, Format, Identified, Samples, Source
from ddib.formats.opening import open_source, parse_flags, recognise, split_flags
from ddib.networks.configurations import MAX_CLASSES
from workbench.library.folders import folders
from workbench.support.files import atomic_write
from workbench.support.names import check_name

SHOWN = 8  # candidates of the table
TRIED_ON = 160  # images, at most
MAX_FLAGS = 65_536  # characters
MAX_DIGITS = 10  # of a class


def import_own(path: Path, name: str, force: bool) -> Path:
    """Copy a workbench checkpoint into the library, after checking all of it; raises InputError."""
    facts = read_facts(path)
    try:
        try_network(load_network(facts.architecture, path, "cpu"), facts)
    except InputError as error:
        text = str(error)
        raise InputError(text if text.startswith(str(path)) else f"{path}: {text}") from error
    target = _target(name, force)
    atomic_write(target, path.read_bytes())
    return target


def parse_labels(text: str) -> tuple[int, ...]:
    """The classes in `0 1 2`; raises InputError."""
    words = text.split()
    numbers = [word for word in words if word.isdecimal() and len(word) < MAX_DIGITS]
    classes = tuple(number for number in map(int, numbers) if number < MAX_CLASSES)
    if len(set(classes)) < len(words):
        most = MAX_CLASSES - 1
        raise InputError(f"--labels {text}: expected classes from 0 to {most}, each once: 0 1 2")
    return classes


def import_weights(
    path: Path,
    name: str,
    domain: str,
    labels: tuple[int, ...],
    flags: str | None,
    images: str | None,
    force: bool,
    narrate: Console,
) -> Path:
    """Write another program's weights into the library as a workbench checkpoint.

    flags: the original's command line; None: that of the file `.flags` beside the weights, if
    there is one. images: a pattern of pictures of the domain, `digits` or `digit:N`, on which every
    setting that the weights leave open is tried; None: the flags say it. Raises InputError.
    """
    target = _target(name, force)
    if flags is not None:
        split_flags(flags)
    source = Source(path)
    known = recognise(source)
    beside = path.resolve().with_suffix(".flags")
    if flags is None and beside.is_file():
        flags = _read_flags(beside)
    said = parse_flags(flags or "", known.flags)
    if images is not None:
        said = _identified(source, known, said, images, labels, narrate)
    found = open_source(source, known, said, Domain(domain, labels))
    for note in found.notes:
        narrate.print(note)
    provenance = {
        "imported_from": path.name,
        "format": known.name,
        "sha256": _digest(path),
        "flags": said.model_dump(exclude_none=True),
    }
    facts = found.facts.model_copy(update={"data": provenance})
    write_checkpoint(target, found.state, facts, half=False)
    return target


def _read_flags(path: Path) -> str:
    """The original's command line in a file; raises InputError."""
    try:
        with path.open(encoding="utf-8") as file:
            return file.read(MAX_FLAGS)
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read: {error}") from error


def _identified(
    source: Source,
    known: Format,
    said: Flags,
    images: str,
    labels: tuple[int, ...],
    narrate: Console,
) -> Flags:
    if known.identify is None:
        raise InputError(
            f"{source.path}: --identify has nothing to try: what weights of {known.name} leave "
            f"open is in --flags: {', '.join(known.flags.model_fields)}"
        )
    samples = _samples(images, getattr(said, "image_size", 64), labels)
    with narrate.status("trying settings"):
        found = known.identify(source.state, samples, said)
    narrate.print(_table(found))
    narrate.print(f"the first is the right one with {_percent(found.sure)} certainty")
    settings: Flags = found.flags
    return settings


def _samples(images: str, size: int, labels: tuple[int, ...]) -> Samples:
    """Pictures of the domain; `labels` stands for their classes where they have none."""
    specs: list[ColoredMNIST | ImageFiles] = [ImageFiles(path=images)]
    if images == "digits":
        specs = [ColoredMNIST(digit=digit, count=TRIED_ON // 10) for digit in range(10)]
    elif images.startswith("digit:"):
        digit = images.removeprefix("digit:")
        if digit not in map(str, ColoredMNIST.class_labels):
            raise InputError(f"--images {images}: no such digit; digit:5 is one")
        specs = [ColoredMNIST(digit=int(digit), count=TRIED_ON // 2)]
    size = 32 if isinstance(specs[0], ColoredMNIST) else size
    loaded = load_images(specs, size=size, channels=3, limit=TRIED_ON)
    only = labels[0] if len(labels) == 1 else -1
    classes = [only if label is None else label for label in loaded.labels]
    return Samples(to_tensor(loaded.pixels), torch.tensor(classes))


def _table(found: Identified) -> Table:
    table = Table("settings", "error", "behind", "images", box=None)
    for one in found.candidates[:SHOWN]:
        behind = f"{one.behind:.1f} standard errors" if one.behind else ""
        table.add_row(str(one), f"{one.error:.3g}", behind, str(one.tried))
    if len(found.candidates) > SHOWN:
        table.add_row(f"and {len(found.candidates) - SHOWN} more", "", "", "")
    return table


def _percent(share: float) -> str:
    """Never rounded up to certainty."""
    return f"{int(share * 10_000) / 100:.4g} %" if share < 0.9999 else "more than 99.99 %"


def _digest(path: Path) -> str:
    """Of a file, or of the largest file of a folder, which holds the weights."""
    files = [file for file in path.rglob("*") if file.is_file()] if path.is_dir() else [path]
    return file_sha256(max(files, key=lambda file: file.stat().st_size))


def _target(name: str, force: bool) -> Path:
    target = folders().checkpoints / f"{check_name(name, '--name')}{SUFFIX}"
    if target.exists() and not force:
        raise InputError(f"{target} is there already; give another --name, or --force")
    target.parent.mkdir(parents=True, exist_ok=True)
    return target
