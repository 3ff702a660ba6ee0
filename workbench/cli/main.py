"""`ddib-workbench` and its subcommands: stdout is data, stderr is narration."""

import json
import shlex
import signal
import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, NoReturn

import typer
from rich.console import Console
from typer.core import TyperGroup

from ddib.errors import InputError, RunError

if TYPE_CHECKING:
    from ddib.data.training import TrainingData
    from ddib.networks.configurations import MlpConfig, UNetConfig
    from ddib.training.training import TrainingProgress
    from workbench.engine.execution.engine import Engine

# Everything else is imported by the command that needs it: the screen has to stand at once.


class _ScreenByDefault(TyperGroup):
    """Without a subcommand, `ddib-workbench [SESSION]` opens the screen."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if not args or (args[0] not in self.commands and args[0] not in ("-h", "--help")):
            args = ["open", *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=_ScreenByDefault,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
narrate = Console(stderr=True, highlight=False)

DIGIT_NAMES = (
    "zeros", "ones", "twos", "threes", "fours", "fives", "sixes", "sevens", "eights", "nines",
)  # fmt: skip


def main() -> NoReturn:
    """Run the command line; errors become one message and the exit codes of the manual."""
    try:
        app()
    except InputError as error:
        narrate.print(f"error: {error}", style="red", markup=False, soft_wrap=True)
        sys.exit(2)
    except RunError as error:
        narrate.print(f"failed: {error}", style="red", markup=False, soft_wrap=True)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
    sys.exit(0)


@contextmanager
def stop_signals() -> Iterator[list[int]]:
    """SIGINT and SIGTERM are noted in the list that this yields, for the work to stop cleanly."""
    received: list[int] = []
    before = {
        number: signal.signal(number, lambda number, _: received.append(number))
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


CHECKPOINTS = Annotated[
    list[Path] | None, typer.Option(help="A further folder of checkpoints; may be repeated.")
]
DEVICE = Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1, …")]
CHUNK = Annotated[
    int | None, typer.Option(min=1, help="Images solved together; else 16, or 256 on a GPU.")
]
MEMORY = Annotated[
    str | None, typer.Option(help="For network evaluations: 2G; else half of the device's.")
]
PRECISION = Annotated[
    Literal["float32", "bf16", "fp16", "auto"],
    typer.Option(help="Of network evaluations; auto: the fastest that is exact enough, measured."),
]
RAY = Annotated[
    str | None,
    typer.Option("--ray", help="Run on a Ray cluster: its address, auto, or local to start one."),
]
RUNS = Annotated[Path | None, typer.Option("--runs", help="Folder of the run store.")]


@app.command("open")
def open_session(
    session: Annotated[
        Path | None, typer.Argument(help="A session, or a run directory, to open.")
    ] = None,
    checkpoints: CHECKPOINTS = None,
    runs: RUNS = None,
    demo: Annotated[bool, typer.Option("--demo", help="Open a finished example.")] = False,
) -> None:
    """Open the workbench's screen; the default."""
    from workbench.__main__ import open_screen
    from workbench.demo import RUN

    if demo and session is not None:
        raise InputError("--demo opens its own session; give one or the other")
    open_screen(RUN if demo else session, checkpoints or [], runs)


@app.command("keys")
def list_keys() -> None:
    """Print the screen's keys; `keys:` in the configuration file changes them."""
    from workbench.__main__ import print_keys

    print_keys()


