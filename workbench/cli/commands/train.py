"""`ddib-workbench train`: a domain's model, the probe, or a classifier."""

import shlex
import sys
from collections.abc import Generator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ddib.errors import InputError
from workbench.cli.console import narrate
from workbench.cli.interruption import stop_signals

if TYPE_CHECKING:
    from ddib.data.source import ImageSource, TrainingRequest
    from ddib.data.training import TrainingData
    from ddib.training.loop import TrainingProgress


def train(
    name: Annotated[str, typer.Option(help="The checkpoint's name in the library.")],
    dataset: Annotated[
        str,
        typer.Option(
            help="colored-mnist, a synthetic domain such as moons, colours, or a folder of images."
        ),
    ] = "colored-mnist",
    digit: Annotated[
        list[int] | None, typer.Option(min=0, max=9, help="Which digits; all when not given.")
    ] = None,
    class_conditional: Annotated[
        bool, typer.Option(help="One model conditioned on the digit.")
    ] = False,
    probe: Annotated[
        bool, typer.Option(help="Train the classifier that judges results, not a domain.")
    ] = False,
    classifier: Annotated[
        bool, typer.Option(help="Train a classifier of noisy digits, for classifier guidance.")
    ] = False,
    root: Annotated[
        Path | None,
        typer.Option(
            help="A folder of raw MNIST files; else it is downloaded. For colours: a picture."
        ),
    ] = None,
    size: Annotated[
        int | None,
        typer.Option(
            min=4, max=4096, help="Image size of a folder's model, or of colours; else 32."
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder to write to; else the user's checkpoints.")
    ] = None,
    steps: Annotated[int | None, typer.Option(min=1, help="Budget in steps.")] = None,
    minutes: Annotated[float | None, typer.Option(help="Budget in minutes.")] = None,
    batch: Annotated[int, typer.Option(min=1)] = 64,
    width: Annotated[
        int | None,
        typer.Option(min=64, max=4096, help="Channels; a multiple of 64; else 64, of points 96."),
    ] = None,
    patch_size: Annotated[
        int | None,
        typer.Option(
            min=1, max=64, help="Pixels folded into channels; 2, the default, is 2-3 times cheaper."
        ),
    ] = None,
    learning_rate: Annotated[float, typer.Option()] = 1.5e-3,
    parameterisation: Annotated[
        str | None, typer.Option(help="What the network predicts: v (if not given), epsilon or x0.")
    ] = None,
    noise_levels: Annotated[
        Literal["time", "mixed", "log"] | None,
        typer.Option(
            help="time: uniform timesteps. mixed: half of them uniform in log σ (better latents). "
            "log: all uniform in log σ (what points take)."
        ),
    ] = None,
    precision: Annotated[
        Literal["bf16", "float32"] | None, typer.Option(help="Else bf16, of points float32.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, max=2**31 - 1)] = 0,
    force: Annotated[bool, typer.Option(help="Replace a checkpoint of that name.")] = False,
) -> None:
    """Train a domain's model (or the probe, or a classifier) and write its checkpoint.

    A training that was stopped goes on where it was when the same command is given again.
    """
    from ddib.checkpoints.files import SUFFIX, USER_CHECKPOINTS
    from ddib.data.source import TrainingRequest
    from ddib.data.sources import source_of_dataset
    from ddib.training.classifiers import train_classifier, train_probe
    from ddib.training.configuration import choose_architecture
    from ddib.training.denoisers import train_denoiser
    from workbench.cli.training_flags import check_patches, check_useful, training_config
    from workbench.support.files import check_folder
    from workbench.support.names import check_name

    check_name(name, "--name")
    source = source_of_dataset(dataset)
    if probe and classifier:
        raise InputError("--probe and --classifier are two trainings; give one of them")
    check_useful(
        source,
        dataset,
        "--probe" if probe else "--classifier" if classifier else None,
        {
            "--digit": digit,
            "--root": root,
            "--size": size,
            "--class-conditional": class_conditional,
            "--width": width,
            "--patch-size": patch_size,
            "--parameterisation": parameterisation,
            "--noise-levels": noise_levels,
        },
    )
    config = training_config(
        source.pointwise,
        steps=steps,
        minutes=minutes,
        noise_levels=noise_levels,
        precision=precision,
        batch=batch,
        learning_rate=learning_rate,
        parameterisation=parameterisation or "v",
        seed=seed,
    )
    if not source.pointwise:
        check_patches(size or 32, patch_size or 2)
    path = (out or USER_CHECKPOINTS) / f"{name}{SUFFIX}"
    if path.exists() and not force:
        raise InputError(f"{path} is there already; choose another --name or give --force")
    check_folder(path.parent, "a checkpoint")
    request = TrainingRequest(
        dataset, tuple(digit or ()), root, size or 32, "train", USER_CHECKPOINTS.parent
    )
    data = _training_data(source, request)
    command = shlex.join(["ddib-workbench", *sys.argv[1:]])
    classes = max(source.class_labels) + 1 if class_conditional else None
    if probe or classifier:
        held_out = _training_data(source, replace(request, split="test"))
        progress = (train_probe if probe else train_classifier)(
            path, data=data, held_out=held_out, config=config, command=command
        )
    else:
        progress = train_denoiser(
            path,
            domain=data.domain,
            data=data,
            architecture=choose_architecture(data, width, classes, patch_size or 2),
            config=config,
            command=command,
        )
    _watch_training(name, progress)
    narrate.print(f"wrote {path}")


def _training_data(source: "type[ImageSource]", request: "TrainingRequest") -> "TrainingData":
    """What is trained on; raises InputError, which names the flag at fault."""
    from workbench.cli.training_flags import REQUESTED

    try:
        return source.training_data(request)
    except InputError as error:
        flag = REQUESTED.get(error.key or "")
        raise InputError(f"{flag}: {error}" if flag else str(error)) from error


def _watch_training(name: str, progress: "Generator[TrainingProgress, None, None]") -> None:
    from rich.progress import BarColumn, Progress, TextColumn

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.fields[facts]}", markup=False),
    )
    with stop_signals() as stopped, Progress(*columns, console=narrate) as bar:
        task = bar.add_task(name, total=1.0, facts="")
        last = 0.0
        for now in progress:
            facts = (
                f"step {now.step}  loss {now.loss:.4f}  "
                f"{now.seconds / 60:.1f} min, {now.seconds_left / 60:.1f} left"
            )
            bar.update(task, completed=now.fraction, facts=facts)
            if not narrate.is_terminal and now.seconds - last > 20:
                last = now.seconds
                narrate.print(f"{name}: {facts}")
            if stopped:
                progress.close()
                narrate.print("stopped; the same command goes on from here")
                raise SystemExit(128 + stopped[0])
