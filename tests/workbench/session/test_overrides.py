"""Changing one value of a session, and the paths in it."""

from pathlib import Path

import pytest
from session_examples import EXAMPLE, with_values

from ddib.operations.values import Normalize
from workbench.session.errors import SessionError
from workbench.session.overrides import set_value
from workbench.session.paths import with_absolute_paths
from workbench.session.reading import parse_session
from workbench.session.schema import sweeps
from workbench.session.writing import dump_session
from workbench.support.yaml_text import read


def test_values_are_set_by_path() -> None:
    session = parse_session(EXAMPLE)
    assert set_value(session, "solver.steps", "7").solver.steps == 7
    assert set_value(session, "solver.steps", "auto").solver.steps == "auto"
    assert set_value(session, "target.label", "[5, 7]").target.label == (5, 7)
    assert set_value(session, "target.label", "null").target.label is None
    assert set_value(session, "recipe.latent.0.mode", "l2").recipe.latent[0] != Normalize()
    assert not set_value(session, "recipe.latent.1.enabled", "false").recipe.latent[1].enabled
    swept = set_value(session, "recipe.latent.1.coefficient.0", "0.5")
    assert sweeps(swept)["latent.1.coefficient"] == (0.5, 0.1, 0.3, 0.7)
    assert session == parse_session(EXAMPLE)


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("recpe.latent", "[]", "recpe.latent: unknown key recpe; did you mean recipe?"),
        ("recipe.latent.1.coeficient", "1", "unknown key coeficient; did you mean coefficient?"),
        (
            "recipe.latent.2.op",
            "blur",
            "recipe.latent.2.op: there is no 2; expected an index from 0 to 1",
        ),
        ("recipe.latent.x", "1", "expected an index from 0 to 1"),
        ("recipe.latent.-1", "1", "expected an index from 0 to 1"),
        ("recipe.image.0", "1", "recipe.image.0: there is no 0; the list is empty"),
        ("solver.steps.x", "1", "solver.steps.x: 20 has no part x"),
        ("solver.steps", "many", "solver.steps: is many; expected a whole number"),
        ("solver.steps", "[1", "solver.steps: the text ends too early"),
        ("solver.grid", "reference", "solver.grid: the reference grid"),
        ("recipe.latent.1.coefficient", "-1", "recipe.latent.1.coefficient: is -1; expected at"),
        ("recipe.latent", "[{op: scal}]", "recipe.latent.0.op: scal is not known; did you mean s"),
        ("zzz", "1", "zzz: unknown key zzz; expected one of version"),
        ("", "1", "unknown key ; expected"),
        ("title", "", "title: is null; expected text"),
        ("title", "&a x", "title: anchors"),
        ("version", "3", "version: 3 is newer"),
    ],
)
def test_what_cannot_be_set_says_why(path: str, value: str, said: str) -> None:
    with pytest.raises(SessionError) as caught:
        set_value(parse_session(EXAMPLE), path, value)
    assert said in str(caught.value)


def test_relative_paths_start_from_the_session_file(tmp_path: Path) -> None:
    session = with_values(
        source__checkpoint="models/fives.safetensors",
        source__images="[{path: photos/*.png}, {dataset: colored-mnist, digit: 5, root: mnist}]",
    )
    there = with_absolute_paths(session, tmp_path)
    assert there.source.checkpoint == str(tmp_path / "models/fives.safetensors")
    assert there.target.checkpoint == "cmnist-sevens"
    assert there.source.images[0].path == str(tmp_path / "photos/*.png")  # type: ignore[attr-defined]
    assert there.source.images[1].root == str(tmp_path / "mnist")  # type: ignore[attr-defined]
    assert with_absolute_paths(there, "/elsewhere") == there
    assert parse_session(dump_session(there)) == there


def test_positions_are_those_of_the_text() -> None:
    root = read(EXAMPLE)
    node = root.nearest(["recipe", "latent", 1, "coefficient", 1])
    assert (node.line, EXAMPLE[node.start : node.end], node.value) == (22, "0.1", 0.1)
    assert root.nearest(["source", "nothing", "here"]).line == 5
