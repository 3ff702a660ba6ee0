"""`checkpoints adapt`: fit the adapted grid to a checkpoint and keep it beside it."""

from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from ddib.checkpoints.fitted_grid import grid_file
from ddib.checkpoints.header import CheckpointFacts
from ddib.checkpoints.loading import load
from ddib.data.loading import load_images
from ddib.data.pixels import to_tensor
from ddib.data.source import ImageSource
from ddib.data.sources import domain_entry
from ddib.data.sources.image_files import ImageFiles
from ddib.errors import InputError
from ddib.tuning.grid_fit import fit_grid
from workbench.engine.devices.device import pick_device
from workbench.support.files import atomic_write

IMAGES = 4


def adapt(
    checkpoint: Path, images: str | None, label: int | None, device: str, narrate: Console
) -> Path:
    """Write the grid fitted to a checkpoint and return its file.

    images: a pattern of image files, of which the first four serve; None: digits. Raises
    InputError.
    """
    chosen = pick_device(device)
    model = load(checkpoint, str(chosen))
    facts = model.facts
    if label is None and facts.class_conditional:
        label = facts.labels[len(facts.labels) // 2]
    spec = ImageFiles(path=images) if images else _own(facts, label)
    pixels = load_images([spec], size=facts.image_size, channels=facts.channels).pixels
    start = to_tensor(pixels[:IMAGES] if images else pixels[-IMAGES:]).to(chosen)
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.fields[facts]}", markup=False),
    )
    with Progress(*columns, TimeRemainingColumn(), console=narrate, transient=True) as bar:
        task = bar.add_task(checkpoint.stem, total=1.0, facts="")

        def watch(done: float, ratio: float) -> None:
            bar.update(task, completed=done, facts=f"{ratio:.2f}× the log grid's error")

        fitted = fit_grid(model, start, label, watch)
    for one in fitted.figures:
        before, after = one.latent
        narrate.print(
            f"{one.steps} steps: latent RMSE {before:.3f} on the log grid, now {after:.3f}"
        )
    atomic_write(grid_file(checkpoint), fitted.model_dump_json(indent=1).encode() + b"\n")
    return grid_file(checkpoint)


def _own(facts: CheckpointFacts, label: int | None) -> ImageSource:
    """Images of a checkpoint's own domain; raises InputError where they are not to be had."""
    wanted = facts.wanted_label(label)
    labels = (wanted,) if isinstance(wanted, int) else ()
    entry = domain_entry(facts.data, labels, facts.of_points)
    if entry is None:
        raise InputError(
            f"its header does not say where images of {facts.domain} are: give --images PATTERN, "
            "four pictures of its kind"
        )
    return entry.set_apart()
