"""Console output: whole in pipes, in every character set, with messages that name the fix."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

ENTRY = str(Path(sys.executable).with_name("ddib-workbench"))
LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a214614ab\nsize 12345\n"
HTML = b"<!DOCTYPE html>\n<html><head><title>Sign in</title></head></html>\n"
LONG = "n" * 76


@pytest.mark.parametrize(
    "command", [("operations",), ("solvers",), ("doctor",), ("keys",), ("checkpoints", "list")]
)
@pytest.mark.parametrize("encoding", ["latin-1", "ascii"])
def test_output_survives_a_terminal_without_unicode(
    run: Callable[..., Any], command: tuple[str, ...], encoding: str
) -> None:
    answer = run(*command, env={"PYTHONIOENCODING": encoding})
    assert "UnicodeEncodeError" not in answer.err and "Traceback" not in answer.err
    assert answer.out


def test_errors_survive_a_terminal_without_unicode(run: Callable[..., Any], home: Path) -> None:
    answer = run("replay", home / "日本.yaml", env={"PYTHONIOENCODING": "latin-1"})
    assert answer.code == 2 and "Traceback" not in answer.err


def test_lists_are_whole_in_a_pipe(
    run_each: Callable[..., Any], run: Callable[..., Any], points_file: Path, home: Path
) -> None:
    """Every row is one line, and no name or figure is cut or wrapped; a name of 76 characters
    leaves the other columns what they are."""
    session = points_file.rename(home / f"{LONG}.yaml")
    run_each(
        [
            ("replay", session, "--out", home / "runs"),
            ("runs", "rename", LONG, "a title of more than twenty characters", "--runs", "runs"),
        ]
    )
    answer = run("runs", "list", "--runs", "runs")
    (row,) = (line for line in answer.out.splitlines() if LONG[:20] in line)
    assert LONG in row and "done" in row and "a title of more than twenty characters" in row
    assert "…" not in answer.out


def test_checkpoints_are_listed_whole_in_a_pipe(run: Callable[..., Any], home: Path) -> None:
    (home / "models").mkdir()
    (home / "models" / f"{LONG}.safetensors").write_bytes(LFS)
    answer = run("checkpoints", "list", "--checkpoints", "models")
    (row,) = (line for line in answer.out.splitlines() if LONG[:20] in line)
    assert LONG in row and "…" not in answer.out


def test_a_sheet_saved_as_jpeg_is_named_as_one(run: Callable[..., Any], home: Path) -> None:
    """It has lost the session; the message says that only the PNG carries it."""
    Image.new("RGB", (8, 8)).save(home / "sheet.jpg")
    answer = run("replay", home / "sheet.jpg", "--out", home / "runs")
    assert answer.code == 2
    assert "UTF-8" not in answer.err and "PNG" in answer.err


@pytest.mark.parametrize(("content", "word"), [(LFS, "git lfs pull"), (HTML, "HTML")])
def test_what_is_no_weights_is_named_for_what_it_is(
    run_each: Callable[..., Any], home: Path, content: bytes, word: str
) -> None:
    (home / "model.safetensors").write_bytes(content)
    (home / "model.pt").write_bytes(content)
    answers = run_each(
        [
            ("checkpoints", "import", home / "model.safetensors"),
            ("checkpoints", "import", home / "model.pt", "--name", "x"),
            ("checkpoints", "show", home / "model.safetensors"),
        ]
    )
    for answer in answers:
        assert answer.code == 2 and word in " ".join(answer.err.split()), answer.err
        assert "header too large" not in answer.err


def test_a_run_that_is_not_there_is_told_before_any_question(
    run: Callable[..., Any], home: Path
) -> None:
    answer = run("runs", "delete", "nothere", "--runs", home / "runs")
    assert answer.code == 2
    assert "no run 'nothere'" in answer.err and "?" not in answer.err.partition("no run")[0]


@pytest.mark.parametrize("value", ["8", "'8'", "0.5", "8 bytes"])
def test_a_cache_limit_without_a_unit_is_refused_with_its_line(
    run: Callable[..., Any], home: Path, value: str
) -> None:
    """Eight bytes are meant by nobody: the message names the file, the line and `8G`."""
    config = home.parent / "config" / "ddib-workbench" / "config.yaml"
    config.parent.mkdir(parents=True)
    config.write_text(f"theme: dark\ncache_limit: {value}\n")
    answer = run("cache", "size")
    assert answer.code == 2
    words = " ".join(answer.err.split())
    assert f"{config}:2: cache_limit:" in words and "8G" in words


async def test_a_file_with_crlf_is_saved_with_crlf_only(
    program: Callable[..., Any], session_file: Path
) -> None:
    session_file.write_bytes(session_file.read_bytes().replace(b"\n", b"\r\n"))
    async with program(session_file) as screen:
        await screen.press("4", "down", "down", "space")
        await screen.press("ctrl+s")
        await screen.until(lambda: b"enabled: false" in session_file.read_bytes())
    content = session_file.read_bytes()
    assert content.count(b"\n") == content.count(b"\r\n") == content.count(b"\r")


def test_a_reader_that_stops_early_gets_no_traceback() -> None:
    """As `ddib-workbench schema | head -1` does."""
    done = subprocess.run(
        ["bash", "-c", '"$0" schema | head -1', ENTRY], capture_output=True, check=False
    )
    assert done.stdout and b"Traceback" not in done.stderr and b"BrokenPipe" not in done.stderr
