"""Mistakes in a chain are found before anything runs."""

from collections.abc import Callable
from pathlib import Path

import pytest
from chain_runs import CYCLE, plan
from PIL import Image

from ddib.errors import InputError
from workbench.engine.planning.plan import make_plan
from workbench.session.reading import parse_session


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ("cmnist-fives}]", "cmnist-fivs}]", "6: chain.0.checkpoint: no checkpoint"),
        ("cmnist-fives}]", "cmnist-fives, label: 7}]", "6: chain.0.label: no label 7"),
        ("cmnist-fives}]", "cmnist-probe}]", "6: chain.0.checkpoint: cmnist-probe is a probe"),
        ("cmnist-sevens}", "[cmnist-sevens, nix]}", "5: target.checkpoint.1: no checkpoint"),
        ("cmnist-sevens}", "cmnist-digits, label: [1, 10]}", "5: target.label: no label 10"),
        ("images: [", "label: own\n  images: [{path: a.png}, ", "source.label: own: the class of"),
        ("images: [", "label: own\n  images: [{dataset: colored-mnist, digit: 3}, ", "no label 3"),
    ],
)
def test_each_mistake_names_its_line_and_key(
    tmp_path: Path, old: str, new: str, place: str
) -> None:
    Image.new("RGB", (32, 32)).save(tmp_path / "a.png")
    file = tmp_path / "s.yaml"
    assert old in CYCLE
    file.write_text(CYCLE.replace(old, new))
    session = parse_session(file.read_text())
    with pytest.raises(InputError) as caught:
        make_plan(session, tmp_path, file=file)
    assert place in str(caught.value) and "s.yaml:" in str(caught.value)


def test_an_end_of_another_size_is_found(
    tmp_path: Path, write_checkpoint: Callable[..., Path]
) -> None:
    path = write_checkpoint(tmp_path, "small")
    header = path.read_bytes().replace(b'\\"image_size\\":32', b'\\"image_size\\":16')
    path.write_bytes(header)
    with pytest.raises(InputError, match=r"chain\.0\.checkpoint: .*16×16×3.*the same size"):
        plan(CYCLE, chain=f"[{{checkpoint: {path}}}]")
