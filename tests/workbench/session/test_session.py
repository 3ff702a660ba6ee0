"""The session file: what it may hold, what it says when it may not, and what saving keeps."""

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from ddib.operations.frequencies import Blur
from ddib.operations.noise import AddNoise
from ddib.operations.operation import OPERATIONS
from ddib.operations.sweeps import Sweepable
from ddib.operations.values import Normalize, Scale
from ddib.schedules.grids import GRIDS
from ddib.solvers.scheme import SOLVERS
from ddib.solvers.solver import Solver
from workbench.session import reading
from workbench.session.errors import SessionError
from workbench.session.overrides import set_value
from workbench.session.paths import named_checkpoints, with_absolute_paths
from workbench.session.reading import error_at, load_session, parse_session, read_session_text
from workbench.session.schema import Recipe, Session, schema, sweeps
from workbench.session.titles import end_titles
from workbench.session.variants import ends, variants
from workbench.session.writing import dump_session, save_session
from workbench.support.yaml_text import read

EXAMPLE = """\
# What the head says.
version: 1
title: Normalized latent plus c times fixed noise

source:
  checkpoint: cmnist-fives          # a name in the library, or a path
  label: null                       # for class-conditional checkpoints
  images:
    - {dataset: colored-mnist, digit: 5, count: 16, seed: 0}   # fives
    # or  - {path: photos/*.png}    relative to the session file
target:
  checkpoint: cmnist-sevens
  label: null
solver: {name: dpmpp_2m, grid: log, steps: 20, start_noise: 0.0, start_noise_seed: 0, clip: false}
recipe:
  image: []
  latent:
    # first dim it
    - {op: normalize, mode: max}   # dimmed
    # then add noise
    - op: add_noise
      coefficient: [0.01, 0.1, 0.3, 0.7]   # as on the slide
      seed: 0
# The end.
"""


def problem(text: str) -> str:
    with pytest.raises(SessionError) as caught:
        parse_session(text, "s.yaml")
    return str(caught.value)


def changed(old: str, new: str) -> str:
    assert old in EXAMPLE
    return EXAMPLE.replace(old, new, 1)


# ---- reading


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


# ---- what is wrong, where, and what was expected


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


# ---- writing


def operations() -> st.SearchStrategy[dict[str, Any]]:
    return st.one_of([_parameters(o.model_json_schema()) for o in OPERATIONS.values()])


