"""`ddib-workbench checkpoints`: what is there, brought in, fitted and calibrated."""

from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from ddib.errors import InputError, RunError
from workbench.cli.console import data, narrate, print_json, print_path
from workbench.cli.options import CHECKPOINTS, DEVICE

app = typer.Typer(no_args_is_help=True, help="The checkpoints that are there.")


@app.command("list")
def list_found(checkpoints: CHECKPOINTS = None) -> None:
    """List the checkpoints of the library; one that cannot be used with the reason."""
    from workbench.cli import tables
    from workbench.library.checkpoints import list_checkpoints

    data.print(tables.checkpoints_table(list_checkpoints(checkpoints or [])))


@app.command("show")
def show_checkpoint(name: str, checkpoints: CHECKPOINTS = None) -> None:
    """Print what a checkpoint's header says, as JSON."""
    from ddib.checkpoints.header import read_facts
    from workbench.library.checkpoints import find_checkpoint

    facts = read_facts(find_checkpoint(name, Path(), checkpoints or []))
    print_json(facts.model_dump_json(exclude={"thumbnail", "picture"}))


class ImportCommand(TyperCommand):
    """Its help lists the formats that there are."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """See click."""
        from ddib.formats.opening import known_formats

        known = "; ".join(f"{one.name} ({one.sign})" for one in known_formats())
        self.epilog = f"Formats of other programs: {known}."
        super().format_help(ctx, formatter)


@app.command("import", cls=ImportCommand)
def import_checkpoint(
    path: Path,
    name: Annotated[str | None, typer.Option(help="In the library; else the file's.")] = None,
    domain: Annotated[str | None, typer.Option(help="What it draws, such as `faces`.")] = None,
    labels: Annotated[str, typer.Option(help="Classes of its domain: `7`, or `0 1 2`.")] = "",
    flags: Annotated[
        str | None,
        typer.Option(help="The original's command line, '--num_heads 4 …'; else PATH's .flags."),
    ] = None,
    identify: Annotated[
        bool, typer.Option("--identify", help="Try what the weights leave open on --images.")
    ] = False,
    images: Annotated[
        str | None, typer.Option(help="Pattern of pictures of its domain, digits, or digit:5.")
    ] = None,
    force: Annotated[bool, typer.Option(help="Replace a checkpoint of that name.")] = False,
) -> None:
    """Bring a checkpoint into the user's library, after checking all of it: one of this program,
    or another program's weights."""
    from ddib.checkpoints.header import has_facts
    from workbench.cli import import_weights as importing
    from workbench.support.names import check_name

    if identify and images is None:
        raise InputError("--identify needs --images, a pattern of pictures of the domain")
    if images is not None and not identify:
        raise InputError("--images are what --identify tries settings on; give both")
    if name is None:
        name = path.resolve().name if path.is_dir() else path.stem
    check_name(name, "--name")
    classes = importing.parse_labels(labels)
    if has_facts(path):
        given = {"--domain": domain, "--labels": labels, "--flags": flags, "--identify": identify}
        for flag in (flag for flag, value in given.items() if value):
            raise InputError(f"{flag}: {path} is this program's own and says that itself")
        print_path(importing.import_own(path, name, force))
        return
    print_path(
        importing.import_weights(path, name, domain or name, classes, flags, images, force, narrate)
    )


@app.command("adapt")
def adapt_checkpoint(
    name: str,
    images: Annotated[
        str | None, typer.Option(help="Pattern of pictures to fit to; else four digits.")
    ] = None,
    label: Annotated[int | None, typer.Option(help="For class-conditional checkpoints.")] = None,
    device: DEVICE = "auto",
    checkpoints: CHECKPOINTS = None,
) -> None:
    """Fit the σ grid `adapted` to a checkpoint, in a minute or two, and keep it beside it."""
    from workbench.cli.adapt import adapt
    from workbench.library.checkpoints import find_checkpoint

    path = find_checkpoint(name, Path(), checkpoints or [])
    print_path(adapt(path, images, label, device, narrate))


@app.command("calibrate")
def calibrate_checkpoint(
    name: str,
    device: DEVICE = "auto",
    compile_: Annotated[
        bool, typer.Option("--compile", help="Try torch.compile too; takes minutes.")
    ] = False,
    checkpoints: CHECKPOINTS = None,
) -> None:
    """Measure which way of evaluating a network is fastest here; --precision auto goes by it."""
    from ddib.tuning.calibration import calibrate, find_calibration
    from workbench.cli import tables
    from workbench.library.checkpoints import find_checkpoint
    from workbench.library.folders import folders

    path = find_checkpoint(name, Path(), checkpoints or [])
    from workbench.engine.devices.device import pick_device

    where, folder = str(pick_device(device)), folders().cache / "calibration"
    for measured in calibrate(path, where, folder, compiled=compile_):
        narrate.print(f"measured {measured.evaluation}")
    found = find_calibration(path, where, folder)
    if found is None:
        raise RunError(f"{folder}: the measurements could not be stored there")
    data.print(tables.calibration_table(found))
