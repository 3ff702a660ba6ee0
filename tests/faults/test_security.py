"""Nothing that lies in a folder runs or leaves it because the program was started there."""

import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

SHADOWED = ("torch", "numpy", "json", "textual", "rich", "pydantic", "yaml", "ddib", "safetensors")
BAD_NAMES = ("../up", "", ".hid", "a/b", "..", ".", "two\nlines", "\x1b[31m", "a\x00b", "x" * 300)


@pytest.fixture
def ambush(home: Path) -> Callable[[], list[str]]:
    """A working directory whose modules leave a trace when they run; what has run."""
    trace = home.parent / "trace"
    text = f"with open({str(trace)!r}, 'a') as file: file.write(__name__ + '\\n')\n"
    for name in SHADOWED:
        (home / name).mkdir()
        (home / name / "__init__.py").write_text(text)
    (home / "sitecustomize.py").write_text(text)
    return lambda: trace.read_text().split() if trace.exists() else []


def test_doctor_runs_nothing_of_the_folder_it_is_started_in(
    run: Callable[..., Any], ambush: Callable[[], list[str]]
) -> None:
    answer = run("doctor")
    assert ambush() == []
    assert "cannot be used" not in answer.out


async def test_the_screens_engine_runs_nothing_of_the_folder_it_is_started_in(
    program: Callable[..., Any], session_file: Path, ambush: Callable[[], list[str]]
) -> None:
    async with program(session_file, engine=None) as screen:
        await screen.until(lambda: ambush() or "cpu" in screen.text.splitlines()[0])
    assert ambush() == []


def test_the_module_started_by_name_runs_nothing_of_the_folder(
    ambush: Callable[[], list[str]],
) -> None:
    """Python puts the working directory first for `-m`; the program takes it off again."""
    command = [sys.executable, "-m", "workbench", "solvers"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ambush() == []
    assert done.returncode == 0, done.stderr


def test_a_module_named_like_the_program_cannot_become_its_engine(
    run: Callable[..., Any], home: Path
) -> None:
    """A child with the working directory on its path would start this one."""
    (home / "workbench" / "engine").mkdir(parents=True)
    trace = home / "trace"
    for folder in (home / "workbench", home / "workbench" / "engine"):
        (folder / "__init__.py").write_text(f"open({str(trace)!r}, 'w').close()\n")
    probe = (
        "import asyncio\n"
        "from workbench.tui.app import WorkbenchApp\n"
        "async def main():\n"
        "    async with WorkbenchApp().run_test() as pilot:\n"
        "        for _ in range(1000):\n"
        "            await pilot.pause(0.02)\n"
        "            top = pilot.app.screen._compositor.render_strips()[0].text\n"
        f"            if 'cpu' in top or __import__('os').path.exists({str(trace)!r}):\n"
        "                break\n"
        "asyncio.run(main())\n"
    )
    subprocess.run(
        [sys.executable, "-P", "-c", probe], capture_output=True, timeout=60, check=False
    )
    assert not trace.exists()


# ---- links out of a run


@pytest.fixture
def kept(run: Callable[..., Any], points_file: Path, tmp_path: Path) -> Path:
    out = tmp_path / "runs"
    answer = run("replay", points_file, "--out", out)
    assert answer.code == 0, answer.err
    return out / "points"


@pytest.mark.parametrize("name", ["copy", "copy.zip"])
def test_an_export_holds_nothing_from_outside_the_run(
    run: Callable[..., Any], kept: Path, tmp_path: Path, name: str
) -> None:
    """Links are left out or the export is refused; both keep the secret at home."""
    secret = tmp_path / "secrets"
    secret.mkdir()
    (secret / "key").write_text("the private key")
    (kept / "images" / "link.png").symlink_to(secret / "key")
    (kept / "folder").symlink_to(secret)
    copy = tmp_path / name
    run("runs", "export", "points", copy, "--runs", kept.parent)
    assert "the private key" not in _contents(copy)


def _contents(copy: Path) -> str:
    if not copy.exists():
        return ""
    if copy.suffix == ".zip":
        with zipfile.ZipFile(copy) as archive:
            found = [archive.read(name) for name in archive.namelist()]
    else:
        found = [path.read_bytes() for path in copy.rglob("*") if path.is_file()]
    return b"\n".join(found).decode(errors="replace")


# ---- one rule for names


def test_train_refuses_every_name_that_is_no_plain_file_name(
    run_each: Callable[..., Any], home: Path
) -> None:
    """Exit code 2, the word "name" in the message, and nothing is written anywhere."""
    settings = ("--dataset", "moons", "--steps", "1", "--batch", "1", "--width", "64")
    answers = run_each([("train", "--name", name, *settings) for name in BAD_NAMES])
    accepted = [
        (name, answer.code, answer.err[-200:])
        for name, answer in zip(BAD_NAMES, answers, strict=True)
        if answer.code != 2 or "name" not in answer.err or "Traceback" in answer.err
    ]
    assert not accepted
    assert not list(home.parent.rglob("*.safetensors"))


def test_import_refuses_every_name_that_is_no_plain_file_name(
    run_each: Callable[..., Any], home: Path
) -> None:
    """The name is looked at before the weights are: what is there need not even be weights."""
    weights = home / "model.pt"
    weights.write_bytes(b"PK\x03\x04")
    answers = run_each([("checkpoints", "import", weights, "--name", name) for name in BAD_NAMES])
    accepted = [
        (name, answer.code, answer.err[-200:])
        for name, answer in zip(BAD_NAMES, answers, strict=True)
        if answer.code != 2 or "model.pt" in answer.err or "Traceback" in answer.err
    ]
    assert not accepted


def test_import_refuses_a_file_whose_own_name_is_none(run: Callable[..., Any], home: Path) -> None:
    """Without --name the file's name is the checkpoint's, under the same rule."""
    import ddib

    hidden = home / ".x.safetensors"
    (shipped,) = Path(ddib.__file__).parent.rglob("synthetic-moons.safetensors")
    hidden.write_bytes(shipped.read_bytes())
    answer = run("checkpoints", "import", hidden)
    assert answer.code == 2 and "name" in answer.err
