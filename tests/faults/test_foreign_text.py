"""Text from files and names reaches a terminal as text: no escape in it is obeyed."""

import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

HOSTILE = "a\x1b]52;c;SEFD\x07b\x1b[31mc\x9b1md"
CASES = Path(__file__).parent / "cases"
Controls = Callable[[str], list[str]]


def quoted(text: str) -> str:
    """A YAML scalar that holds exactly this."""
    return json.dumps(text)


def test_messages_about_sessions_hold_no_escapes(
    run_each: Callable[..., Any], points_file: Path, home: Path, controls: Controls
) -> None:
    plain = points_file.read_text()
    texts = {
        "title": plain.replace("Points", quoted(HOSTILE)),
        "key": plain + f"{quoted(HOSTILE)}: 1\n",
        "checkpoint": plain.replace("synthetic-moons", quoted(HOSTILE)),
        "path": plain.replace("{dataset: moons, count: 16, seed: 0}", f"path: {quoted(HOSTILE)}"),
        "choice": plain.replace("steps: 1", f"name: {quoted(HOSTILE)}"),
        "broken": plain + f"x: [{quoted(HOSTILE)}\n",
        "operation": plain + f"recipe: {{latent: [{{op: {quoted(HOSTILE)}}}]}}\n",
    }
    for name, text in texts.items():
        (home / f"{name}.yaml").write_text(text)
    (home / f"{HOSTILE}.yaml").write_text(plain.replace("steps", "stepz"))
    files = [home / f"{name}.yaml" for name in (*texts, HOSTILE, f"missing{HOSTILE}")]
    answers = run_each([("replay", file, "--out", home / "runs") for file in files])
    obeyed = {file.stem: answer.said for file, answer in zip(files, answers, strict=True)
              if controls(answer.said)}  # fmt: skip
    assert not obeyed


@pytest.mark.parametrize("case", ["escape-title.yaml", "escape-name.yaml"])
def test_a_session_that_was_sent_writes_no_clipboard(
    run: Callable[..., Any], home: Path, controls: Controls, case: str
) -> None:
    answer = run("replay", CASES / case, "--out", home / "runs")
    assert not controls(answer.said)


def test_listings_of_checkpoints_hold_no_escapes(
    run_each: Callable[..., Any], home: Path, controls: Controls
) -> None:
    import ddib

    (shipped,) = Path(ddib.__file__).parent.rglob("synthetic-moons.safetensors")
    content = shipped.read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + length])
    (key,) = (key for key in header["__metadata__"] if "ddib" in key)
    facts = json.loads(header["__metadata__"][key]) | {"domain": HOSTILE}
    header["__metadata__"][key] = json.dumps(facts)
    written = json.dumps(header).encode()
    folder = home / "models"
    folder.mkdir()
    (folder / "domain.safetensors").write_bytes(
        struct.pack("<Q", len(written)) + written + content[8 + length :]
    )
    (folder / f"{HOSTILE}.safetensors").write_bytes(content)
    (folder / f"broken{HOSTILE}.safetensors").write_bytes(b"nothing")
    place = ("--checkpoints", folder)
    commands = [
        ("checkpoints", "list", *place),
        ("checkpoints", "show", f"broken{HOSTILE}", *place),
        ("checkpoints", "import", folder / f"broken{HOSTILE}.safetensors"),
        ("doctor", *place),
    ]
    answers = run_each(commands)
    assert not [answer.said for answer in answers if controls(answer.said)]


def test_an_emoji_code_or_a_colour_in_a_name_stays_text(
    run_each: Callable[..., Any], points_file: Path, home: Path
) -> None:
    points_file.write_text(points_file.read_text().replace("Points", "'a :100: [red]b[/red]'"))
    out = home / "runs"
    done, renamed, listed = run_each(
        [
            ("replay", points_file, "--out", out),
            ("runs", "rename", "points", "n :100: [red]b", "--runs", out),
            ("runs", "list", "--runs", out),
        ]
    )
    assert "a :100: [red]b[/red]" in done.err
    assert renamed.code == 0
    assert ":100:" in listed.out


def test_names_and_notes_of_runs_hold_no_escapes(
    run_each: Callable[..., Any], points_file: Path, home: Path, controls: Controls
) -> None:
    out = home / "runs"
    answers = run_each(
        [
            ("replay", points_file, "--out", out),
            ("runs", "rename", "points", HOSTILE, "--runs", out),
            ("runs", "list", "--runs", out),
            ("runs", "show", HOSTILE, "--runs", out),
            ("runs", "delete", HOSTILE, "--runs", out, "--yes"),
            ("runs", "export", HOSTILE, home / "copy", "--runs", out),
        ]
    )
    assert not [answer.said for answer in answers if controls(answer.said)]


def test_an_operation_of_ones_own_says_nothing_to_the_terminal(
    run_each: Callable[..., Any], home: Path, controls: Controls
) -> None:
    folder = home.parent / "config" / "ddib-workbench" / "operations"
    folder.mkdir(parents=True)
    (folder / f"bad{HOSTILE}.py").write_text(f"raise ValueError({HOSTILE!r})\n")
    answers = run_each([("operations",), ("schema",), ("doctor",)])
    assert not [answer.said for answer in answers if controls(answer.said)]


def test_the_log_holds_no_escapes(
    run: Callable[..., Any], points_file: Path, home: Path, controls: Controls
) -> None:
    """Who reads it with `less -R` or `cat` is as much a terminal as anybody."""
    hostile = home / f"s{HOSTILE}.yaml"
    hostile.write_text(points_file.read_text())
    answer = run("replay", hostile, "--out", home / "runs", "--verbose")
    logs = [path.read_text() for path in (home.parent / "state").rglob("*.log")]
    assert not controls(answer.said + "".join(logs))


async def test_a_title_with_escapes_is_shown_without_them(
    program: Callable[..., Any], controls: Controls
) -> None:
    async with program(CASES / "escape-title.yaml", shows="add noise") as screen:
        await screen.press("N")
        await screen.for_a_while(0.5)
        assert not controls(screen.text)
