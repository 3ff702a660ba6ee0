"""What source and target are led to, on the screen."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from workbench.library.checkpoints import list_checkpoints
from workbench.session.reading import parse_session
from workbench.session.schema import Session
from workbench.tui.forms import conditions
from workbench.tui.present.workspace import header
from workbench.tui.state.session import edits as editing

CONDITIONAL = """\
version: 1
source:
  checkpoint: cmnist-digits
  label: 5
  images:
    - {dataset: colored-mnist, digit: 5, count: 2}
target:
  checkpoint: cmnist-digits
  label: 7
"""
LISTED = list_checkpoints()


@pytest.fixture
def session() -> Session:
    return parse_session(CONDITIONAL)


def field(session: Session, end: str, name: str) -> Any:
    shown = conditions.form(session, LISTED, end).fields
    return next(one for one in shown if one.name == name)


def change(session: Session, end: str, **typed: Any) -> Session:
    for name, value in typed.items():
        session = conditions.changed(session, end, field(session, end, name), value)
    return session


def test_ends_of_one_class_have_nothing_to_be_led_to(session: Session) -> None:
    plain = editing.with_target(editing.with_source(session, "cmnist-fives"), "cmnist-sevens")
    assert conditions.lines(plain, LISTED) == ()
    assert [line.summary for line in conditions.lines(session, LISTED)] == ["5", "7"]


def test_the_target_is_swept_and_the_source_is_not(session: Session) -> None:
    swept = change(session, "target", guidance="1 1.5 2", label="7 3")
    assert (swept.target.guidance, swept.target.label) == ((1, 1.5, 2), (7, 3))
    assert not field(session, "source", "guidance").sweepable
    assert field(session, "source", "label").choices[:3] == (None, 0, 1)
    line = conditions.lines(swept, LISTED)[1]
    assert line.summary == "7 3 w 1…2"


def test_a_classifier_brings_its_scale(session: Session) -> None:
    names = [one.name for one in conditions.form(session, LISTED, "target").fields]
    assert names == ["label", "guidance", "classifier"]
    led = change(session, "target", classifier="cmnist-classifier", classifier_scale="2 8")
    assert led.target.classifier_scale == (2, 8)
    assert field(led, "target", "classifier").choices == (None, "cmnist-classifier")
    assert change(led, "target", classifier=None).target.classifier is None


@pytest.mark.parametrize(
    ("name", "typed", "said"),
    [
        ("label", "12", "expected one of 0 1 2"),
        ("label", "seven", "not a whole number"),
        ("guidance", "-1", "expected 0 or more"),
    ],
)
def test_what_cannot_be_is_said(session: Session, name: str, typed: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        change(session, "target", **{name: typed})
    assert change(session, "target", label="none").target.label is None
    assert change(session, "target", label="own").target.label == "own"


def test_another_model_without_labels_is_led_no_more(session: Session) -> None:
    led = change(session, "target", guidance="2")
    assert editing.with_target(led, "cmnist-digits", 3).target.guidance == 2
    assert editing.with_target(led, "cmnist-sevens").target.guidance == 1


async def test_guidance_is_typed_into_the_form(program: Callable[..., Any], tmp_path: Path) -> None:
    file = tmp_path / "work" / "digits.yaml"
    file.write_text(CONDITIONAL)
    async with program(file, size=(80, 24)) as driver:
        await driver.press("4", "end")
        assert driver.widget("#recipe").place.kind == "target"
        await driver.press("enter", "tab")
        await driver.press("backspace")
        await driver.type("1.5 3")
        await driver.until(lambda: driver.session.target.guidance == (1.5, 3))
        await driver.press("escape")
        text = "\n".join(driver.screen_text())
        assert "7 w 1.5…3 " in text
        await driver.press("ctrl+s")
        assert "guidance: [1.5, 3" in file.read_text()
        assert header(driver.workspace, "ready", None).target == "cmnist-digits:7 w 1.5…3"
        await driver.press("u")
        assert driver.session.target.guidance == 1
