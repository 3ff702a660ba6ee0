"""Chains in a session file."""

from pathlib import Path

import pytest
from session_examples import problem

from workbench.session.overrides import set_value
from workbench.session.paths import with_absolute_paths
from workbench.session.reading import parse_session
from workbench.session.schema import Session
from workbench.session.titles import end_titles
from workbench.session.variants import ends, variants
from workbench.session.writing import dump_session

CHAIN = """\
version: 1
source: {checkpoint: a, images: [{dataset: colored-mnist}]}
target: {checkpoint: b, label: own}
chain:
  # home again
  - {checkpoint: models/c.safetensors, label: 3}  # three
  - checkpoint: a
"""


def test_a_chain_keeps_its_comments_and_its_way_of_writing() -> None:
    session = parse_session(CHAIN)
    assert end_titles(session) == ["a", "b (own)", "c (3)", "a"]
    assert [end.checkpoint for end in ends(session, variants(session)[0])] == [
        "a",
        "b",
        "models/c.safetensors",
        "a",
    ]
    assert dump_session(session, CHAIN) == CHAIN
    changed = set_value(session, "chain.0.label", "4")
    assert dump_session(changed, CHAIN) == CHAIN.replace("label: 3", "label: 4")
    assert parse_session(dump_session(session)) == session
    assert Session.model_validate(session.model_dump(mode="json")) == session


def test_paths_of_a_chain_start_from_the_session_file(tmp_path: Path) -> None:
    session = set_value(parse_session(CHAIN), "target.checkpoint", "[b, ./d]")
    there = with_absolute_paths(session, tmp_path)
    assert there.target.checkpoint == ("b", str(tmp_path / "d"))
    assert there.chain[0].checkpoint == str(tmp_path / "models/c.safetensors")


@pytest.mark.parametrize(
    ("old", "new", "line", "key", "said"),
    [
        ("label: 3", "label: three", 6, "chain.0.label", "a whole number, or own, or null"),
        ("label: 3", "label: [3, 4]", 6, "chain.0.label", "a whole number"),
        ("label: 3", "lable: 3", 6, "chain.0.lable", "did you mean label?"),
        ("- checkpoint: a", "- label: 1", 7, "chain.1.checkpoint", "is missing"),
        ("label: own", "label: [1, own]", 3, "target.label.1", "expected a whole number"),
        ("label: own", "label: owm", 3, "target.label", "whole number, or own, or a list of such"),
        ("checkpoint: b", "checkpoint: []", 3, "target.checkpoint", "at least one item"),
        ("checkpoint: b", "checkpoint: [b, 2]", 3, "target.checkpoint.1", "expected text"),
    ],
)
def test_mistakes_in_a_chain_have_line_key_and_advice(
    old: str, new: str, line: int, key: str, said: str
) -> None:
    message = problem(CHAIN.replace(old, new))
    assert message.startswith(f"s.yaml:{line}: {key}: ") and said in message, message