@app.command("replay")
def replay_sessions(
    session: Annotated[
        list[Path], typer.Argument(help="Session YAMLs, run directories or contact sheets.")
    ],
    out: Annotated[
        Path | None, typer.Option(help="Folder for the run directories; else the run store.")
    ] = None,
    device: DEVICE = "auto",
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", help="Change a value: recipe.latent.0.factor=1.5; repeatable."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="A line of JSON for each run.")] = False,
    dry_run: Annotated[bool, typer.Option(help="Only check, and say what it would take.")] = False,
    no_cache: Annotated[
        bool, typer.Option("--no-cache", help="Compute everything afresh.")
    ] = False,
    check: Annotated[
        Path | None, typer.Option(help="Compare with an earlier run; exit 1 when it differs.")
    ] = None,
    checkpoints: CHECKPOINTS = None,
    runs: RUNS = None,
    chunk: CHUNK = None,
    memory: MEMORY = None,
    precision: PRECISION = "float32",
    ray: RAY = None,
    verbose: Annotated[bool, typer.Option(help="Log to stderr too.")] = False,
) -> None:
    """Run sessions headless and keep what comes of them.

    Data goes to stdout: a run directory or, with --json, one JSON object for each session.
    """
    from workbench.cli import replay as headless
    from workbench.library.library import folders, read_config
    from workbench.support.files import check_folder, parse_size
    from workbench.support.logs import log_to_file

    log_to_file(folders().log, verbose)
    _tell_skipped()
    if check is not None and len(session) > 1:
        raise InputError("--check compares one session with one run")
    plans = headless.make_plans(session, set_ or [], checkpoints or [])
    check_folder(out or runs or folders().runs, "runs")
    settings: dict[str, Any] = {
        "cache_folder": None if no_cache else folders().cache_chunks,
        "cache_limit": parse_size(read_config().cache_limit),
        "checkpoints": checkpoints or [],
        "chunk": chunk,
        "memory": parse_size(memory) if memory else None,
        "precision": precision,
    }
    with stop_signals() as stopped, _engine(None if dry_run else ray, device, settings) as engine:
        for plan in plans:
            engine.models(plan)
        if dry_run:
            headless.dry_run(engine, plans, as_json)
            return
        endings = headless.replay(
            engine,
            plans,
            out=out,
            store=runs or folders().runs,
            narrate=narrate,
            as_json=as_json,
            stopped=stopped,
        )
    if stopped:
        raise SystemExit(128 + stopped[0])
    fine = all(ending.status == "done" for ending in endings)
    if check is not None and fine:
        fine, words = headless.check_against(endings, check)
        narrate.print(words, markup=False)
    raise SystemExit(0 if fine else 1)


@contextmanager
def _engine(ray: str | None, device: str, settings: dict[str, Any]) -> "Iterator[Engine]":
    if ray is None:
        from workbench.engine.execution.engine import Engine

        yield Engine(device, **settings)
    else:
        from workbench.engine.cluster.ray import cluster_engine

        with cluster_engine(ray, device, **settings) as engine:
            yield engine


runs_app = typer.Typer(no_args_is_help=True, help="The kept runs.")
app.add_typer(runs_app, name="runs")
checkpoints_app = typer.Typer(no_args_is_help=True, help="The checkpoints that are there.")
app.add_typer(checkpoints_app, name="checkpoints")
data = Console(highlight=False, soft_wrap=False)


@runs_app.command("list")
def list_kept(runs: RUNS = None) -> None:
    """List the kept runs, newest first."""
    from workbench.cli import listings as catalog
    from workbench.library.library import folders
    from workbench.runs.store import list_runs

    stored = list_runs(runs or folders().runs)
    data.print(catalog.runs_table(stored))
    for problem in filter(None, (run.notes_problem for run in stored)):
        narrate.print(f"{problem}; its notes are left out", markup=False)


@runs_app.command("show")
def show_run(name: str, runs: RUNS = None) -> None:
    """Print a run's manifest as JSON."""
    from workbench.library.library import folders
    from workbench.runs.store import find_run, read_manifest

    data.print_json(read_manifest(find_run(runs or folders().runs, name)).model_dump_json())


@runs_app.command("pin")
def pin_run(name: list[str], runs: RUNS = None) -> None:
    """Pin runs: the history shows them first."""
    _note(name, runs, pinned=True)


@runs_app.command("unpin")
def unpin_run(name: list[str], runs: RUNS = None) -> None:
    """Take the pins of runs away."""
    _note(name, runs, pinned=False)


@runs_app.command("rename")
def rename_run(name: str, title: str, runs: RUNS = None) -> None:
    """Give a run a name, shown in place of its session's title; "" takes it away."""
    _note([name], runs, name=title)


@runs_app.command("annotate")
def annotate_run(name: str, note: str, runs: RUNS = None) -> None:
    """Write a note on a run; "" takes it away."""
    _note([name], runs, note=note)


def _note(names: list[str], runs: Path | None, **changes: Any) -> None:
    from workbench.library.library import folders
    from workbench.runs.store import change_notes, find_run

    for path in [find_run(runs or folders().runs, name) for name in names]:
        change_notes(path, **changes)


