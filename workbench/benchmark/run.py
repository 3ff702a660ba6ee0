"""The plan of a benchmark: small jobs, each of which adds its rows to the report."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import NamedTuple

import torch

from ddib.measures.images import rmse
from ddib.solvers.solver import Solver
from workbench.benchmark import frontier, network, overhead, peers
from workbench.benchmark.frontier import Found, words
from workbench.benchmark.machine import machine
from workbench.benchmark.peer import Peer
from workbench.benchmark.report import Report, Table
from workbench.benchmark.subject import (
    DIGIT,
    GOLD,
    QUICK_GOLD,
    SOURCE,
    TARGET,
    Subject,
    load_subject,
)


@dataclass(frozen=True)
class Options:
    """What to measure: `evaluations` each way for the frontier; `original` is a checkout."""

    device: torch.device
    images: int = 16
    full: bool = False
    repeats: int = 3
    evaluations: tuple[int, ...] = ()
    original: Path | None = None


class Job(NamedTuple):
    """A part of the benchmark, and about how many network evaluations it takes."""

    words: str
    evaluations: int
    do: Callable[[], object]


def plan(options: Options) -> tuple[Report, list[Job]]:
    """An empty report, and the jobs that fill it in their order.

    Raises InputError where a checkpoint, the digits or the original's checkout are not to be had.
    """
    gold = GOLD if options.full else QUICK_GOLD
    subject = load_subject(options.device, options.images, gold)
    known = peers.available(subject, options.full, options.original)
    tables = {table.name: table for table in _tables(options, subject.gold, known.notes)}
    settings: list[Found] = []
    jobs = [
        *_frontier_jobs(subject, options, tables["frontier"], settings),
        *_peer_jobs(subject, options, tables["peers"], known.peers, settings),
        *_network_jobs(subject, options, tables["network"]),
        *_overhead_jobs(subject, options, tables["overhead"]),
    ]
    return Report(machine(options.device), list(tables.values())), jobs


def _tables(options: Options, gold: Solver, notes: Sequence[str]) -> Iterator[Table]:
    images = f"{options.images} held-out digits ({DIGIT}), 32×32, float32"
    yield Table(
        "frontier",
        f"Solvers: {images}",
        frontier.COLUMNS,
        f"Cycle: {SOURCE} both ways, mean PSNR. Translation: {SOURCE} to {TARGET}. "
        f"Errors: RMSE against the exact solution ({_gold(gold)}). "
        "Seconds: the median of the three solves.",
    )
    yield Table(
        "peers",
        f"Peers on the same weights: {images}, {SOURCE} both ways",
        peers.COLUMNS,
        "Ours: of the settings above, the one with the fewest evaluations that reaches the latent "
        "error asked of it; a second line where the first's cycle is worse than the peer's. "
        "Seconds: there and back, medians, taken in turns.",
        list(notes),
    )
    yield Table(
        "network",
        "The network beside a matrix product of the same precision",
        network.COLUMNS,
        f"An evaluation D(z, σ), median of {_passes(options)}. Matrix product: GFLOP/s for "
        f"{network.PRODUCT} rows and columns. RMSE: against plain float32.",
    )
    yield Table(
        "overhead",
        "Outside the network",
        overhead.COLUMNS,
        f"Share of the wall time of encode and decode, medians of {options.repeats}.",
    )


def _gold(solver: Solver) -> str:
    steps = f"{solver.steps} steps" if solver.evaluations else f"tolerance {solver.tolerance:g}"
    return f"{solver.name}, {steps}"


def _passes(options: Options) -> int:
    """Forward passes timed for each precision and batch."""
    return 5 * options.repeats


def _frontier_jobs(
    subject: Subject, options: Options, table: Table, settings: list[Found]
) -> Iterator[Job]:
    def measure(solver: Solver) -> None:
        settings.append(Found(solver, frontier.measure(subject, solver)))
        table.add(settings[-1].point)

    def check_exact() -> None:
        difference = rmse(subject.latent, replace(subject, gold=QUICK_GOLD).latent)
        table.notes.append(
            f"The exact latent differs by an RMSE of {difference:.4f} from that of "
            f"{_gold(QUICK_GOLD)}."
        )

    yield Job("exact solution", 400, lambda: (subject.latent, subject.translation))
    if subject.gold != QUICK_GOLD:
        yield Job("a second exact solution", 200, check_exact)
    full = options.full
    chosen = frontier.settings(
        options.evaluations or (frontier.FULL if full else frontier.SHORT),
        frontier.FULL_TOLERANCES if full else frontier.SHORT_TOLERANCES,
        frontier.grids(full),
        len(subject.source.sigmas),
    )
    for solver in chosen:
        yield Job(words(solver), 3 * (solver.evaluations or 100), partial(measure, solver))


def _peer_jobs(
    subject: Subject,
    options: Options,
    table: Table,
    found: Sequence[Peer],
    settings: list[Found],
) -> Iterator[Job]:
    def measure(peer: Peer, rounds: int) -> None:
        for row in peers.compare(subject, peer, settings, rounds):
            table.add(row)

    for peer in found:
        rounds = peers.rounds(peer, options.repeats)
        yield Job(peer.name, rounds * 2 * peer.evaluations, partial(measure, peer, rounds))


def _network_jobs(subject: Subject, options: Options, table: Table) -> Iterator[Job]:
    def measure(precision: str) -> None:
        try:
            for speed in network.measure(subject, precision, batches, _passes(options)):
                table.add(speed)
        except RuntimeError as error:
            table.notes.append(f"{precision}: not measured: {str(error).splitlines()[0]}")

    batches = network.FULL if options.full else network.SHORT
    for precision in network.PRECISIONS:
        yield Job(f"network in {precision}", 20, partial(measure, precision))


def _overhead_jobs(subject: Subject, options: Options, table: Table) -> Iterator[Job]:
    def measure() -> None:
        solver = Solver()
        for row in overhead.measure(subject, solver, options.repeats):
            table.add(row)

    yield Job("outside the network", 40 * options.repeats, measure)
