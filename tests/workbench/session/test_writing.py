"""Writing a session file: what is kept of a file that is written over."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from random_sessions import SESSIONS, session_of, slow
from session_examples import EXAMPLE

from workbench.session.errors import SessionError
from workbench.session.overrides import set_value
from workbench.session.reading import load_session, parse_session
from workbench.session.schema import Recipe, Session
from workbench.session.writing import dump_session, save_session


@slow
@given(SESSIONS)
def test_any_session_comes_back_from_yaml(data: dict[str, Any]) -> None:
    session = session_of(data)
    text = dump_session(session)
    assert parse_session(text) == session
    assert dump_session(session, text) == text
    assert Session.model_validate(session.model_dump(mode="json")) == session


@slow
@given(SESSIONS, SESSIONS)
def test_any_session_can_be_written_over_any_other(
    before: dict[str, Any], after: dict[str, Any]
) -> None:
    text = dump_session(session_of(before)) + "# the end\n"
    session = session_of(after)
    assert parse_session(dump_session(session, text)) == session


@slow
@given(SESSIONS)
def test_any_session_can_be_written_over_the_example_and_keeps_its_ends(
    data: dict[str, Any],
) -> None:
    session = session_of(data)
    text = dump_session(session, EXAMPLE)
    assert parse_session(text) == session
    assert text.startswith("# What the head says.\n")
    assert text.endswith("# The end.\n")


@pytest.mark.parametrize(
    ("path", "value", "removed", "added"),
    [
        ("title", "New", ["title: Normalized latent plus c times fixed noise"], ["title: New"]),
        (
            "source.checkpoint",
            "x",
            ["  checkpoint: cmnist-fives          # a name in the library, or a path"],
            ["  checkpoint: x          # a name in the library, or a path"],
        ),
        (
            "recipe.latent.1.coefficient",
            "0.5",
            ["      coefficient: [0.01, 0.1, 0.3, 0.7]   # as on the slide"],
            ["      coefficient: 0.5   # as on the slide"],
        ),
        (
            "recipe.latent.1.coefficient.2",
            "0.5",
            ["      coefficient: [0.01, 0.1, 0.3, 0.7]   # as on the slide"],
            ["      coefficient: [0.01, 0.1, 0.5, 0.7]   # as on the slide"],
        ),
        ("recipe.latent.1.enabled", "false", [], ["      enabled: false"]),
        (
            "recipe.latent.0.enabled",
            "false",
            ["    - {op: normalize, mode: max}   # dimmed"],
            ["    - {op: normalize, mode: max, enabled: false}   # dimmed"],
        ),
        (
            "recipe.image",
            "[{op: scale, factor: 2}, {op: blur}]",
            ["  image: []"],
            [
                "  image:",
                "    - {op: scale, factor: 2.0}",
                "    - {op: blur, sigma: 2.0, gain: 1.0}",
            ],
        ),
        (
            "recipe.latent",
            "[{op: normalize, mode: max}]",
            [
                "    - op: add_noise",
                "      coefficient: [0.01, 0.1, 0.3, 0.7]   # as on the slide",
                "      seed: 0",
            ],
            [],
        ),
        (
            "recipe.latent",
            "[{op: normalize, mode: max}, {op: scale}, "
            "{op: add_noise, coefficient: [0.01, 0.1, 0.3, 0.7]}, {op: rotate}]",
            [],
            [
                "    - {op: scale, factor: 1.0}",
                "    - {op: rotate, degrees: 60.0, interpolation: nearest, fill: 0.0}",
            ],
        ),
    ],
)
def test_saving_changes_only_what_changed(
    path: str, value: str, removed: list[str], added: list[str]
) -> None:
    session = set_value(parse_session(EXAMPLE), path, value)
    text = dump_session(session, EXAMPLE)
    assert parse_session(text) == session
    old, new = EXAMPLE.split("\n"), text.split("\n")
    assert [line for line in old if line not in new] == removed
    assert [line for line in new if line not in old] == added


def test_operations_that_change_places_take_their_comments_along() -> None:
    session = parse_session(EXAMPLE)
    first, second = session.recipe.latent
    swapped = session.model_copy(update={"recipe": Recipe(latent=(second, first))})
    text = dump_session(swapped, EXAMPLE)
    assert parse_session(text) == swapped
    noise = "coefficient: [0.01, 0.1, 0.3, 0.7]   # as on the slide"
    dimmed = "{op: normalize, mode: max}   # dimmed"
    assert 0 < text.index(noise) < text.index(dimmed)


def test_a_stage_in_brackets_stays_in_brackets() -> None:
    text = (
        "version: 1\nsource: {checkpoint: a, images: [{path: x}]}  # from\n"
        "target: {checkpoint: b}\n"
        "recipe: {latent: [{op: scale, factor: 1e-1}, {op: blur}]}  # edits\n"
    )
    session = set_value(parse_session(text), "recipe.latent.1.sigma", "5")
    changed = text.replace("{op: blur}", "{op: blur, sigma: 5.0}")
    assert dump_session(session, text) == changed
    fewer = set_value(session, "recipe.latent", "[{op: blur}]")
    assert "recipe: {latent: [{op: blur, enabled: true, sigma: 2.0" in dump_session(fewer, changed)


def test_an_emptied_stage_keeps_the_comments_around_it() -> None:
    session = set_value(parse_session(EXAMPLE), "recipe.latent", "[]")
    text = dump_session(session, EXAMPLE)
    assert parse_session(text) == session
    assert "# first dim it" in text
    assert "# then add noise" in text


def test_defaults_left_out_stay_out_until_they_change() -> None:
    text = "version: 1\nsource: {checkpoint: a, images: [{path: x}]}\ntarget: {checkpoint: b}\n"
    session = parse_session(text)
    assert dump_session(session, text) == text
    more = set_value(session, "solver.steps", "7")
    assert dump_session(more, text).startswith(f"{text}solver: {{name: dpmpp_2m, ")
    assert dump_session(set_value(more, "solver.steps", "20"), text) == text


def test_an_unreadable_original_is_not_kept() -> None:
    session = parse_session(EXAMPLE)
    assert dump_session(session, "a: [") == dump_session(session)
    assert dump_session(session, "") == dump_session(session)


def test_afresh_it_reads_like_the_documentation() -> None:
    text = dump_session(parse_session(EXAMPLE))
    assert "solver: {name: dpmpp_2m, grid: log, steps: 20, start_noise: 0.0" in text
    assert "    - {op: normalize, mode: max}\n" in text
    assert "  image: []\n" in text


def test_saving_is_whole_or_not_at_all(tmp_path: Path) -> None:
    session, file = parse_session(EXAMPLE), tmp_path / "s.yaml"
    save_session(session, file, EXAMPLE)
    assert file.read_text() == EXAMPLE
    file.chmod(0o640)
    link = tmp_path / "link.yaml"
    link.symlink_to(file)
    save_session(set_value(session, "title", "New"), link, EXAMPLE)
    assert link.is_symlink()
    assert load_session(file).title == "New"
    assert file.stat().st_mode & 0o777 == 0o640
    with pytest.raises(SessionError, match="cannot be written"):
        save_session(session, tmp_path / "nowhere" / "s.yaml")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link.yaml", "s.yaml"]