@runs_app.command("export")
def export_kept(name: str, destination: Path, runs: RUNS = None) -> None:
    """Copy a run to a new folder, or to a new .zip; nothing is overwritten."""
    from workbench.library.library import folders
    from workbench.runs.store import export_run, find_run

    print(export_run(find_run(runs or folders().runs, name), destination))


@runs_app.command("delete")
def delete_kept(
    name: list[str],
    runs: RUNS = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Delete runs from the store, after asking."""
    from workbench.library.library import folders
    from workbench.runs.store import delete_run

    folder = runs or folders().runs
    for one in name:
        if yes or typer.confirm(f"delete {folder / one}?", err=True):
            delete_run(folder, one)
            narrate.print(f"deleted {one}", markup=False)


cache_app = typer.Typer(no_args_is_help=True, help="The cache of solved chunks.")
app.add_typer(cache_app, name="cache")


@cache_app.command("list")
def list_cached() -> None:
    """List what is cached, by model, direction and solver."""
    from workbench.library import cache as cached
    from workbench.library.library import folders

    data.print(cached.table(cached.groups(folders().cache_chunks)))


@cache_app.command("size")
def cache_size() -> None:
    """Print how large the cache is, how large it may become, and where it lies."""
    from workbench.library import cache as cached
    from workbench.library.library import folders, read_config
    from workbench.support.files import parse_size, readable_size

    chunks, size = cached.size(folders().cache_chunks)
    limit = readable_size(parse_size(read_config().cache_limit))
    print(f"{readable_size(size)} of {limit}, {chunks} chunks in {folders().cache_chunks}")


@cache_app.command("clear")
def clear_cache() -> None:
    """Delete what is cached; it is computed anew when it is wanted."""
    from workbench.library import cache as cached
    from workbench.library.library import folders
    from workbench.support.files import readable_size

    chunks, size = cached.clear(folders().cache_chunks)
    narrate.print(f"deleted {chunks} chunks, {readable_size(size)}", markup=False)


@checkpoints_app.command("list")
def list_found(checkpoints: CHECKPOINTS = None) -> None:
    """List the checkpoints of the library; one that cannot be used with the reason."""
    from workbench.cli import listings as catalog
    from workbench.library.library import list_checkpoints

    data.print(catalog.checkpoints_table(list_checkpoints(checkpoints or [])))


@checkpoints_app.command("show")
def show_checkpoint(name: str, checkpoints: CHECKPOINTS = None) -> None:
    """Print what a checkpoint's header says, as JSON."""
    from ddib.checkpoints.checkpoint import read_facts
    from workbench.library.library import find_checkpoint

    facts = read_facts(find_checkpoint(name, Path(), checkpoints or []))
    data.print_json(facts.model_dump_json(exclude={"thumbnail", "picture"}))


@checkpoints_app.command("import")
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
    or weights of guided-diffusion, improved-diffusion, diffusers (a folder) or lucidrains."""
    from ddib.checkpoints.checkpoint import has_facts
    from workbench.cli import import_weights as importing

    if identify and images is None:
        raise InputError("--identify needs --images, a pattern of pictures of the domain")
    if has_facts(path):
        print(importing.import_own(path, force))
        return
    classes = tuple(int(word) for word in labels.split())
    name = name or (path.resolve().name if path.is_dir() else path.stem)
    tried = images if identify else None
    print(
        importing.import_weights(path, name, domain or name, classes, flags, tried, force, narrate)
    )


@checkpoints_app.command("adapt")
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
    from workbench.library.library import find_checkpoint

    path = find_checkpoint(name, Path(), checkpoints or [])
    print(adapt(path, images, label, device, narrate))


@checkpoints_app.command("calibrate")
def calibrate_checkpoint(
    name: str,
    device: DEVICE = "auto",
    compile_: Annotated[
        bool, typer.Option("--compile", help="Try torch.compile too; takes minutes.")
    ] = False,
    checkpoints: CHECKPOINTS = None,
) -> None:
    """Measure which way of evaluating a network is fastest here; --precision auto goes by it."""
    from ddib.tuning.calibration import calibrate, find
    from workbench.cli import listings as catalog
    from workbench.library.library import find_checkpoint, folders

    path = find_checkpoint(name, Path(), checkpoints or [])
    from workbench.engine.devices.device import pick_device

    where, folder = str(pick_device(device)), folders().cache / "calibration"
    for measured in calibrate(path, where, folder, compiled=compile_):
        narrate.print(f"measured {measured.evaluation}", markup=False)
    found = find(path, where, folder)
    if found is None:
        raise RunError(f"{folder}: the measurements could not be stored there")
    data.print(catalog.calibration_table(found))


@app.command()
def operations() -> None:
    """List the operations, the user's own too, with their parameters."""
    from workbench.cli import listings as catalog

    data.print(catalog.operations_page())
    _tell_skipped()


@app.command()
def solvers() -> None:
    """List the solvers, the grids and their settings."""
    from workbench.cli import listings as catalog

    data.print(catalog.solvers_page())


@app.command("schema")
def print_schema() -> None:
    """Print the JSON Schema of session files, for editors."""
    from workbench.session.schema import schema

    print(json.dumps(schema(), indent=2, ensure_ascii=False))
    _tell_skipped()


def _tell_skipped() -> None:
    from workbench.cli.listings import skipped_operations

    for line in skipped_operations():
        narrate.print(line, style="yellow", markup=False, soft_wrap=True)


@app.command()
def doctor(checkpoints: CHECKPOINTS = None, runs: RUNS = None) -> None:
    """Say what is here and what to do about what is not well; exit 1 when something is bad."""
    from workbench.cli.doctor import checks, render

    found = checks(checkpoints or [], runs)
    data.print(render(found))
    raise SystemExit(any(check.status == "bad" for check in found))


@app.command()
def engine(device: DEVICE = "auto", checkpoints: CHECKPOINTS = None) -> None:
    """Serve a screen over stdin and stdout; the screen starts this by itself."""
    from workbench.engine.__main__ import main as serve

    folders_ = [f"--checkpoints={folder}" for folder in checkpoints or []]
    serve([f"--device={device}", *folders_])


@app.command()
def bench(
    full: Annotated[bool, typer.Option("--full", help="Every grid, every peer's setting.")] = False,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write the tables to this file as JSON.")
    ] = None,
    markdown: Annotated[
        Path | None, typer.Option(help="Write the tables to this file as Markdown.")
    ] = None,
    original: Annotated[
        Path | None,
        typer.Option(help="A checkout of openai/guided-diffusion or suxuann/ddib; its code runs."),
    ] = None,
    device: DEVICE = "auto",
    images: Annotated[int, typer.Option(min=1, help="How many held-out digits.")] = 16,
    repeats: Annotated[int, typer.Option(min=1, help="Of all that is timed.")] = 3,
    nfe: Annotated[
        list[int] | None,
        typer.Option(min=1, help="Evaluations each way in the solvers' table; repeatable."),
    ] = None,
) -> None:
    """Measure solvers, network and peers on this machine, with the shipped checkpoints.

    The tables go to stdout. When interrupted it keeps what was finished.
    """
    from workbench.benchmark import command

    outputs = command.check_outputs({"json": json_file, "markdown": markdown}, _may_replace)
    with command.exit_on_signals():
        from workbench.benchmark.run import Options, plan
        from workbench.engine.devices.device import pick_device

        chosen = Options(
            device=pick_device(device),
            images=images,
            full=full,
            repeats=repeats,
            evaluations=tuple(nfe or ()),
            original=original,
        )
        report, jobs = plan(chosen)
        try:
            command.follow(report, jobs, narrate)
        finally:
            command.show(report, data)
            command.write(report, outputs)


