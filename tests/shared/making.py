"""What the tests of faults give to the program, and how they run it: from outside only."""

import json
import os
import struct
import subprocess
import sys
import tempfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

CASES = Path(__file__).parents[1] / "faults" / "cases"
ZOO = Path(__file__).parents[2] / "ddib" / "zoo"
SILENT = (sys.executable, "-c", "import sys; sys.stdin.read()")  # an engine that never answers

SEVERAL = """\
import json, os, runpy, sys, time, traceback
import workbench.session

cases = json.load(open(sys.argv[1]))
if len(cases) > 1:
    import torch

def act(case):
    for fd, name in ((1, "out"), (2, "err")):
        file = os.open(case[name], os.O_WRONLY | os.O_CREAT)
        os.dup2(file, fd)
    sys.argv = ["workbench", *case["arguments"]]
    code = 0
    try:
        runpy.run_module("workbench", run_name="__main__", alter_sys=True)
    except SystemExit as ending:
        code = ending.code if isinstance(ending.code, int) else int(bool(ending.code))
    except BaseException:
        traceback.print_exc()
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)

for case in cases:
    child, begun, ended, status = os.fork(), time.monotonic(), 0, 0
    if not child:
        act(case)
    while not ended and time.monotonic() - begun < case["seconds"]:
        ended, status = os.waitpid(child, os.WNOHANG)
        time.sleep(0.01)
    if not ended:
        os.kill(child, 9)
        os.waitpid(child, 0)
    with open(case["code"], "w") as file:
        json.dump(os.waitstatus_to_exitcode(status) if ended else "took too long", file)
"""  # `python -m workbench` once for each list of arguments, each a fork of what has loaded torch


class Said(NamedTuple):
    """How a command ended: its exit code, or why there is none, and what it printed."""

    code: int | str
    out: str
    err: str

    def refuses(self, *words: str) -> bool:
        """Whether this is a refusal in words (exit 2) that says all of `words`."""
        together = " ".join(self.err.split())
        return (
            self.code == 2
            and "Traceback" not in self.err
            and all(word in together for word in words)
        )


def places(folder: Path) -> dict[str, str]:
    """The environment of a program whose own folders all lie in a folder."""
    names = ("DATA", "STATE", "CACHE", "CONFIG")
    homes = {f"XDG_{name}_HOME": str(folder / name.lower()) for name in names}
    return os.environ | homes | {"OMP_NUM_THREADS": "1", "COLUMNS": "500", "NO_COLOR": "1"}


def library(folder: Path) -> Path:
    """The user's checkpoints of a program that runs in these `places`."""
    there = folder / "data" / "ddib-workbench" / "checkpoints"
    there.mkdir(parents=True, exist_ok=True)
    return there


def run(folder: Path, *commands: Sequence[str | Path], seconds: float = 20) -> list[Said]:
    """`python -m workbench` with each of these arguments, in a folder, one after the other."""
    with tempfile.TemporaryDirectory() as kept:
        cases = [
            {"arguments": [str(a) for a in arguments], "seconds": seconds}
            | {name: f"{kept}/{place}.{name}" for name in ("out", "err", "code")}
            for place, arguments in enumerate(commands)
        ]
        Path(kept, "cases").write_text(json.dumps(cases))
        script = [sys.executable, "-P", "-c", SEVERAL, f"{kept}/cases"]
        limit = seconds * len(commands) + 60
        subprocess.run(
            script, check=True, cwd=folder, env=places(folder), stdin=subprocess.DEVNULL,
            timeout=limit,
        )  # fmt: skip
        return [
            Said(
                json.loads(Path(str(case["code"])).read_text()),
                *(Path(str(case[name])).read_text(errors="replace") for name in ("out", "err")),
            )
            for case in cases
        ]


class Cost(NamedTuple):
    """A command that was watched: how it ended and what it took at most."""

    said: Said
    megabytes: int


# A process that is forked counts its parent's memory as its own until it runs another program, so
# that a small one stands between a large test process and what is measured.
MEASURE = """
import resource, subprocess, sys
code = subprocess.call(sys.argv[2:])
with open(sys.argv[1], "w") as file:
    file.write(f"{code} {resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss}")
"""


