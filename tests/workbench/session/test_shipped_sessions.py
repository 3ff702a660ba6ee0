"""The sessions that ship with the package: every experiment of the slides, and some of our own."""

from pathlib import Path

import pytest

from workbench.session.reading import load_session, parse_session
from workbench.session.variants import variants
from workbench.session.writing import dump_session

FOLDER = Path(__file__).parents[3] / "sessions"
FILES = sorted(FOLDER.glob("*.yaml"))

SLIDES = {
    "round-trip",
    "normalize",
    "normalize-then-scale",
    "noise-on-normalized",
    "noise-on-source",
    "blend",
    "blend-normalized",
    "checkerboard-image",
    "checkerboard-image-normalized",
    "checkerboard-noise",
    "checkerboard-noise-normalized",
    "blur-latent",
    "blur-image",
    "blur-then-rotate-image",
    "rotate-then-blur-image",
    "double-blur",
    "rotate-latent",
}
OTHERS = {
    "rotate-points",
    "colour-transfer",
    "seed-round-trip-1000",
    "fives-to-sevens",
    "fives-to-sevens-conditional",
    "keep-the-colour",
    "exact-cycle",
    "fewest-evaluations",
    "tint",
    "guidance",
    "classifier-guidance",
    "frequency-mix",
    "gaussianize",
    "interpolation",
    "mask",
    "cycle",
    "chain",
    "class-to-class",
    "all-to-all",
    "synthetic-checkerboards",
    "synthetic-concentric-rings",
    "synthetic-concentric-squares",
    "synthetic-moons",
    "synthetic-parallel-rings",
    "synthetic-parallel-squares",
}


def test_every_experiment_is_there_in_both_settings() -> None:
    expected = SLIDES | {f"seed-{name}" for name in SLIDES} | OTHERS
    assert {file.stem for file in FILES} == expected


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_it_loads_says_what_it_is_and_stays_as_it_is_when_saved(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    session = load_session(file)
    assert session.title
    assert text.startswith("# ")
    assert dump_session(session, text) == text
    assert parse_session(dump_session(session)) == session


def test_titles_tell_them_apart() -> None:
    assert len({load_session(file).title for file in FILES}) == len(FILES)


@pytest.mark.parametrize("name", sorted(SLIDES))
def test_both_settings_differ_in_the_encoder_and_in_clipping_only(name: str) -> None:
    seed, real = load_session(FOLDER / f"seed-{name}.yaml"), load_session(FOLDER / f"{name}.yaml")
    assert seed.recipe == real.recipe
    assert seed.source.images == real.source.images
    assert (seed.source.checkpoint, seed.target.checkpoint) == ("cmnist-sevens", "cmnist-sevens")
    assert (real.source.checkpoint, real.target.checkpoint) == ("cmnist-fives", "cmnist-sevens")
    assert (seed.solver.clip, real.solver.clip) == ("decode", False)


def test_the_sweeps_are_those_of_the_slides() -> None:
    def labels(name: str) -> list[str]:
        return [variant.label for variant in variants(load_session(FOLDER / f"{name}.yaml"))]

    noise = ["c = 0.01", "c = 0.1", "c = 0.3", "c = 0.7"]
    assert labels("noise-on-normalized") == labels("noise-on-source") == noise
    shares = ["p = 0.1", "p = 0.3", "p = 0.5", "p = 0.7", "p = 0.9"]
    assert labels("blend") == labels("blend-normalized") == shares
    assert labels("round-trip") == ["result"]


def test_one_session_keeps_the_thousand_steps_of_the_original() -> None:
    solver = load_session(FOLDER / "seed-round-trip-1000.yaml").solver
    settings = (solver.name, solver.grid, solver.steps, solver.clip)
    assert settings == ("ddim", "reference", 1000, "decode")
