"""Reading a session file: what it may hold, and what it says when it may not."""

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from session_examples import EXAMPLE, changed, problem

from ddib.operations.noise import AddNoise
from ddib.operations.operation import OPERATIONS
from ddib.operations.sweeps import Sweepable
from ddib.operations.values import Normalize
from ddib.solvers.scheme import SOLVERS
from ddib.solvers.solver import Solver
from workbench.session import reading
from workbench.session.errors import SessionError
from workbench.session.reading import error_at, load_session, parse_session, read_session_text
from workbench.session.schema import Recipe, Session, schema, sweeps
from workbench.session.variants import variants
from workbench.session.writing import dump_session


def test_the_example_of_the_documentation() -> None:
    session = parse_session(EXAMPLE)
    assert session.title == "Normalized latent plus c times fixed noise"
    assert session.source.checkpoint == "cmnist-fives"
    assert session.solver.steps == 20
    assert session.recipe.image == ()
    assert [operation.op for operation in session.recipe.latent] == ["normalize", "add_noise"]


def test_what_is_left_out_has_its_default() -> None:
    short = """
        version: 1
        source: {checkpoint: a, images: [{path: x.png}]}
        target: {checkpoint: b}
        """
    session = parse_session(short)
    assert (session.title, session.source.label, session.recipe) == ("", None, Recipe())
    assert variants(session)[0].solver == Solver()


def test_numbers_in_all_their_forms() -> None:
    values = "[1, 1e-3, .5, 0x1F, 1_0]"
    session = parse_session(changed("[0.01, 0.1, 0.3, 0.7]", values))
    swept = sweeps(session)["latent.1.coefficient"]
    assert swept == (1.0, 0.001, 0.5, 31.0, 10.0)


def test_it_travels_as_json() -> None:
    session = parse_session(EXAMPLE)
    assert Session.model_validate(session.model_dump(mode="json")) == session


def test_plain_operations_make_a_recipe() -> None:
    recipe = Recipe(latent=(Normalize(), AddNoise(coefficient=0.5)))
    assert isinstance(recipe.latent[1], Sweepable)
    assert recipe.latent[1].at({}) == AddNoise(coefficient=0.5)


def test_the_schema_has_every_operation_and_asks_for_a_version() -> None:
    fields = schema()
    assert fields["required"] == ["version", "source", "target"]
    assert fields["title"] == "Session"
    assert set(fields["properties"]) == {*Session.model_fields, "needs"}
    assert {operation.__name__ for operation in OPERATIONS.values()} <= fields["$defs"].keys()
    assert fields["$defs"]["Solver"]["properties"]["name"]["enum"] == list(SOLVERS)


