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
    from ddib.networks.configurations import MlpConfig, UNetConfig
    from ddib.training.training import TrainingProgress


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
            help="Uniform in time, half of them in log σ: better latents, or all: for points."
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
    from ddib.training import training
    from workbench.cli.training_flags import check_patches, check_useful, training_config
    from workbench.support.files import check_folder

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
        steps=steps,
        minutes=12.0 if steps is None and minutes is None else minutes,
        batch=batch,
        learning_rate=learning_rate,
        parameterisation=parameterisation or "v",
        noise_levels=noise_levels or ("log" if source.pointwise else "time"),
        precision=precision or ("float32" if source.pointwise else "bf16"),
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
        progress = (training.train_probe if probe else training.train_classifier)(
            path, data=data, held_out=held_out, config=config, command=command
        )
    else:
        progress = training.train_denoiser(
            path,
            domain=data.domain,
            data=data,
            architecture=_architecture(data, width, classes, patch_size or 2),
            config=config,
            command=command,
        )
    _watch_training(name, progress)
    narrate.print(f"wrote {path}", markup=False)


def _training_data(source: "type[ImageSource]", request: "TrainingRequest") -> "TrainingData":
    """What is trained on; raises InputError, which names the flag at fault."""
    from workbench.cli.training_flags import REQUESTED

    try:
        return source.training_data(request)
    except InputError as error:
        flag = REQUESTED.get(error.key or "")
        raise InputError(f"{flag}: {error}" if flag else str(error)) from error


def _architecture(
    data: "TrainingData", width: int | None, classes: int | None, patch_size: int
) -> "UNetConfig | MlpConfig":
    from ddib.networks.configurations import MlpConfig, UNetConfig

    if data.pointwise:
        return MlpConfig(channels=data.channels, width=width or 96)
    if (width or 64) % 64:
        raise InputError("--width takes a multiple of 64: the norms have 32 groups at width × 1.5")
    return UNetConfig(
        in_channels=data.channels,
        out_channels=data.channels,
        model_channels=width or 64,
        num_classes=classes,
        patch_size=patch_size,
    )


def _watch_training(name: str, progress: "Generator[TrainingProgress, None, None]") -> None:
    from rich.progress import BarColumn, Progress, TextColumn

    columns = TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[facts]}")
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
                narrate.print(f"{name}: {facts}", markup=False)
            if stopped:
                progress.close()
                narrate.print("stopped; the same command goes on from here", markup=False)
                raise SystemExit(128 + stopped[0])