def watched(folder: Path, *arguments: str | Path, seconds: float = 15) -> Cost:
    """One command in a process of its own, killed after so many seconds."""
    with tempfile.TemporaryDirectory() as kept:
        measured, out, err = (Path(kept, name) for name in ("measured", "out", "err"))
        command = ["timeout", "-s", "KILL", str(seconds), sys.executable, "-P", "-m", "workbench"]
        with out.open("wb") as to_out, err.open("wb") as to_err:
            subprocess.run(
                [sys.executable, "-c", MEASURE, measured, *command, *map(str, arguments)],
                check=True, cwd=folder, env=places(folder), stdin=subprocess.DEVNULL,
                stdout=to_out, stderr=to_err,
            )  # fmt: skip
        ended, kilobytes = map(int, measured.read_text().split())
        texts = [file.read_text(errors="replace") for file in (out, err)]
    code = "took too long" if ended in (-9, 137) else ended
    return Cost(Said(code, *texts), kilobytes // 1024)


# ---- sessions


def session(images: str, version: int = 1, **changes: str) -> str:
    """A small session as YAML, with other lines in place of its own ones."""
    lines = {
        "title": "title: case",
        "source": "source: {checkpoint: cmnist-fives, images: [" + images + "]}",
        "target": "target: {checkpoint: cmnist-sevens}",
        "solver": "solver: {name: dpmpp_2m, grid: log, steps: 1, start_noise: 0.03, clip: false}",
    } | changes
    return "\n".join([f"version: {version}", *lines.values()]) + "\n"


def as_mapping(images: list[dict[str, Any]], version: int = 1) -> dict[str, Any]:
    """The same session as the engine is told it."""
    return {
        "version": version,
        "title": "case",
        "source": {"checkpoint": "cmnist-fives", "images": images},
        "target": {"checkpoint": "cmnist-sevens"},
        "solver": {"name": "dpmpp_2m", "grid": "log", "steps": 1, "start_noise": 0.03},
    }


# ---- the engine


class Engine:
    """An engine and its pipes: requests in, events out, all of them JSON lines."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.child = subprocess.Popen(
            [sys.executable, "-P", "-m", "workbench", "engine", "--device", "cpu"],
            cwd=folder, env=places(folder), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        self.hear("ready")

    def ask(self, **request: Any) -> None:
        assert self.child.stdin is not None
        self.child.stdin.write(json.dumps(request).encode() + b"\n")
        self.child.stdin.flush()

    def hear(self, kind: str, **fields: Any) -> list[dict[str, Any]]:
        """Everything it says up to an event of this kind with these fields."""
        assert self.child.stdout is not None
        heard: list[dict[str, Any]] = []
        for line in self.child.stdout:
            heard.append(json.loads(line))
            if heard[-1] | fields | {"type": kind} == heard[-1]:
                return heard
        raise AssertionError(f"ended after {heard}")

    def run(self, id_: str, said: dict[str, Any], **more: Any) -> list[dict[str, Any]]:
        """All events of a run that is not kept."""
        self.ask(
            **{"type": "run", "id": id_, "session": said, "base": str(self.folder), "keep": False}
            | more
        )
        return self.hear("finished", id=id_)


@contextmanager
def engine(folder: Path) -> Iterator[Engine]:
    """An engine in a folder, ended however the test ends."""
    started = Engine(folder)
    try:
        yield started
    finally:
        started.child.kill()
        started.child.communicate()


# ---- pictures


def png(values: Any, bits: int, colours: int, *chunks: bytes) -> bytes:
    """A PNG of these samples [H, W, channels], as its specification has it, at 8 or 16 bits."""
    import numpy as np

    height, width = values.shape[:2]
    rows = values.astype(">u2" if bits == 16 else "u1").reshape(height, -1)
    raw = b"".join(b"\0" + np.ascontiguousarray(row).tobytes() for row in rows)
    head = struct.pack(">IIBBBBB", width, height, bits, colours, 0, 0, 0)
    parts = [_chunk(b"IHDR", head), *chunks, _chunk(b"IDAT", zlib.compress(raw)), _chunk(b"IEND")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def wide_png(width: int) -> bytes:
    """A black PNG of one row, a bit a pixel."""
    head = struct.pack(">IIBBBBB", width, 1, 1, 0, 0, 0, 0)
    row = zlib.compress(bytes(1 + (width + 7) // 8))
    parts = (_chunk(b"IHDR", head), _chunk(b"IDAT", row), _chunk(b"IEND"))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def _chunk(kind: bytes, data: bytes = b"") -> bytes:
    body = kind + data
    return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))


def write_mnist(folder: Path, digits: Sequence[int], prefix: str = "train") -> Path:
    """Raw MNIST files that hold these digits, each a grey square."""
    folder.mkdir(parents=True, exist_ok=True)
    count = len(digits)
    images = struct.pack(">4I", 0x0803, count, 28, 28) + b"\x80" * (784 * count)
    labels = struct.pack(">2I", 0x0801, count) + bytes(digits)
    (folder / f"{prefix}-images-idx3-ubyte").write_bytes(images)
    (folder / f"{prefix}-labels-idx1-ubyte").write_bytes(labels)
    return folder


# ---- checkpoints


def split_checkpoint(path: Path) -> tuple[dict[str, Any], bytes]:
    """The header of a safetensors file, and its tensors' bytes."""
    data = path.read_bytes()
    (length,) = struct.unpack_from("<Q", data)
    return json.loads(data[8 : 8 + length]), data[8 + length :]


def write_safetensors(path: Path, header: str, tensors: bytes = b"") -> Path:
    path.write_bytes(struct.pack("<Q", len(header.encode())) + header.encode() + tensors)
    return path


def facts_of(name: str) -> dict[str, Any]:
    """What the header of a shipped checkpoint says."""
    header, _ = split_checkpoint(ZOO / f"{name}.safetensors")
    facts: dict[str, Any] = json.loads(header["__metadata__"]["ddib"])
    return facts


def changed(path: Path, name: str, **changes: Any) -> Path:
    """A shipped checkpoint with other facts in its header."""
    header, tensors = split_checkpoint(ZOO / f"{name}.safetensors")
    header["__metadata__"]["ddib"] = json.dumps(facts_of(name) | changes)
    return write_safetensors(path, json.dumps(header), tensors)