@pytest.mark.parametrize(
    ("old", "new", "line", "key", "said"),
    [
        ("title:", "titel:", 3, "titel", "unknown key; did you mean title?"),
        ("checkpoint: cmnist-fives", "chekpoint: x", 6, "source.chekpoint", "checkpoint?"),
        ("checkpoint: cmnist-fives", "checkpoint: 5", 6, "source.checkpoint", "expected text"),
        ("checkpoint: cmnist-fives", "checkpoint: ''", 6, "source.checkpoint", "one character"),
        ("  checkpoint: cmnist-sevens\n", "", 11, "target.checkpoint", "is missing"),
        ("label: null", "label: five", 7, "source.label", "a whole number, or own, or null"),
        ("label: null", "label: [5, 7]", 7, "source.label", "a whole number"),
        ("label: null\nsolver", "label: [5, x]\nsolver", 13, "target.label.1", "a whole number"),
        ("digit: 5", "digit: 12", 9, "source.images.0.digit", "is 12; expected at most 9"),
        ("digit: 5", "digt: 5", 9, "source.images.0.digt", "did you mean digit?"),
        ("dataset:", "datset:", 9, "source.images.0.datset", "did you mean dataset?"),
        ("dataset:", "zzz:", 9, "source.images.0.zzz", "unknown key"),
        ("colored-mnist", "colored-mnits", 9, "source.images.0.dataset", "colored-mnist?"),
        ("count: 16", "count: 0", 9, "source.images.0.count", "at least 1"),
        ("count: 16", "count: many", 9, "source.images.0.count", "a whole number"),
        ("count: 16", "count: 1.5", 9, "source.images.0.count", "a whole number"),
        ("count: 16", "count: [1, 2]", 9, "source.images.0.count", "a whole number"),
        ("dpmpp_2m", "dpmp_2m", 14, "solver.name", "did you mean dpmpp_2m?"),
        ("grid: log", "grid: lag", 14, "solver.grid", "did you mean log?"),
        ("grid: log", "grid: reference", 14, "solver", "name: ddim"),
        ("steps: 20", "steps: 0", 14, "solver.steps", "is 0; expected at least 1"),
        ("steps: 20", "steps: [5, 0]", 14, "solver.steps.1", "at least 1"),
        ("steps: 20", "steps: []", 14, "solver.steps", "at least one item"),
        ("steps: 20", "steps: '20'", 14, "solver.steps", "number, or auto, or a list of such"),
        ("steps: 20", "steps: many", 14, "solver.steps", "a whole number, or auto, or a list"),
        ("steps: 20", "steps: [5, auto]", 14, "solver.steps.1", "is auto; expected a whole number"),
        ("name: dpmpp_2m", "cycle: exact", 14, "solver", "needs an invertible solver: name: obelm"),
        (
            "dpmpp_2m, grid: log, steps: 20",
            "dopri5, steps: auto",
            14,
            "solver",
            "chooses its steps",
        ),
        ("start_noise: 0.0", "start_noise: .nan", 14, "solver.start_noise", "a finite number"),
        ("start_noise: 0.0", "start_noise: .inf", 14, "solver.start_noise", "a finite number"),
        ("seed: 0, clip", "seed: [0, 1], clip", 14, "solver.start_noise_seed", "whole number"),
        ("clip: false", "clip: decod", 14, "solver.clip", "did you mean decode?"),
        ("clip: false", "clip: true", 14, "solver.clip", "expected one of false, decode"),
        ("image: []", "image:", 16, "recipe.image", "is null; expected a list"),
        ("image: []", "imgae: []", 16, "recipe.imgae", "did you mean image?"),
        ("op: normalize", "op: normalise", 19, "recipe.latent.0.op", "did you mean normalize?"),
        ("op: normalize", "opp: normalize", 19, "recipe.latent.0.opp", "did you mean op?"),
        (
            "op: normalize",
            "op: [a]",
            19,
            "recipe.latent.0.op",
            f"expected one of {', '.join(OPERATIONS)}",
        ),
        ("{op: normalize, mode: max}", "normalize", 19, "recipe.latent.0", "keys and values"),
        ("mode: max", "mode: maxx", 19, "recipe.latent.0.mode", "did you mean max?"),
        ("mode: max", "mode: [max]", 19, "recipe.latent.0.mode", "xpected one of standard"),
        ("mode: max", "enabled: no", 19, "recipe.latent.0.enabled", "true or false"),
        ("coefficient:", "coeficient:", 22, "recipe.latent.1.coeficient", "coefficient?"),
        ("[0.01, 0.1,", "[0.01, -1,", 22, "recipe.latent.1.coefficient.1", "at least 0"),
        ("[0.01, 0.1,", "[0.01, true,", 22, "recipe.latent.1.coefficient.1", "a number"),
        ("      seed: 0", "      seed: 0.5", 23, "recipe.latent.1.seed", "a whole number"),
        (
            "      seed: 0",
            "      seed: 0\n      factor: 2",
            24,
            "recipe.latent.1.factor",
            "unknown",
        ),
        ("version: 1\n", "", 2, "version", "is missing; expected version: 2"),
        ("version: 1", "verson: 1", 2, "verson", "did you mean version?"),
        ("version: 1", "version: 3", 2, "version", "is newer than 2"),
        ("version: 1", "version: 0", 2, "version", "no version 0"),
        ("version: 1", "version: one", 2, "version", "a whole number"),
        ("version: 1", "version: true", 2, "version", "a whole number"),
    ],
)
def test_each_mistake_has_its_line_key_and_advice(
    old: str, new: str, line: int, key: str, said: str
) -> None:
    message = problem(changed(old, new))
    assert message.count("\n") == (1 if "zzz" in new else 0)
    assert any(
        part.startswith(f"s.yaml:{line}: {key}: ") and said in part for part in message.split("\n")
    ), message


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("", 1, "is empty"),
        ("# nothing\n", 1, "is empty"),
        ("- a\n- b\n", 1, "expected keys and values"),
        ("hello", 1, "expected keys and values"),
        ("version: 1\nversion: 1\n", 2, "version: is already there on line 1"),
        ("a: 1\nb: {c: 1,\n  c: 2}", 3, "c: is already there on line 2"),
        ("version: 1\nsource: {checkpoint: a, im", 2, "cut off"),
        ("version: 1\ntitle: 'so it beg", 2, "cut off"),
        ("version: 1\ntitle: a: b\n", 2, "not valid YAML"),
        ("version: 1\n\ttitle: a\n", 2, "not valid YAML"),
        ("version: 1\ntitle: \x07\n", 2, "control character"),
        ("version: 1\n---\nversion: 1\n", 2, "not valid YAML"),
        ("version: 1\ntitle: !!python/object/apply:os.system [ls]\n", 2, "data only"),
        ("version: 1\ntitle: !!python/name:os.system ''\n", 2, "!!python/name:os.system"),
        ("version: 1\ntitle: !secret x\n", 2, "data only"),
        ("version: 1\n? [a]\n: 2\n", 2, "plain text"),
        ("a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n", 1, "anchors"),
        ("version: 1\ntitle: *nowhere\n", 2, "not valid YAML"),
        ("version: 1\ntitle: " + "[" * 5000, 2, "nested too deeply"),
        ("version: 1\nseed: " + "9" * 5000, 2, "not a number"),
        ("#" * 300_000, 1, "KiB"),
    ],
)
def test_what_is_no_session_at_all_gets_one_clear_message(text: str, line: int, said: str) -> None:
    message = problem(text)
    assert message.startswith(f"s.yaml:{line}: ")
    assert said in message
    assert "\n" not in message


