import json
import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from workbench.support.text import clean, clean_line

OVERRIDES = set("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


@given(st.text(st.characters()))
def test_nothing_that_a_terminal_obeys_is_left(text: str) -> None:
    for character in clean_line(text):
        assert unicodedata.category(character) not in ("Cc", "Cs") or character == "\t"
        assert character not in OVERRIDES


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_a_json_document_still_holds_the_same(text: str) -> None:
    assert json.loads(clean(json.dumps(text, ensure_ascii=False))) == text


@given(st.text(st.characters(exclude_categories=["Cc", "Cs", "Cf"])))
def test_what_can_be_seen_stays(text: str) -> None:
    assert clean(text) == text
