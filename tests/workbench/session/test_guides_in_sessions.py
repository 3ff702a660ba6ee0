"""Guides in a session: `recipe.guide` is read, swept, labelled and written like operations."""

import pytest

from ddib.guides.guide import GUIDES
from ddib.registry import Origin
from workbench.session.errors import SessionError
from workbench.session.needs import needed_parts
from workbench.session.overrides import set_value
from workbench.session.reading import parse_session
from workbench.session.schema import Session, schema, sweeps
from workbench.session.variants import variants
from workbench.session.writing import dump_session

TEXT = """\
version: 1
source: {checkpoint: cmnist-fives, images: [{dataset: colored-mnist, count: 1}]}
target: {checkpoint: cmnist-sevens}
recipe:
  latent:
    - {op: scale, factor: [1, 2]}
  guide:
    - {guide: colour, scale: [0, 0.3], sigma_min: 0.1}
"""


@pytest.fixture
def guided() -> Session:
    return parse_session(TEXT)


def test_a_guide_is_swept_after_the_operations(guided: Session) -> None:
    assert list(sweeps(guided)) == ["latent.0.factor", "guide.0.scale"]
    found = variants(guided)
    assert [tuple(v.values.values()) for v in found] == [(1, 0), (1, 0.3), (2, 0), (2, 0.3)]
    assert found[0].guide == (), "at scale 0 it does not act"
    assert (found[1].guide[0].scale, found[1].guide[0].sigma_min) == (0.3, 0.1)
    assert found[1].label.endswith("s = 0.3")


def test_a_guide_that_is_switched_off_is_neither_swept_nor_run(guided: Session) -> None:
    off = set_value(guided, "recipe.guide.0.enabled", "false")
    assert list(sweeps(off)) == ["latent.0.factor"]
    assert not any(variant.guide for variant in variants(off))


def test_a_file_with_guides_stays_as_it_was_written(guided: Session) -> None:
    assert dump_session(guided, TEXT) == TEXT
    assert parse_session(dump_session(guided)) == guided


@pytest.mark.parametrize("name", GUIDES)
def test_the_schema_and_the_reader_know_every_guide(name: str) -> None:
    assert GUIDES[name].__name__ in schema()["$defs"]
    session = parse_session(TEXT.replace("guide: colour", f"guide: {name}"))
    assert session.recipe.guide[0].guide == name


def test_an_unknown_guide_is_told_with_the_nearest() -> None:
    with pytest.raises(SessionError, match=r"recipe.guide.0.guide: .*did you mean colour"):
        parse_session(TEXT.replace("guide: colour", "guide: color"))


def test_a_user_s_own_guide_is_needed(guided: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    origin = Origin("mine.py", "")
    monkeypatch.setitem(GUIDES.origins, "colour", origin)
    assert needed_parts(guided) == {"colour": origin}
    assert "needs:\n  colour: mine.py\n" in dump_session(guided)
    missing = TEXT.replace("guide: colour", "guide: shine") + "needs: {shine: shine.py}\n"
    with pytest.raises(SessionError, match=r"not ddib's own guide, .* put that file, .*guides"):
        parse_session(missing)