def test_several_mistakes_come_in_the_order_of_the_file() -> None:
    text = changed("steps: 20", "steps: -1").replace("digit: 5", "digit: -5")
    lines = problem(text).split("\n")
    assert [line.split(" ")[0] for line in lines] == ["s.yaml:9:", "s.yaml:14:"]


def test_hundreds_of_mistakes_are_cut_short() -> None:
    text = changed("steps: 20", f"steps: [{', '.join(['x'] * 300)}]")
    lines = problem(text).split("\n")
    assert len(lines) == 21
    assert lines[-1] == "… and 280 more"


def test_too_many_variants_are_refused() -> None:
    values = ", ".join(["0.1"] * 2000)
    text = changed("steps: 20", "steps: [1, 2, 3, 4, 5, 6]").replace("0.01, 0.1", values)
    assert "variants" in problem(text)


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_a_renamed_key_is_named_with_its_line(data: st.DataObject) -> None:
    places = [match.span(1) for match in re.finditer(r"(?:^ *|[{,-] )(\w+): ", EXAMPLE, re.M)]
    places = [(a, b) for a, b in places if "#" not in EXAMPLE[EXAMPLE.rfind("\n", 0, a) : a]]
    start, end = data.draw(st.sampled_from(places))
    name = data.draw(st.text("abcdefghijklmnopqrstuvwxyz_", min_size=1, max_size=12))
    known = {key for operation in OPERATIONS.values() for key in operation.model_fields}
    assume(f" {name}:" not in EXAMPLE and name not in known | {"root", "split", "repeat", "path"})
    assume(name != "version")
    message = problem(EXAMPLE[:start] + name + EXAMPLE[end:])
    line = EXAMPLE.count("\n", 0, start) + 1
    assert any(
        part.startswith(f"s.yaml:{line}: ") and name in part.split(": ")[1]
        for part in message.split("\n")
    )


@settings(deadline=None)
@given(st.integers(0, len(EXAMPLE)))
def test_a_file_cut_off_anywhere_is_a_session_or_a_clear_message(length: int) -> None:
    try:
        parse_session(EXAMPLE[:length], "s.yaml")
    except SessionError as error:
        assert all(part.startswith("s.yaml:") for part in str(error).split("\n"))


@settings(deadline=None, max_examples=200)
@given(
    st.text("ab:-[]{}&*!?|>'\"%@#,\n \t0.\\~<=é\x85"),
    st.integers(0, len(EXAMPLE)),
    st.integers(0, 40),
)
def test_no_text_makes_a_traceback(noise: str, place: int, length: int) -> None:
    for text in (noise, EXAMPLE[:place] + noise + EXAMPLE[place + length :]):
        try:
            parse_session(text)
        except SessionError as error:
            assert str(error)


@pytest.mark.parametrize(
    ("data", "line", "said"),
    [
        (b"version: 1\ntitle: \xff\xfe\n", 2, "UTF-8"),
        ("version: 1\ntitle: a\n".encode("utf-16"), 1, "UTF-8"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", 1, "UTF-8"),
        (b"version: 1\n" * 100_000, None, "larger than"),
    ],
)
def test_files_that_are_not_text(tmp_path: Path, data: bytes, line: int | None, said: str) -> None:
    file = tmp_path / "s.yaml"
    file.write_bytes(data)
    with pytest.raises(SessionError, match=said) as caught:
        load_session(file)
    assert str(caught.value).startswith(f"{file}:{line}: " if line else f"{file}: ")


def test_files_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(SessionError, match="no such file"):
        load_session(tmp_path / "none.yaml")
    with pytest.raises(SessionError, match="cannot be read"):
        load_session(tmp_path)


def test_a_byte_order_mark_and_windows_line_ends_do_no_harm(tmp_path: Path) -> None:
    file = tmp_path / "s.yaml"
    text = EXAMPLE.replace("\n", "\r\n")
    file.write_bytes(b"\xef\xbb\xbf" + text.encode())
    session = load_session(file)
    assert session == parse_session(EXAMPLE)
    assert dump_session(session, read_session_text(file)) == text


def test_an_error_found_later_gets_its_line_too(tmp_path: Path) -> None:
    file = tmp_path / "s.yaml"
    file.write_text(EXAMPLE)
    error = error_at(file, "source.images.0.count", "is 16; there are 9")
    assert str(error) == f"{file}:9: source.images.0.count: is 16; there are 9"


def test_older_versions_are_migrated_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def rename(data: Any) -> Any:
        return {("title" if key == "name" else key): value for key, value in data.items()}

    monkeypatch.setitem(reading.MIGRATIONS, 0, rename)
    old = changed("version: 1", "version: 0").replace("title:", "name:")
    assert parse_session(old) == parse_session(EXAMPLE)
