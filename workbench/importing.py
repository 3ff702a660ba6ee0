"""`checkpoints import`: weights of this program or of another into the user's library."""

from pathlib import Path

from rich.console import Console
from rich.table import Table
from torch import Tensor

from ddib.checkpoints import (
    SUFFIX,
    file_sha256,
    load,
    load_classifier,
    load_probe,
    read_facts,
    write_checkpoint,
)
from ddib.datasets import ColoredMNIST, ImageFiles, load_images, to_tensor
from ddib.errors import InputError
from ddib.formats import guided
from ddib.formats.guided import Flags
from ddib.formats.identify import Candidate, identify
from ddib.formats.weights import read_weights
from workbench.files import atomic_write
from workbench.library import folders

SHOWN = 8  # candidates of the table
TRIED_ON = 16  # images


def import_own(path: Path, force: bool) -> Path:
    """Copy a workbench checkpoint into the library, after checking all of it."""
    openers = {"probe": load_probe, "classifier": load_classifier, "denoiser": load}
    openers[read_facts(path).kind](path)
    target = _target(path.stem, force)
    atomic_write(target, path.read_bytes())
    return target


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
    there is one. images: a pattern of pictures of the domain, or `digit:N`, on which every setting
    that the weights leave open is tried; None: the flags say it. Raises InputError.
    """
    target = _target(name, force)
    beside = path.with_suffix(".flags")
    if flags is None and beside.is_file():
        flags = beside.read_text("utf-8")
    known = guided.parse_flags(flags or "")
    state = read_weights(path)
    if not guided.recognises(state):
        raise InputError(
            f"{path}: its tensors are not named as those of guided-diffusion's U-Net "
            "(input_blocks.0.0.weight and so on)"
        )
    try:
        if images is not None:
            known = _identified(state, known, images, labels, narrate)
        provenance = {
            "imported_from": path.name,
            "format": "guided-diffusion",
            "sha256": file_sha256(path),
            "flags": known.model_dump(exclude_none=True),
        }
        facts = guided.facts(state, known, domain, labels, provenance)
        guided.network(state, facts.architecture)  # type: ignore[arg-type]  # it is a UNetConfig
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    write_checkpoint(target, state, facts, half=False)
    return target


def _identified(
    state: dict[str, Tensor],
    known: Flags,
    images: str,
    labels: tuple[int, ...],
    narrate: Console,
) -> Flags:
    digit = images.removeprefix("digit:")
    size, channels = known.image_size, 3
    spec: ColoredMNIST | ImageFiles = ImageFiles(path=images)
    if digit != images:
        spec, size = ColoredMNIST(digit=int(digit), count=TRIED_ON), 32
    loaded = load_images([spec], size=size, channels=channels, limit=TRIED_ON)
    label = next(iter(labels), loaded.labels[0])
    with narrate.status("trying settings"):
        found = identify(state, to_tensor(loaded.pixels), known, label)
    narrate.print(_table(found))
    return found[0].flags


def _table(found: list[Candidate]) -> Table:
    table = Table("settings", "error", "times the least", box=None)
    for one in found[:SHOWN]:
        table.add_row(str(one), f"{one.error:.4f}", f"{one.error / found[0].error:.2f}")
    if len(found) > SHOWN:
        table.add_row(f"and {len(found) - SHOWN} more", "", "")
    return table


def _target(name: str, force: bool) -> Path:
    target = folders().checkpoints / f"{name}{SUFFIX}"
    if target.exists() and not force:
        raise InputError(f"{target} is there already; give another --name, or --force")
    target.parent.mkdir(parents=True, exist_ok=True)
    return target
