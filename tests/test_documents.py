"""The documents: links lead somewhere, examples run as they stand, commands exist."""

import re
import shlex
from functools import cache
from pathlib import Path

import pytest
from typer.testing import CliRunner

import ddib
from workbench import manual
from workbench.cli.main import app
from workbench.library.configuration import read_config
from workbench.session import parse_session

ROOT = Path(__file__).parent.parent
DOCUMENTS = [
    ROOT / "README.md",
    *sorted(ROOT.glob(".github/*.md")),
    *sorted(ROOT.glob("*/README.md")),
    ROOT / "tests" / "benchmarks" / "README.md",
    *sorted(manual.FOLDER.glob("*.md")),
]


def blocks(language: str, *files: Path) -> list[str]:
    return [
        block
        for file in files or DOCUMENTS
        for block in re.findall(
            rf"^```{language}\n(.*?)^```$", file.read_text("utf-8"), re.MULTILINE | re.DOTALL
        )
    ]


def example(language: str, start: str) -> str:
    return next(block for block in blocks(language) if block.startswith(start))


def test_the_library_example() -> None:
    assert len({block for block in blocks("python") if block.startswith("import ddib")}) == 1
    names: dict[str, object] = {}
    exec(compile(example("python", "import ddib"), "README.md", "exec"), names)
    result, latent = names["result"], names["latent"]
    assert result.shape == latent.shape == (16, 3, 32, 32)  # type: ignore[attr-defined]
    probe = ddib.load_probe("cmnist-probe")
    labels = ddib.probe_labels(result, probe)
    assert (labels == 7).float().mean() > 0.7


def test_the_session_example() -> None:
    assert parse_session(example("yaml", "version")).recipe.latent[1].op == "add_noise"


def test_the_configuration_example(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(example("yaml", "theme"))
    assert read_config(path).theme == "light"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_and_pictures_exist(document: Path) -> None:
    for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", document.read_text("utf-8")):
        assert (document.parent / target).exists(), target


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text("utf-8").splitlines()) <= 150


def test_sessions_are_counted_right() -> None:
    (count,) = re.findall(r"holds (\d+) examples", (ROOT / "README.md").read_text("utf-8"))
    assert len(list((ROOT / "sessions").glob("*.yaml"))) == int(count)


def commands() -> list[str]:
    """Every `ddib-workbench …` of the documents, in blocks and in running text."""
    found = []
    for document in DOCUMENTS:
        text = document.read_text("utf-8").replace("\\\n", " ")
        found += re.findall(r"`(ddib-workbench [^`]+)`", text)
        found += re.findall(r"^(ddib-workbench .+)$", text, re.MULTILINE)
    return sorted({command.split("  #")[0].strip() for command in found})


@cache
def help_of(*path: str) -> str | None:
    """The help of a command, or nothing where there is no such command."""
    shown = CliRunner().invoke(app, [*path, "--help"], env={"COLUMNS": "200"})
    return shown.output if shown.exit_code == 0 else None


@pytest.mark.parametrize("command", commands())
def test_commands_and_their_options_exist(command: str) -> None:
    words = shlex.split(command)[1:]
    path: tuple[str, ...] = ()
    for word in words:
        if len(path) == 2 or not re.fullmatch(r"[a-z]+", word) or not help_of(*path, word):
            break
        path = (*path, word)
    shown = help_of(*(path or ("open",))) or ""
    assert path or not words or words[0].startswith("-") or words[0][0].isupper(), "no such command"
    for option in (word.partition("=")[0] for word in words):
        assert not re.fullmatch(r"--[a-z-]+", option) or option in shown, option


def test_every_page_of_the_manual_is_reached_from_the_first() -> None:
    linked = set(re.findall(r"\]\((\w+)\.md\)", manual.page(manual.FIRST)))
    assert linked == manual.pages().keys() - {manual.FIRST}


def test_the_manual_is_searched() -> None:
    assert "solvers" in manual.search("DOPRI5")
    with pytest.raises(ddib.InputError, match="did you mean solvers"):
        manual.page("solver")