def _may_replace(path: Path) -> bool:
    return sys.stdin.isatty() and typer.confirm(f"replace {path}?", err=True)


@app.command()
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
        bool, typer.Option(help="One model that is told the digit.")
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
        int, typer.Option(min=4, help="Image size of a folder's model, or of colours.")
    ] = 32,
    out: Annotated[
        Path | None, typer.Option(help="Folder to write to; else the user's checkpoints.")
    ] = None,
    steps: Annotated[int | None, typer.Option(min=1, help="Budget in steps.")] = None,
    minutes: Annotated[float | None, typer.Option(min=0.0, help="Budget in minutes.")] = None,
    batch: Annotated[int, typer.Option(min=1)] = 64,
    width: Annotated[
        int | None, typer.Option(min=64, help="Channels; a multiple of 64; else 64, of points 96.")
    ] = None,
    patch_size: Annotated[
        int, typer.Option(min=1, help="Pixels folded into channels; 2 is 2-3 times cheaper.")
    ] = 2,
    learning_rate: Annotated[float, typer.Option()] = 1.5e-3,
    parameterisation: Annotated[Literal["v", "epsilon"], typer.Option()] = "v",
    noise_levels: Annotated[
        Literal["time", "mixed", "log"] | None,
        typer.Option(
            help="Uniform in time, half of them in log σ: better latents, or all: for points."
        ),
    ] = None,
    precision: Annotated[
        Literal["bf16", "float32"] | None, typer.Option(help="Else bf16, of points float32.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0)] = 0,
    force: Annotated[bool, typer.Option(help="Replace a checkpoint of that name.")] = False,
) -> None:
    """Train a domain's model (or the probe, or a classifier) and write its checkpoint.

    A training that was stopped goes on where it was when the same command is given again.
    """
    from ddib.checkpoints import checkpoint as checkpoints
    from ddib.data import training as training_data
    from ddib.data.points import SHAPES
    from ddib.training import training

    path = (out or checkpoints.USER_CHECKPOINTS) / f"{name}{checkpoints.SUFFIX}"
    if path.exists() and not force:
        raise InputError(f"{path} is there already; choose another --name or give --force")
    if probe and classifier:
        raise InputError("--probe and --classifier are two trainings; give one of them")
    if dataset != "colored-mnist":
        if probe or classifier:
            raise InputError("--probe and --classifier train on colored-mnist only")
        if class_conditional:
            raise InputError(f"--class-conditional takes colored-mnist: {dataset} has no labels")
    if steps is None and minutes is None:
        minutes = 12.0
    points = dataset in SHAPES or dataset == "colours"
    config = training.TrainingConfig(
        steps=steps,
        minutes=minutes,
        batch=batch,
        learning_rate=learning_rate,
        parameterisation=parameterisation,
        noise_levels=noise_levels or ("log" if points else "time"),
        precision=precision or ("float32" if points else "bf16"),
        seed=seed,
    )
    command = shlex.join(["ddib-workbench", *sys.argv[1:]])
    data, domain = _training_data(dataset, digit, root, size)
    if isinstance(data, training_data.ColoredDigits) and (probe or classifier):
        held_out = training_data.ColoredDigits(data.root, data.labels, "test")
        progress = (training.train_probe if probe else training.train_classifier)(
            path, data=data, held_out=held_out, config=config, command=command
        )
    else:
        progress = training.train_denoiser(
            path,
            domain=domain,
            data=data,
            architecture=_architecture(points, data.channels, width, class_conditional, patch_size),
            config=config,
            command=command,
        )
    _watch_training(name, progress)
    narrate.print(f"wrote {path}", markup=False)


def _training_data(
    dataset: str, digit: list[int] | None, root: Path | None, size: int
) -> "tuple[TrainingData, str]":
    """What to train on, and what its domain is called."""
    from ddib.checkpoints import checkpoint as checkpoints
    from ddib.data import training as training_data
    from ddib.data.points import SHAPES
    from ddib.data.sources import download_mnist

    if dataset == "colored-mnist":
        folder = root or download_mnist(checkpoints.USER_CHECKPOINTS.parent / "mnist")
        digits = tuple(sorted(set(digit or range(10))))
        words = "digits" if len(digits) > 1 else DIGIT_NAMES[digits[0]]
        return training_data.ColoredDigits(folder, digits, "train"), f"colored-mnist {words}"
    if dataset in SHAPES:
        return training_data.Synthetic(dataset), f"synthetic {dataset}"
    if dataset == "colours":
        if root is None:
            raise InputError("--dataset colours takes a picture as --root")
        return training_data.Colours(root, size), f"colours of {root.stem}"
    return training_data.Pictures(Path(dataset), size), Path(dataset).resolve().name


def _architecture(
    points: bool, channels: int, width: int | None, class_conditional: bool, patch_size: int
) -> "UNetConfig | MlpConfig":
    from ddib.networks.configurations import MlpConfig, UNetConfig

    if points:
        return MlpConfig(channels=channels, width=width or 96)
    if (width or 64) % 64:
        raise InputError("--width takes a multiple of 64: the norms have 32 groups at width × 1.5")
    return UNetConfig(
        in_channels=channels,
        out_channels=channels,
        model_channels=width or 64,
        num_classes=10 if class_conditional else None,
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
