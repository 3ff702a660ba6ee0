"""The README's examples run as they stand there."""

import re
from pathlib import Path

import ddib
from workbench.library.library import read_config
from workbench.session.reading import parse_session

README = (Path(__file__).parent.parent / "README.md").read_text("utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def test_the_library_example() -> None:
    example = next(block for block in blocks("python") if block.startswith("import ddib"))
    names: dict[str, object] = {}
    exec(compile(example, "README.md", "exec"), names)
    result, latent = names["result"], names["latent"]
    assert result.shape == latent.shape == (16, 3, 32, 32)  # type: ignore[attr-defined]
    probe = ddib.load_probe("cmnist-probe")
    labels = ddib.probe_labels(result, probe)  # type: ignore[operator]
    assert (labels == 7).float().mean() > 0.7


def test_the_session_example() -> None:
    example = next(block for block in blocks("yaml") if block.startswith("version"))
    assert parse_session(example).recipe.latent[1].op == "add_noise"


def test_the_configuration_example(tmp_path: Path) -> None:
    configuration = next(block for block in blocks("yaml") if block.startswith("theme"))
    path = tmp_path / "config.yaml"
    path.write_text(configuration)
    assert read_config(path).theme == "light"


def test_pictures_and_links_exist() -> None:
    for target in re.findall(r"\]\((?!https?:)([^)]+)\)", README):
        assert (Path(__file__).parent.parent / target).exists(), target


def test_sessions_are_counted_right() -> None:
    (count,) = re.findall(r"holds (\d+) examples", README)
    sessions = Path(__file__).parent.parent / "sessions"
    assert len(list(sessions.glob("*.yaml"))) == int(count)
