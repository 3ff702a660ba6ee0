"""The program from outside: its command in a process, in a pseudo-terminal, under a pilot."""

import asyncio
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

os.environ["TEXTUAL_ANIMATIONS"] = "none"  # before textual is imported, and so is the next
os.environ["TEXTUAL_COLOR_SYSTEM"] = "truecolor"

ENTRY = str(Path(sys.executable).with_name("ddib-workbench"))
SILENT = (sys.executable, "-c", "import sys; sys.stdin.read()")  # an engine that never answers
CASES = Path(__file__).parent / "cases"

SESSION = """\
version: 1
title: Small
source:
  checkpoint: cmnist-fives
  images:
    - {dataset: colored-mnist, digit: 5, count: 3, seed: 0}
target:
  checkpoint: cmnist-sevens
solver: {steps: 3, start_noise: 0.03}
recipe:
  latent:
    - {op: normalize}
"""

POINTS = """\
version: 1
title: Points
source:
  checkpoint: synthetic-moons
  images:
    - {dataset: moons, count: 16, seed: 0}
target:
  checkpoint: synthetic-checkerboards
solver: {steps: 1}
"""

IN_ONE_PROCESS = """\
import contextlib, io, json, sys, traceback
from importlib.metadata import entry_points
(entry,) = entry_points(group="console_scripts", name="ddib-workbench")
main, answers = entry.load(), []
for arguments in json.load(sys.stdin):
    sys.argv = ["ddib-workbench", *arguments]
    out, err, code, trace = io.StringIO(), io.StringIO(), 0, ""
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main()
        except SystemExit as end:
            code = end.code
        except BaseException:
            code, trace = 1, traceback.format_exc()
    answers.append([int(code or 0), out.getvalue(), err.getvalue() + trace])
print(json.dumps(answers))
"""


@dataclass(frozen=True)
class Answer:
    """How a command ended and what it said."""

    code: int
    out: str
    err: str

    @property
    def said(self) -> str:
        return self.out + self.err


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Folders of the program's own, an empty working directory, one thread."""
    for name in ("DATA", "STATE", "CACHE", "CONFIG"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / name.lower()))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.delenv("COLUMNS", raising=False)
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    return work


@pytest.fixture
def session_file(home: Path) -> Path:
    path = home / "small.yaml"
    path.write_text(SESSION)
    return path


@pytest.fixture
def points_file(home: Path) -> Path:
    path = home / "points.yaml"
    path.write_text(POINTS)
    return path


@pytest.fixture
def run() -> Callable[..., Answer]:
    """Runs the program's command once, without a terminal."""

    def call(*arguments: str | Path | bytes, timeout: float = 120, **options: Any) -> Answer:
        environment = os.environ | options.pop("env", {})
        done = subprocess.run(
            [ENTRY, *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env=environment,
            timeout=timeout,
            check=False,
            **options,
        )
        return Answer(done.returncode, _text(done.stdout), _text(done.stderr))

    return call


@pytest.fixture
def run_each() -> Callable[..., list[Answer]]:
    """Runs several commands one after the other in one process: torch is imported once."""

    def call(commands: Sequence[Sequence[str | Path]], timeout: float = 180) -> list[Answer]:
        asked = json.dumps([[str(word) for word in command] for command in commands])
        done = subprocess.run(
            [sys.executable, "-P", "-c", IN_ONE_PROCESS],
            input=asked,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=True,
        )
        return [Answer(*answer) for answer in json.loads(done.stdout)]

    return call


def _text(content: bytes) -> str:
    return content.decode(errors="replace")


@pytest.fixture
def controls() -> Callable[[str], list[str]]:
    """The characters of a text that a terminal obeys rather than shows."""

    def find(text: str) -> list[str]:
        return re.findall(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", text)

    return find


class Screen:
    """The program under a pilot: keys in, text out."""

    def __init__(self, app: Any, pilot: Any) -> None:
        self.app, self.pilot = app, pilot

    @property
    def text(self) -> str:
        width, height = self.app.size
        strips = self.app.screen._compositor.render_strips()[:height]
        return "\n".join(strip.text.ljust(width) for strip in strips)

    async def press(self, *keys: str) -> None:
        for key in keys:
            await self.pilot.press(key)

    async def type(self, text: str) -> None:
        names = {" ": "space", ".": "full_stop", "/": "slash", "-": "minus", "_": "underscore"}
        await self.press(*(names.get(character, character) for character in text))

    async def until(self, wanted: str | Callable[[], object], seconds: float = 60) -> None:
        condition = wanted if callable(wanted) else (lambda: wanted in self.text)
        try:
            async with asyncio.timeout(seconds):
                while not condition():
                    await self.pilot.pause(0.02)
        except TimeoutError:
            raise AssertionError(f"{wanted!r} never came:\n{self.text}") from None
        await self.pilot.pause()

    async def for_a_while(self, seconds: float = 1.0) -> None:
        for _ in range(round(seconds / 0.05)):
            await self.pilot.pause(0.05)


@pytest.fixture
def program() -> Callable[..., Any]:
    """Starts the screen under a pilot; `engine=None` is the real engine."""

    @asynccontextmanager
    async def start(
        session: Path | None = None,
        *,
        size: tuple[int, int] = (120, 36),
        engine: Sequence[str] | None = SILENT,
        runs: Path | None = None,
        shows: str = "normalize",
    ) -> Any:
        from workbench.tui.app import WorkbenchApp

        app = WorkbenchApp(session, engine_command=engine, runs=runs)
        async with app.run_test(size=size) as pilot:
            screen = Screen(app, pilot)
            await screen.until(shows)
            yield screen

    return start