def _parameters(schema: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    fields = {name: _values(field) for name, field in schema["properties"].items()}
    op = fields.pop("op")
    return st.fixed_dictionaries({"op": op}, optional=fields)


def _values(field: dict[str, Any]) -> st.SearchStrategy[Any]:
    if "const" in field:
        return st.just(field["const"])
    if "enum" in field:
        return st.sampled_from(field["enum"])
    if field["type"] == "boolean":
        return st.booleans()
    low, high = field["minimum"], field["maximum"]
    one = st.integers(low, high) if field["type"] == "integer" else st.floats(low, high)
    return one | st.lists(one, min_size=1, max_size=3)


TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc", "Cn"]), max_size=30)
LABEL = st.none() | st.integers(0, 999)
IMAGES = st.fixed_dictionaries(
    {"dataset": st.just("colored-mnist"), "digit": st.integers(0, 9)},
    optional={"count": st.integers(1, 99), "repeat": st.booleans(), "root": TEXT},
) | st.fixed_dictionaries({"path": TEXT.filter(bool)})
SOLVER = st.fixed_dictionaries(
    {},
    optional={
        "name": st.sampled_from(list(SOLVERS)),
        "grid": st.sampled_from([grid for grid in GRIDS if grid != "reference"]),
        "steps": st.just("auto")
        | st.integers(1, 1000)
        | st.lists(st.integers(1, 1000), min_size=1, max_size=3),
        "tolerance": st.floats(1e-5, 1),
        "cycle": st.sampled_from(["free", "exact"]),
        "start_noise": st.floats(0, 10) | st.lists(st.floats(0, 10), min_size=1, max_size=3),
        "clip": st.sampled_from([False, "decode"]),
    },
)
SESSIONS = st.fixed_dictionaries(
    {
        "version": st.sampled_from([1, 2]),
        "source": st.fixed_dictionaries(
            {"checkpoint": TEXT.filter(bool), "images": st.lists(IMAGES, min_size=1, max_size=3)},
            optional={"label": LABEL},
        ),
        "target": st.fixed_dictionaries(
            {"checkpoint": TEXT.filter(bool)},
            optional={"label": LABEL | st.lists(st.integers(0, 999), min_size=1, max_size=3)},
        ),
    },
    optional={
        "title": TEXT,
        "solver": SOLVER,
        "recipe": st.fixed_dictionaries(
            {},
            optional={
                "image": st.lists(operations(), max_size=3),
                "latent": st.lists(operations(), max_size=3),
            },
        ),
    },
)


def session_of(data: dict[str, Any]) -> Session:
    try:
        return Session.model_validate(data)
    except ValueError:
        assume(False)
        raise


slow = settings(
    deadline=None,
    max_examples=40,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


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


# ---- changing one value


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


# ---- variants


def with_values(**values: str) -> Session:
    session = parse_session(EXAMPLE)
    for path, value in values.items():
        session = set_value(session, path.replace("__", "."), value)
    return session


def test_a_variant_for_each_value() -> None:
    made = variants(parse_session(EXAMPLE))
    assert [variant.label for variant in made] == ["c = 0.01", "c = 0.1", "c = 0.3", "c = 0.7"]
    assert made[1].values == {"latent.1.coefficient": 0.1}
    assert made[1].latent == (Normalize(mode="max"), AddNoise(coefficient=0.1))
    assert made[1].solver == Solver()
    assert made[1].target.label is None


def test_without_a_sweep_there_is_one_variant() -> None:
    (variant,) = variants(with_values(recipe__latent="[]"))
    assert (variant.label, variant.values, variant.latent) == ("result", {}, ())


def test_sweeps_multiply_in_the_order_of_the_file() -> None:
    session = with_values(
        solver__steps="[10, 20]",
        target__label="[5, 7]",
        recipe__image="[{op: blur, sigma: [1, 2]}]",
        recipe__latent__1__coefficient="[0.1, 1.0]",
    )
    made = variants(session)
    assert len(made) == 16
    assert list(made[0].values) == [
        "solver.steps",
        "target.label",
        "image.0.sigma",
        "latent.1.coefficient",
    ]
    assert [variant.label for variant in made[:3]] == [
        "steps = 10, label = 5, sigma = 1, c = 0.1",
        "steps = 10, label = 5, sigma = 1, c = 1",
        "steps = 10, label = 5, sigma = 2, c = 0.1",
    ]
    assert made[-1].solver.steps == 20
    assert made[-1].target.label == 7
    assert made[-1].image == (Blur(sigma=2),)


def test_disabled_operations_neither_run_nor_sweep_but_count() -> None:
    session = with_values(
        recipe__latent="[{op: scale, factor: [1, 2], enabled: false}, {op: scale, factor: [3, 4]}]"
    )
    made = variants(session)
    assert [variant.values for variant in made] == [{"latent.1.factor": 3}, {"latent.1.factor": 4}]
    assert made[0].latent == (Scale(factor=3),)


def test_swept_targets_are_told_apart_by_name() -> None:
    session = with_values(
        target__checkpoint="[cmnist-sevens, models/eights.safetensors]", recipe__latent="[]"
    )
    made = variants(session)
    assert [variant.label for variant in made] == ["target = cmnist-sevens", "target = eights"]
    assert made[1].target.checkpoint == "models/eights.safetensors"
    assert made[1].values == {"target.checkpoint": "models/eights.safetensors"}
    assert list(named_checkpoints(session)) == [
        "source.checkpoint",
        "target.checkpoint.0",
        "target.checkpoint.1",
    ]


# ---- chains

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


@pytest.mark.parametrize(
    ("latent", "label"),
    [
        ("[{op: add_noise, coefficient: [1]}, {op: blend, proportion: [1]}]", "c = 1, p = 1"),
        (
            "[{op: add_noise, seed: [1]}, {op: checkerboard, seed: [2]}]",
            "add noise seed = 1, checkerboard seed = 2",
        ),
        (
            "[{op: blur, sigma: [1]}, {op: blur, sigma: [2]}]",
            "latent 0 sigma = 1, latent 1 sigma = 2",
        ),
        ("[{op: scale, factor: [1.5e-7]}]", "factor = 1.5e-07"),
    ],
)
def test_labels_tell_sweeps_apart(latent: str, label: str) -> None:
    assert variants(with_values(recipe__latent=latent))[0].label == label


@slow
@given(SESSIONS)
def test_variants_of_any_session_have_labels_of_their_own(data: dict[str, Any]) -> None:
    session = session_of(data)
    made = variants(session)
    distinct = {tuple(variant.values.items()) for variant in made}
    assert len({variant.label for variant in made}) == len(distinct)
    for variant in made:
        assert type(variant.solver) is Solver
        assert all(operation.enabled for operation in variant.image + variant.latent)


# ---- paths


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
