"""What `ddib-workbench bench` does around the measurements: progress, interruption, files."""

import signal
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, NoReturn

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from ddib.errors import InputError, RunError
from workbench.benchmark.report import Report, as_json, as_markdown, as_terminal
from workbench.support.files import atomic_write, check_folder, new_file, why

if TYPE_CHECKING:
    from workbench.benchmark.run import Job

RENDERERS: dict[str, Callable[[Report], str]] = {"json": as_json, "markdown": as_markdown}


@dataclass(frozen=True)
class Output:
    """A file that the report goes to; `replace` when the user agreed to lose what is there."""

    path: Path
    render: Callable[[Report], str]
    replace: bool


def check_outputs(
    wanted: Mapping[str, Path | None], may_replace: Callable[[Path], bool]
) -> list[Output]:
    """The files of each kind (`json`, `markdown`) that is wanted.

    Raises InputError for one that cannot be written, or is there and may not be replaced.
    """
    outputs = []
    for kind, path in wanted.items():
        if path is None:
            continue
        check_folder(path.parent, "the report")
        if path.is_dir():
            raise InputError(f"{path}: a folder; --{kind} takes a file")
        there = path.exists()
        if there and not may_replace(path):
            raise InputError(f"{path} is there already; name another file")
        outputs.append(Output(path, RENDERERS[kind], there))
    return outputs


@contextmanager
def exit_on_signals() -> Iterator[None]:
    """SIGINT and SIGTERM raise SystemExit wherever the work is, with the manual's exit codes."""

    def leave(number: int, _: FrameType | None) -> NoReturn:
        raise SystemExit(128 + number)

    before = {number: signal.signal(number, leave) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def follow(report: Report, jobs: "Sequence[Job]", narrate: Console) -> None:
    """Do the jobs one after another, with progress; at the end the report is done."""
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=narrate, transient=True) as bar:
        task = bar.add_task("", total=sum(job.evaluations for job in jobs))
        for job in jobs:
            bar.update(task, description=job.words)
            if not narrate.is_terminal:
                narrate.print(job.words)
            job.do()
            bar.advance(task, job.evaluations)
    report.status = "done"


def show(report: Report, data: Console) -> None:
    """The tables, drawn for a terminal, as Markdown for a pipe or a file."""
    if data.is_terminal:
        data.print(as_terminal(report))
    else:
        sys.stdout.write(as_markdown(report))
        sys.stdout.flush()


def write(report: Report, outputs: Sequence[Output]) -> None:
    """Every file, whole; raises RunError for one that cannot be written."""
    for output in outputs:
        content = output.render(report).encode()
        try:
            output.path.parent.mkdir(parents=True, exist_ok=True)
            if output.replace:
                atomic_write(output.path, content)
            else:
                with new_file(output.path) as temporary:
                    temporary.write_bytes(content)
        except OSError as error:
            raise RunError(f"{output.path}: not written: {why(error)}") from error
