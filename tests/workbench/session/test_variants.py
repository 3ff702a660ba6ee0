"""Sweeps: the variants of a session and their labels."""

from typing import Any

import pytest
from hypothesis import given
from random_sessions import SESSIONS, session_of, slow
from session_examples import EXAMPLE, with_values

from ddib.operations.frequencies import Blur
from ddib.operations.noise import AddNoise
from ddib.operations.values import Normalize, Scale
from ddib.solvers.solver import Solver
from workbench.session.paths import named_checkpoints
from workbench.session.reading import parse_session
from workbench.session.variants import variants


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
