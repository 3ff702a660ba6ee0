"""Each format's own example, changed to do harm: it is refused by name, soon, and nothing runs."""

import os
import pickle
import struct
import time
import zipfile
from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from ddib.errors import InputError
from ddib.formats.format import Domain, Example, Format, Opened, Source
from ddib.formats.opening import known_formats, open_source, parse_flags, recognise
from ddib.formats.weights import read_weights

MARK = "executed"
SECONDS = 1  # in which a file is refused
State = dict[str, Tensor]


class Bomb:
    """A pickle that executes a command."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Callable[[str], int], tuple[str]]:
        return os.system, (f"touch {self.mark}",)


def tensors(weights: Path) -> State:
    """Copies, for the file that they are mapped from is overwritten."""
    return {name: tensor.clone() for name, tensor in read_weights(weights).items()}


def write_archive(content: object, weights: Path) -> Path:
    """Write what torch writes, under a suffix that torch reads, in place of the weights."""
    weights.unlink()
    archive = weights.with_suffix(".bin") if weights.suffix == ".safetensors" else weights
    torch.save(content, archive)
    return archive


def replace_by_a_pickle(weights: Path) -> None:
    weights.write_bytes(pickle.dumps(Bomb(weights.parent / MARK)))


def hide_a_pickle_in_an_archive(weights: Path) -> None:
    write_archive({"model": Bomb(weights.parent / MARK)}, weights)


def pack(weights: Path) -> None:
    """An archive that unpacks to a thousand times its size."""
    with zipfile.ZipFile(weights, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", b"\0" * 30_000_000)


def leave_the_archive(weights: Path) -> None:
    with zipfile.ZipFile(write_archive(tensors(weights), weights), "a") as archive:
        archive.writestr("archive/../../../escaped", b"x")


def claim_100_gb(weights: Path) -> None:
    weights.write_bytes(struct.pack("<Q", 100 * 2**30) + b"{}")


def make_endless(weights: Path) -> None:
    """A number of each tensor made out to be 10^12 of them."""
    endless = torch.zeros(1).as_strided((10**12,), (0,))
    write_archive(dict.fromkeys(tensors(weights), endless), weights)


def cut_off(weights: Path) -> None:
    weights.write_bytes(weights.read_bytes()[:-1000])


def empty(weights: Path) -> None:
    weights.write_bytes(b"")


def rewrite(weights: Path, change: Callable[[State], State]) -> None:
    """Change the tensors and leave the container as it is."""
    state = change(tensors(weights))
    if weights.suffix == ".safetensors":
        save_file(state, weights)
    else:
        torch.save(state, weights)


def put_nan(weights: Path) -> None:
    rewrite(weights, lambda state: {n: torch.full_like(t, torch.nan) for n, t in state.items()})


def widen(weights: Path) -> None:
    """Every vector has a number more."""
    rewrite(
        weights,
        lambda state: {n: torch.cat([t, t[:1]]) if t.ndim == 1 else t for n, t in state.items()},
    )


def make_scalars(weights: Path) -> None:
    rewrite(weights, lambda state: {name: torch.zeros(()) for name in state})


def make_empty_tensors(weights: Path) -> None:
    rewrite(weights, lambda state: {n: t.flatten()[:0].clone() for n, t in state.items()})


def take_every_second_away(weights: Path) -> None:
    rewrite(weights, lambda state: {n: t for i, (n, t) in zip(count(), state.items()) if i % 2})


def take_the_last_away(weights: Path) -> None:
    rewrite(weights, lambda state: dict(list(state.items())[:-1]))


def add_a_stranger(weights: Path) -> None:
    rewrite(weights, lambda state: state | {"stranger": torch.zeros(3)})


CHANGES = {
    replace_by_a_pickle: "executes code",
    hide_a_pickle_in_an_archive: "could execute code",
    pack: "packed archive",
    leave_the_archive: "paths that leave it",
    claim_100_gb: "damaged",
    make_endless: "larger than what is there",
    cut_off: "damaged",
    empty: "damaged",
    put_nan: "NaN",
    widen: ".+",
    make_scalars: ".+",
    make_empty_tensors: ".+",
    take_every_second_away: ".+",
    take_the_last_away: ".+",
    add_a_stranger: ".+",
}
"""What is done to a file of weights, and what the message says of it at least."""

FORMATS = pytest.mark.parametrize("known", known_formats(), ids=lambda known: known.name)


def named(parameter: object) -> str:
    return getattr(parameter, "__name__", "")


def written(known: Format, folder: Path) -> Example:
    try:
        return known.example(folder)
    except InputError as error:
        pytest.skip(str(error))


def weights_of(path: Path) -> Path:
    """The file of weights: a file itself, of a folder the largest."""
    files = [file for file in path.rglob("*") if file.is_file()] if path.is_dir() else [path]
    return max(files, key=lambda file: file.stat().st_size)


def read(example: Example) -> Opened:
    source = Source(example.path)
    known = recognise(source)
    return open_source(source, known, parse_flags(example.flags, known.flags), Domain("things"))


@FORMATS
def test_the_example_is_honest(known: Format, tmp_path: Path) -> None:
    example = written(known, tmp_path)
    assert recognise(Source(example.path)) is known
    found = read(example)
    assert found.facts.domain == "things"
    assert sum(tensor.numel() for tensor in found.state.values()) == found.facts.parameters
    assert weights_of(example.path).stat().st_size < 2_000_000


@FORMATS
@pytest.mark.parametrize(("change", "said"), CHANGES.items(), ids=named)
def test_a_changed_one_is_refused(
    change: Callable[[Path], None], said: str, known: Format, tmp_path: Path
) -> None:
    example = written(known, tmp_path)
    change(weights_of(example.path))
    seconds = []
    for _ in range(3):  # the least of three: other programs only add to it
        begun = time.process_time()
        with pytest.raises(InputError, match=said) as refused:
            read(example)
        seconds.append(time.process_time() - begun)
        assert str(tmp_path) in str(refused.value)
        if seconds[-1] < SECONDS:
            break
    assert min(seconds) < SECONDS
    assert not (tmp_path / MARK).exists()
