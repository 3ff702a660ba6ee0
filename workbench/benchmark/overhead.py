"""The share of encode and decode that is spent outside the network."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median

from torch import nn

import ddib
from ddib.solvers.solver import Solver
from workbench.benchmark.report import Column
from workbench.benchmark.subject import Subject
from workbench.benchmark.timing import Clock, Work


@dataclass(frozen=True)
class Overhead:
    """Median seconds of a direction, those inside the network, and the share outside of it."""

    direction: str
    solver: str
    images: int
    seconds: float
    network_seconds: float
    outside: float


COLUMNS = (
    Column("direction", "direction"),
    Column("solver", "solver"),
    Column("images", "images", "d"),
    Column("seconds", "s", ".3f"),
    Column("network_seconds", "in the network", ".3f"),
    Column("outside", "outside", ".1%"),
)


def measure(subject: Subject, solver: Solver, repeats: int) -> Iterator[Overhead]:
    """Encode, then decode, by the source's model."""
    model = subject.source
    latent = ddib.encode(subject.images, model, solver)  # warms up
    directions: dict[str, Work] = {
        "encode": lambda: ddib.encode(subject.images, model, solver),
        "decode": lambda: ddib.decode(latent, model, solver),
    }
    for direction, work in directions.items():
        rounds = [split(work, subject.network, subject.clock) for _ in range(repeats)]
        yield Overhead(
            direction=direction,
            solver=f"{solver.name} {solver.grid} {solver.steps}",
            images=len(subject.images),
            seconds=median(whole for whole, _ in rounds),
            network_seconds=median(inside for _, inside in rounds),
            outside=median(1 - inside / whole for whole, inside in rounds),
        )


def split(work: Work, network: nn.Module, clock: Clock) -> tuple[float, float]:
    """Seconds that `work` takes, and those of them inside `network`."""
    with _inside(network, clock) as spent:
        begun = clock()
        work()
        whole = clock() - begun
    return whole, spent()


@contextmanager
def _inside(network: nn.Module, clock: Clock) -> Iterator[Callable[[], float]]:
    """A function that tells the seconds spent in the network's forward passes so far."""
    begun: list[float] = []
    spent: list[float] = []
    before = network.register_forward_pre_hook(lambda *_: begun.append(clock()))
    after = network.register_forward_hook(lambda *_: spent.append(clock() - begun.pop()))
    try:
        yield lambda: sum(spent)
    finally:
        before.remove()
        after.remove()
