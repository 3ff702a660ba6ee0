"""What was solved is kept: odd names, long labels and one bad session lose nothing."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PIL import Image

CASES = Path(__file__).parent / "cases"
ODD = os.fsdecode(b"caf\xe9")  # latin-1, as old archives unpack

PICTURES = """\
version: 1
source:
  checkpoint: cmnist-fives
  images:
    - {path: "pictures/*.png"}
target: {checkpoint: cmnist-sevens}
solver: {steps: 1}
"""

OWN = '''\
from typing import Literal
from ddib.operations import Operation

class Raises(Operation):
    """Raise."""
    op: Literal["raises"] = "raises"
    def apply(self, z, context):
        raise ValueError("as it pleases")

class Nothing(Operation):
    """Return nothing."""
    op: Literal["nothing"] = "nothing"
    def apply(self, z, context):
        return None

class Halves(Operation):
    """Return half of it."""
    op: Literal["halves"] = "halves"
    def apply(self, z, context):
        return z[..., : z.shape[-1] // 2]

class Text(Operation):
    """Return no tensor."""
    op: Literal["text"] = "text"
    def apply(self, z, context):
        return "latent"
'''
BAD = ("raises", "nothing", "halves", "text")


def picture(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (32, 32), (200, 10, 10)).save(path, "PNG")


def test_a_picture_whose_name_is_not_utf8_keeps_its_run(
    run: Callable[..., Any], home: Path
) -> None:
    picture(home / "pictures" / f"{ODD}.png")
    (home / "s.yaml").write_text(PICTURES)
    answer = run("replay", home / "s.yaml", "--out", home / "runs", "--json")
    assert answer.code == 0, answer.err
    manifest = json.loads((home / "runs" / "s" / "manifest.json").read_text("utf-8"))
    assert manifest["status"] == "done" and "caf" in manifest["inputs"][0]["name"]


def test_a_run_of_a_folder_whose_name_is_not_utf8_can_be_replayed(
    run: Callable[..., Any], home: Path
) -> None:
    folder = home / ODD
    picture(folder / "pictures" / "a.png")
    (folder / "s.yaml").write_text(PICTURES)
    first = run("replay", folder / "s.yaml", "--out", home / "runs")
    assert first.code == 0, first.err
    again = run("replay", home / "runs" / "s", "--out", home / "runs", "--check", home / "runs/s")
    assert again.code == 0, again.err


def test_eleven_swept_parameters_keep_their_run(run: Callable[..., Any], home: Path) -> None:
    answer = run("replay", CASES / "longlabel2.yaml", "--out", home / "runs")
    assert answer.code == 0, answer.err
    names = [path.name for path in (home / "runs" / "longlabel2" / "images").iterdir()]
    assert names and max(len(name.encode()) for name in names) <= 120


def test_a_picture_with_a_name_of_250_characters_keeps_its_run(
    run: Callable[..., Any], home: Path
) -> None:
    picture(home / "pictures" / f"{'n' * 249}.png")
    picture(home / "pictures" / f"{'n' * 248}m.png")
    (home / "s.yaml").write_text(PICTURES + "recipe: {latent: [{op: scale, factor: [1, 1.1]}]}\n")
    answer = run("replay", home / "s.yaml", "--out", home / "runs")
    assert answer.code == 0, answer.err
    assert len(list((home / "runs" / "s" / "images").glob("*.png"))) >= 4


def test_an_operation_that_misbehaves_fails_its_own_session_alone(
    run: Callable[..., Any], points_file: Path, home: Path
) -> None:
    folder = home.parent / "config" / "ddib-workbench" / "operations"
    folder.mkdir(parents=True)
    (folder / "own.py").write_text(OWN)
    for name in BAD:
        recipe = f"recipe: {{latent: [{{op: {name}}}]}}\n"
        (home / f"{name}.yaml").write_text(points_file.read_text() + recipe)
    sessions = [home / f"{name}.yaml" for name in BAD]
    answer = run("replay", *sessions, points_file, "--out", home / "runs", "--json")
    lines = [json.loads(line) for line in answer.out.splitlines()]
    assert [line["status"] for line in lines] == ["failed"] * len(BAD) + ["done"], answer.err
    assert answer.code == 1 and "Traceback" not in answer.err
    for name, line in zip(BAD, lines, strict=False):
        assert name in line["error"]


# ---- leftovers


def test_runs_tell_of_an_unfinished_one_and_clear_it(
    run_each: Callable[..., Any], points_file: Path, home: Path
) -> None:
    """`runs list` tells of what killed runs left, with its size; `runs clean` deletes it."""
    out = home / "runs"
    (out / ".long.unfinished").mkdir(parents=True)
    (out / ".long.unfinished" / "chunk.safetensors").write_bytes(bytes(3 * 2**20))
    listed, cleaned = run_each(
        [("runs", "list", "--runs", out), ("runs", "clean", "--runs", out, "--yes")]
    )
    assert ".long.unfinished" in listed.said and "3.0 MiB" in listed.said
    assert cleaned.code == 0, cleaned.err
    assert not (out / ".long.unfinished").exists()


def test_the_cache_counts_and_clears_what_killed_programs_left(
    run_each: Callable[..., Any], points_file: Path, home: Path
) -> None:
    run_each([("replay", points_file, "--out", home / "runs")])
    chunks = list((home.parent / "cache").rglob("*.safetensors"))
    assert chunks, "the run left nothing in the cache"
    left = chunks[0].with_name(".chunk.safetensors.tmp-host-999999-abcdef")
    left.write_bytes(bytes(3 * 2**20))
    old = left.stat().st_mtime - 7 * 86400
    os.utime(left, (old, old))
    size, _, after = run_each([("cache", "size"), ("cache", "clear"), ("cache", "size")])
    assert "3." in size.out and "MiB" in size.out
    assert not left.exists() and after.out.startswith("0 bytes")
    shutil.rmtree(home.parent / "cache")
