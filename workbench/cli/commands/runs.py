"""`ddib-workbench runs`: the kept runs."""

from pathlib import Path
from typing import Annotated, Any

import typer

from workbench.cli.console import data, narrate, print_json, print_path
from workbench.cli.options import RUNS
from workbench.support.text import clean

app = typer.Typer(no_args_is_help=True, help="The kept runs.")


@app.command("list")
def list_kept(runs: RUNS = None) -> None:
    """List the kept runs, newest first."""
    from workbench.cli import tables
    from workbench.library.folders import folders
    from workbench.runs.leftovers import leftovers
    from workbench.runs.store import list_runs

    folder = runs or folders().runs
    stored = list_runs(folder)
    data.print(tables.runs_table(stored))
    for left in leftovers(folder):
        narrate.print(f"left of a run that was ended: {left}; `runs clean` deletes it")
    for problem in filter(None, (run.notes_problem for run in stored)):
        narrate.print(f"{problem}; its notes are left out")


@app.command("show")
def show_run(name: str, runs: RUNS = None) -> None:
    """Print a run's manifest as JSON."""
    from workbench.library.folders import folders
    from workbench.runs.manifest import read_manifest
    from workbench.runs.store import find_run

    print_json(read_manifest(find_run(runs or folders().runs, name)).model_dump_json())


@app.command("pin")
def pin_run(name: list[str], runs: RUNS = None) -> None:
    """Pin runs: the history shows them first."""
    _note(name, runs, pinned=True)


@app.command("unpin")
def unpin_run(name: list[str], runs: RUNS = None) -> None:
    """Take the pins of runs away."""
    _note(name, runs, pinned=False)


@app.command("rename")
def rename_run(name: str, title: str, runs: RUNS = None) -> None:
    """Give a run a name, shown in place of its session's title; "" takes it away."""
    _note([name], runs, name=title)


@app.command("annotate")
def annotate_run(name: str, note: str, runs: RUNS = None) -> None:
    """Write a note on a run; "" takes it away."""
    _note([name], runs, note=note)


def _note(names: list[str], runs: Path | None, **changes: Any) -> None:
    from workbench.library.folders import folders
    from workbench.runs.notes import change_notes
    from workbench.runs.store import find_run

    for path in [find_run(runs or folders().runs, name) for name in names]:
        change_notes(path, **changes)


@app.command("export")
def export_kept(name: str, destination: Path, runs: RUNS = None) -> None:
    """Copy a run to a new folder, or to a new .zip; nothing is overwritten."""
    from workbench.library.folders import folders
    from workbench.runs.export import export_run
    from workbench.runs.store import find_run

    print_path(export_run(find_run(runs or folders().runs, name), destination))


@app.command("delete")
def delete_kept(
    name: list[str],
    runs: RUNS = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Delete runs from the store, after asking."""
    from workbench.library.folders import folders
    from workbench.runs.store import delete_run, run_to_delete

    folder = runs or folders().runs
    found = [run_to_delete(folder, one) for one in name]
    for one, path in zip(name, found, strict=True):
        if yes or typer.confirm(clean(f"delete {path}?"), err=True):
            delete_run(folder, one)
            narrate.print(f"deleted {one}")


@app.command("clean")
def clean_kept(
    runs: RUNS = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Delete what is left of runs that were ended, after asking; the runs themselves stay."""
    from workbench.library.folders import folders
    from workbench.runs.leftovers import clear, leftovers

    for left in leftovers(runs or folders().runs):
        if yes or typer.confirm(clean(f"delete {left}?"), err=True):
            clear([left])
            narrate.print(f"deleted {left}")
