"""`ddib-workbench replay`: sessions run headless."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ddib.errors import InputError
from ddib.paths import user_path
from workbench.cli.commands.reference import report_skipped
from workbench.cli.console import narrate
from workbench.cli.interruption import stop_signals
from workbench.cli.options import CHECKPOINTS, CHUNK, DEVICE, MEMORY, PRECISION, RAY, RUNS

if TYPE_CHECKING:
    from workbench.engine.execution.engine import Engine


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
    from workbench.cli import headless
    from workbench.library.configuration import read_config
    from workbench.library.folders import folders
    from workbench.runs.manifest import read_manifest
    from workbench.support.files import check_folder, parse_size
    from workbench.support.logs import log_to_file

    log_to_file(folders().log, verbose)
    report_skipped()
    if check is not None and len(session) > 1:
        raise InputError("--check compares one session with one run")
    if check is not None:
        read_manifest(user_path(check))
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
        narrate.print(words)
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
