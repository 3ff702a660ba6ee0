import pytest

from ddib.data.sources.colored_mnist import ColoredMNIST
from workbench.session.schema import Session, Source, Target
from workbench.session.variants import variants
from workbench.tui.forms import forms
from workbench.tui.models import FieldView, Position
from workbench.tui.state.session import edits as editing

START = Session(
    source=Source(checkpoint="a", images=(ColoredMNIST(),)), target=Target(checkpoint="b")
)
FIRST, SECOND = Position("latent", 0), Position("latent", 1)


def with_operations(*names: str) -> Session:
    session = START
    for index, name in enumerate(names):
        operation = editing.new_operation(name)
        session = editing.insert(session, Position("latent", index), operation)
    return session


def names(session: Session, stage: str = "latent") -> list[str]:
    return [operation.op for operation in getattr(session.recipe, stage)]


def test_insert_remove_duplicate_toggle() -> None:
    session = with_operations("normalize", "scale")
    assert names(session) == ["normalize", "scale"] and START.recipe.latent == ()
    assert names(editing.remove(session, FIRST)) == ["scale"]
    assert names(editing.duplicate(session, FIRST)) == ["normalize", "normalize", "scale"]
    off = editing.toggle(session, SECOND)
    assert not off.recipe.latent[1].enabled and editing.toggle(off, SECOND) == session


def test_moving_crosses_the_border_between_the_stages() -> None:
    session = with_operations("normalize", "scale")
    down, place = editing.move(session, FIRST, 1)
    assert names(down) == ["scale", "normalize"] and place == SECOND
    up, place = editing.move(session, FIRST, -1)
    assert names(up, "image") == ["normalize"] and names(up) == ["scale"]
    assert place == Position("image", 0)
    back, place = editing.move(up, place, 1)
    assert back == session and place == FIRST
    assert editing.move(session, SECOND, 1) == (session, SECOND), "the end is the end"
    assert editing.move(up, Position("image", 0), -1) == (up, Position("image", 0))


def test_an_edited_session_is_a_session() -> None:
    session = with_operations("add_noise")
    form = forms.form_of(session.recipe.latent[0], "k", "t")
    swept = forms.changed(session.recipe.latent[0], form.fields[0], "0.1 0.3")
    session = editing.replace(session, FIRST, swept)  # type: ignore[arg-type]
    assert [variant.label for variant in variants(session)] == ["c = 0.1", "c = 0.3"]
    assert Session.model_validate(session.model_dump(mode="json")) == session


def test_ends_images_solver() -> None:
    session = editing.with_target(editing.with_source(START, "x", 3), "y", (1, 2))
    assert (session.source.checkpoint, session.source.label) == ("x", 3)
    assert [variant.target.label for variant in variants(session)] == [1, 2]
    session = editing.with_images(session, 0, ColoredMNIST(digit=7, count=2))
    (images,) = session.source.images
    assert isinstance(images, ColoredMNIST) and images.digit == 7


# ---- forms


def field(model: object, name: str) -> FieldView:
    form = forms.form_of(model, "k", "t")  # type: ignore[arg-type]
    return next(field for field in form.fields if field.name == name)


def test_forms_follow_the_models() -> None:
    noise = editing.new_operation("add_noise")
    coefficient = field(noise, "coefficient")
    assert coefficient.kind == "number" and coefficient.sweepable
    assert coefficient.bounds == "from 0 to 100"
    assert field(noise, "per_image").choices == (False, True)
    assert field(editing.new_operation("normalize"), "mode").choices[0] == "standard"
    solver = START.solver
    assert "dpmpp_2m" in field(solver, "name").choices
    assert field(solver, "steps").sweepable and not field(solver, "start_noise_seed").sweepable
    assert field(solver, "clip").choices == (False, "decode")


def test_a_word_may_stand_for_a_number() -> None:
    steps = field(START.solver, "steps")
    assert steps.kind == "integer" and steps.bounds == "from 1 to 10000"
    auto = forms.changed(START.solver, steps, " auto ")
    assert (auto.steps, field(auto, "steps").value) == ("auto", "auto")  # type: ignore[attr-defined]
    assert forms.changed(auto, steps, "5 10").steps == (5, 10)  # type: ignore[attr-defined]
    with pytest.raises(ValueError, match="“aut” is not a whole number"):
        forms.changed(START.solver, steps, "aut")
    with pytest.raises(ValueError, match="not a whole number"):
        forms.changed(START.solver, steps, "5 auto")


@pytest.mark.parametrize(
    ("name", "typed", "said"),
    [
        ("coefficient", "-1", "expected from 0 to 100"),
        ("coefficient", "0.1 -1", "expected from 0 to 100"),
        ("coefficient", "many", "not a number"),
        ("coefficient", "", "is needed"),
        ("seed", "0.5", "whole number"),
    ],
)
def test_bad_values_are_said_in_words(name: str, typed: str, said: str) -> None:
    noise = editing.new_operation("add_noise")
    with pytest.raises(ValueError, match=said):
        forms.changed(noise, field(noise, name), typed)


def test_what_only_the_whole_forbids_is_said_too() -> None:
    with pytest.raises(ValueError, match="reference"):
        forms.changed(START.solver, field(START.solver, "grid"), "reference")
    session = with_operations("add_noise", "blend", "scale")
    for index, name in enumerate(("coefficient", "proportion", "factor")):
        operation = session.recipe.latent[index]
        typed = "0..1/100"
        swept = forms.changed(operation, field(operation, name), typed)
        session = editing.replace(session, Position("latent", index), swept)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="variants"):
        forms.checked(session)


def test_texts_may_be_empty() -> None:
    spec = ColoredMNIST()
    assert forms.changed(spec, field(spec, "root"), " mnist ").root == "mnist"  # type: ignore[attr-defined]
    assert forms.changed(spec, field(spec, "root"), " ").root is None  # type: ignore[attr-defined]


def test_every_operation_has_a_form() -> None:
    from ddib.operations.operation import OPERATIONS

    for name in OPERATIONS:
        form = forms.form_of(editing.new_operation(name), "k", "t")
        assert form.help and form.fields
        assert all(f.kind != "text" and f.description for f in form.fields)
