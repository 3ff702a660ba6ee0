import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.support.ranges import is_range, parse_numbers
from workbench.tui.state.values import format_value, summarize


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0.3", 0.3),
        (" 3 ", 3.0),
        ("1e-3", 0.001),
        ("0.01 0.1 0.3", [0.01, 0.1, 0.3]),
        ("[0.01, 0.1]", [0.01, 0.1]),
        ("0.1;0.2", [0.1, 0.2]),
        ("[0.5]", [0.5]),
        ("0.1..0.9/5", [0.1, 0.3, 0.5, 0.7, 0.9]),
        ("0.1 .. 0.9 / 5", [0.1, 0.3, 0.5, 0.7, 0.9]),
        ("0 0.1..0.2/2", [0.0, 0.1, 0.2]),
        ("-1..1/3", [-1.0, 0.0, 1.0]),
        ("-0.3..0.3/7", [-0.3, -0.2, -0.1, 0.0, 0.1, 0.2, 0.3]),
        ("1e-3..1/4 log", [0.001, 0.01, 0.1, 1.0]),
        ("1..100 / 3log", [1.0, 10.0, 100.0]),
        ("0.1234567890123..1/2", [0.1234567890123, 1.0]),
    ],
)
def test_numbers(text: str, expected: object) -> None:
    assert parse_numbers(text, integer=False) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("5", 5), ("1..4", [1, 2, 3, 4]), ("3..1", [3, 2, 1]), ("10..30/3", [10, 20, 30])],
)
def test_whole_numbers(text: str, expected: object) -> None:
    assert parse_numbers(text, integer=True) == expected


@pytest.mark.parametrize(
    ("text", "integer", "said"),
    [
        ("", False, "a number"),
        ("abc", False, "“abc” is not a number"),
        ("1.5", True, "“1.5” is not a whole number"),
        ("0.1..0.9", False, "0.1..0.9/5"),
        ("0.1..", False, "a number is missing"),
        ("0..1/1", False, "2 to"),
        ("0..1/9999", False, "2 to"),
        ("1..2/4", True, "whole numbers"),
        ("0.3..0.3/3", False, "begins where it ends"),
        ("0..1/3 log", False, "above 0"),
        ("1..inf/3", False, "“inf” is not a number"),
        ("nan", False, "“nan” is not a number"),
        ("1 log", False, "“1log” is not a number"),
        ("1..9999999", True, "more than"),
        ("[]", False, "a number"),
    ],
)
def test_what_is_wrong_is_said(text: str, integer: bool, said: str) -> None:
    with pytest.raises(ValueError, match=said.replace("/", "/").replace("[", r"\[")):
        parse_numbers(text, integer=integer)


def test_some_values_cannot_be_swept() -> None:
    with pytest.raises(ValueError, match="cannot be swept"):
        parse_numbers("1 2", integer=True, sweep=False)


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=8))
def test_what_is_written_is_read_back(values: list[float]) -> None:
    assert parse_numbers(format_value(tuple(values)), integer=False) == values
    assert parse_numbers(format_value(values[0]), integer=False) == values[0]


def test_summaries_are_short() -> None:
    assert summarize(0.1) == "0.1"
    assert summarize((0.1, 0.4)) == "0.1 0.4"
    assert summarize((0.01, 0.1, 0.3, 0.7)) == "4 values"
    assert summarize(True) == "yes" and summarize("max") == "max"


def test_paths_are_no_ranges() -> None:
    assert all(map(is_range, ("0.1..0.9/5", "1..4", "-1 .. 1 / 3", "1e-3..1/4 log", "0.1..0.9")))
    assert not any(map(is_range, ("../photos/*.png", "a..b", "0.1", "[0.1, 0.2]", "runs/1..2.png")))
