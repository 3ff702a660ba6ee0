"""Other implementations on the same weights, each beside the cheapest of our settings that does
as well."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from math import inf
from pathlib import Path
from statistics import median
from typing import NamedTuple

from torch import Tensor

import ddib
from ddib.measures.images import rmse
from workbench.benchmark.frontier import Found, words
from workbench.benchmark.peer import Move, Peer
from workbench.benchmark.report import Column
from workbench.benchmark.subject import Subject
from workbench.benchmark.timing import Clock


@dataclass(frozen=True)
class Measured:
    """A peer, or ours beside it: the cheapest of our settings within the peer's bound.

    `wanted` is the latent error that ours has to reach; `ratio` the peer's seconds over ours.
    """

    name: str
    nfe: int | None = None
    latent_rmse: float | None = None
    cycle_psnr: float | None = None
    seconds: float | None = None
    wanted: float | None = None
    ratio: float | None = None


COLUMNS = (
    Column("name", "implementation"),
    Column("nfe", "NFE each way", "d"),
    Column("latent_rmse", "latent RMSE", ".4f"),
    Column("cycle_psnr", "cycle dB", ".1f"),
    Column("seconds", "s both ways", ".2f"),
    Column("wanted", "asked of ours", ".4f"),
    Column("ratio", "times faster", ".1f"),
)
_LONG = 200  # evaluations each way; as many average over the machine's noise by themselves
_LEAST_TURNS = 3  # of ours, which is short


class Peers(NamedTuple):
    """The peers that are here, and a line for each: how it is run, or how to get it."""

    peers: list[Peer]
    notes: list[str]


def available(subject: Subject, full: bool, original: Path | None) -> Peers:
    """What can be compared here; raises InputError for a checkout that is not one."""
    found = Peers([], [])
    if original is None:
        found.notes.append(
            "The original's loops are not measured: name a checkout of openai/guided-diffusion "
            "or suxuann/ddib with --original PATH."
        )
    else:
        from workbench.benchmark import original as loops

        found.peers.extend(loops.peers(subject, original, full))
        found.notes.append(loops.NOTE)
    try:
        from workbench.benchmark import huggingface
    except ImportError:
        found.notes.append(
            "diffusers is not installed and not measured: pip install 'ddib-workbench[bench]'."
        )
    else:
        found.peers.extend(huggingface.peers(subject, full))
        found.notes.append(huggingface.NOTE)
    return found


def cheapest(
    settings: Sequence[Found], latent_rmse: float, cycle_psnr: float = -inf
) -> Found | None:
    """The setting with the fewest evaluations that is within these bounds, if any is."""
    good = [
        found
        for found in settings
        if found.point.latent_rmse <= latent_rmse and found.point.cycle_psnr >= cycle_psnr
    ]
    return min(good, key=lambda found: (found.point.nfe, found.point.latent_rmse), default=None)


def rounds(peer: Peer, repeats: int) -> int:
    """How often a peer is timed."""
    return repeats if peer.evaluations <= _LONG else 1


def compare(subject: Subject, peer: Peer, settings: Sequence[Found], times: int) -> list[Measured]:
    """The peer, ours, and ours with a cycle no worse than the peer's where that is another.

    All go there and back by the source's model and are timed in turns.
    """
    clock, images, model = subject.clock, subject.images, subject.source
    latent, cycled, first = _round_trip(images, peer.encode, peer.decode, clock)
    error, cycle = rmse(latent, peer.exact()), float(ddib.psnr(cycled, images).mean())
    best = cheapest(settings, peer.bound * error)
    both = cheapest(settings, peer.bound * error, cycle)
    chosen = [best] if both in (None, best) else [best, both]
    theirs = [first]
    ours: list[list[float]] = [[] for _ in chosen]
    for turn in range(max(times, _LEAST_TURNS)):
        for found, taken in zip(chosen, ours, strict=True):
            if found is not None:
                encode = partial(ddib.encode, model=model, solver=found.solver)
                decode = partial(ddib.decode, model=model, solver=found.solver)
                taken.append(_round_trip(images, encode, decode, clock).seconds)
        if turn + 1 < times:
            theirs.append(_round_trip(images, peer.encode, peer.decode, clock).seconds)
    measured = Measured(
        name=peer.name,
        nfe=peer.evaluations,
        latent_rmse=error,
        cycle_psnr=cycle,
        seconds=median(theirs),
        wanted=peer.bound * error,
    )
    rows = [_ours(found, taken, theirs) for found, taken in zip(chosen, ours, strict=True)]
    return [measured, *rows]


def _ours(found: Found | None, ours: Sequence[float], theirs: Sequence[float]) -> Measured:
    if found is None:
        return Measured("ours: none of the settings above")
    return Measured(
        name=f"ours: {words(found.solver)}",
        nfe=found.point.nfe,
        latent_rmse=found.point.latent_rmse,
        cycle_psnr=found.point.cycle_psnr,
        seconds=median(ours),
        ratio=median(theirs) / median(ours),
    )


class _Trip(NamedTuple):
    latent: Tensor
    images: Tensor
    seconds: float


def _round_trip(images: Tensor, encode: Move, decode: Move, clock: Clock) -> _Trip:
    begun = clock()
    latent = encode(images)
    back = decode(latent)
    return _Trip(latent, back, clock() - begun)
