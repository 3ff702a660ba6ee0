import json
import os

from hypothesis import example, given
from hypothesis import strategies as st

from ddib.data.file_names import escape_name, unescape_name

NAMES = st.binary(max_size=40).map(os.fsdecode)


@given(NAMES)
@example("caf\udce9")
@example(r"caf\udce9")
@example(r"\u005cudce9")
@example("\\\udce9")
def test_every_file_name_comes_back(name: str) -> None:
    text = escape_name(name)
    assert json.loads(json.dumps(text).encode()) == text
    assert unescape_name(text) == name


@given(st.lists(NAMES, min_size=2, max_size=2, unique=True))
@example(["caf\udce9", r"caf\udce9"])
def test_names_stay_apart(names: list[str]) -> None:
    one, other = map(escape_name, names)
    assert one != other


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\\")))
def test_names_in_utf_8_stay_what_they_are(name: str) -> None:
    assert escape_name(name) == name
