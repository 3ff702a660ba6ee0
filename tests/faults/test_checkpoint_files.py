"""Checkpoints: their names, what they are recognised by, and files that lie (16, 17, 18, 19)."""

import json
import os
import pickle
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

import making

FIVES = "{dataset: colored-mnist, digit: 5, count: 1, seed: 0}"
NAMES = ("sevens-0.5", "ema_0.9999_100000", "v1.safetensors.old", "7.", "model.pt")

# ---- 16


def test_names_with_dots_work_in_sessions(tmp_path: Path) -> None:
    """At every end; a file of that name beside the session does not come first."""
    for name in NAMES:
        shutil.copy(
            making.ZOO / "cmnist-sevens.safetensors",
            making.library(tmp_path) / f"{name}.safetensors",
        )
        (tmp_path / name).write_text("another thing of that name")
        text = making.session(
            FIVES,
            target=f"target: {{checkpoint: [cmnist-sevens, '{name}']}}",
            chain=f"chain: [{{checkpoint: '{name}'}}]",
        ).replace("cmnist-fives", f"'{name}'")
        (tmp_path / f"case-{name}.yaml").write_text(text)
    files = [f"case-{name}.yaml" for name in NAMES]
    (said,) = making.run(tmp_path, ["replay", *files, "--dry-run"], seconds=60)
    assert said.code == 0, said.err


def test_a_path_has_a_separator_or_ends_in_safetensors(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    for path in ("own.safetensors", "sub/own.5"):
        shutil.copy(making.ZOO / "cmnist-sevens.safetensors", tmp_path / path)
    shutil.copy(making.ZOO / "cmnist-sevens.safetensors", tmp_path / "bare.5")
    for place, name in enumerate(("own.safetensors", "sub/own.5", "bare.5")):
        text = making.session(FIVES, target=f"target: {{checkpoint: {name}}}")
        (tmp_path / f"{place}.yaml").write_text(text)
    *found, bare = making.run(
        tmp_path, *(["replay", f"{n}.yaml", "--dry-run"] for n in range(3)), seconds=30
    )
    assert [said.code for said in found] == [0, 0], found
    assert bare.refuses("2.yaml:", "target.checkpoint", "no checkpoint named 'bare.5'")


# ---- 17


def imported(folder: Path, *paths: Path, seconds: float = 20) -> list[making.Said]:
    commands: list[list[str | Path]] = [["checkpoints", "import", path] for path in paths]
    return making.run(folder, *commands, seconds=seconds)


def test_no_length_of_a_header_makes_a_safetensors_file_a_pickle(tmp_path: Path) -> None:
    """Whatever its low bytes look like: 0x80 and the protocol of a pickle, or a bracket."""
    header = json.dumps({"x": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}})
    lengths = (0x80, 0x180, 0x0280, 0x0480, 0x0580, 0x128)
    paths = [
        making.write_safetensors(tmp_path / f"{n}.safetensors", header.ljust(n), bytes(4))
        for n in lengths
    ]
    for length, said in zip(lengths, imported(tmp_path, *paths), strict=True):
        assert said.refuses("of no known format", "It holds x"), (hex(length), said)


def test_pickles_of_every_protocol_are_recognised(tmp_path: Path) -> None:
    paths = [tmp_path / f"{protocol}.pkl" for protocol in range(pickle.HIGHEST_PROTOCOL + 1)]
    for protocol, path in enumerate(paths):
        path.write_bytes(pickle.dumps({"x": print}, protocol))
    for said in imported(tmp_path, *paths):
        assert said.refuses("a plain pickle"), said


# ---- 18


@pytest.mark.parametrize("command", ["show", "adapt", "calibrate", "import"])
def test_names_that_no_file_can_have_are_refused_in_words(tmp_path: Path, command: str) -> None:
    names = ("x" * 300, "~nobody-of-that-name/x", "x" * 300 + ".safetensors", "a/" * 3000)
    commands = (["checkpoints", command, name] for name in names)
    for name, said in zip(names, making.run(tmp_path, *commands), strict=True):
        assert said.refuses(name[:20]), said


# ---- 19


UNET = making.facts_of("cmnist-fives")["architecture"]
HUGE = 10**30


def lying_facts() -> dict[str, dict[str, Any]]:
    """Changes to a whole checkpoint's facts, each of which makes it useless."""
    unet: dict[str, Any] = {
        "model_channels": HUGE,
        "in_channels": 2**31,
        "num_heads": 2**40,
        "num_classes": -1,
        "attention_factors": [-1],
        "channel_mult": [-1.5],
        "num_head_channels": 0,
        "patch_size": 10**6,
        "groups": 2**33,
    }
    found = {f"unet-{key}": {"architecture": UNET | {key: value}} for key, value in unet.items()}
    found["classes"] = {"architecture": UNET | {"num_classes": HUGE}}
    found["multiples"] = {"architecture": UNET | {"channel_mult": [1e300]}}
    found["heads-0"] = {"architecture": UNET | {"num_head_channels": -8}}
    found["mlp"] = {"architecture": {"kind": "mlp", "width": 2**40, "blocks": 2**40}}
    found["probe"] = {
        "kind": "probe", "architecture": {"kind": "probe", "widths": [-1, 0, HUGE]}
    }  # fmt: skip
    found["probe-classes"] = {
        "kind": "probe", "architecture": {"kind": "probe", "classes": 2**40}
    }  # fmt: skip
    found["classifier"] = {
        "kind": "classifier", "architecture": {"kind": "classifier", "widths": [0] * 10_000}
    }  # fmt: skip
    found |= {
        "size": {"image_size": HUGE},
        "size-2": {"image_size": 2**31},
        "channels": {"channels": HUGE},
        "parameters": {"parameters": HUGE},
        "labels": {"labels": list(range(2_000_000))},
        "label": {"labels": [-(2**70)]},
        "kinds": {"kind": "denoiser", "architecture": {"kind": "probe"}},
        "nothing": {"architecture": None},
        "words": {"image_size": "thirty-two"},
        "steps": {"schedule": {"name": "linear", "steps": HUGE}},
        "unknown": {"schedule": {"name": "no-such-schedule", "steps": 1000}},
    }
    return found


def lying_headers() -> dict[str, str]:
    """Headers of safetensors files that are none, or say what cannot be."""
    facts = {"ddib": json.dumps(making.facts_of("cmnist-fives"))}

    def tensor(**changes: Any) -> str:
        entry = {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]} | changes
        return json.dumps({"__metadata__": facts, "x": entry})

    return {
        "deep": "[" * 200_000,
        "deep-facts": json.dumps({"__metadata__": {"ddib": '{"data":' * 50_000}}),
        "list": "[]",
        "number": "12",
        "metadata": '{"__metadata__": 3}',
        "not-text": '{"__metadata__": {"ddib": {"kind": "denoiser"}}}',
        "offset-word": tensor(data_offsets=[0, "4"]),
        "offset-float": tensor(data_offsets=[0, 4.0]),
        "offset-nan": tensor(data_offsets=[0, float("nan")]),
        "offset-negative": tensor(data_offsets=[-8, -4]),
        "offset-huge": tensor(data_offsets=[0, HUGE]),
        "offset-true": tensor(data_offsets=[0, True]),
        "offset-none": tensor(data_offsets=None),
        "digits": '{"x": ' + "9" * 10_000 + "}",
        "shape": tensor(shape=[HUGE]),
        "dtype": tensor(dtype="F8_E4M3", data_offsets=[0, 1]),
        "entry": json.dumps({"__metadata__": facts, "x": 4}),
    }


def test_the_list_survives_every_file_and_marks_it(tmp_path: Path) -> None:
    """A file that cannot be used stands there with its reason; the good one stays usable."""
    there = making.library(tmp_path)
    for name, facts in lying_facts().items():
        making.changed(there / f"{name}.safetensors", "cmnist-fives", **facts)
    for name, header in lying_headers().items():
        making.write_safetensors(there / f"{name}.safetensors", header, bytes(8))
    (there / "empty.safetensors").touch()
    os.mkfifo(there / "pipe.safetensors")
    making.changed(there / "good.safetensors", "cmnist-fives")
    said, shown = making.run(
        tmp_path, ["checkpoints", "list"], ["checkpoints", "show", "good"], seconds=30
    )
    assert (said.code, shown.code) == (0, 0), said.err
    assert "Traceback" not in said.out + said.err
    lines = {line.split()[0]: line for line in said.out.splitlines() if line.strip()}
    usable = {name for name in (*lying_facts(), *lying_headers()) if is_usable(lines[name])}
    assert not usable
    assert is_usable(lines["good"])


def is_usable(line: str) -> bool:
    """Whether a line of the list has the size and the number of parameters, not a problem."""
    return "32×32×3" in line


def test_every_lying_file_is_one_refusal_when_it_is_shown(tmp_path: Path) -> None:
    paths = [
        *(making.changed(tmp_path / f"{name}.safetensors", "cmnist-fives", **facts)
          for name, facts in lying_facts().items()),
        *(making.write_safetensors(tmp_path / f"{name}.safetensors", header, bytes(8))
          for name, header in lying_headers().items()),
    ]  # fmt: skip
    commands: list[list[str | Path]] = [["checkpoints", "show", path] for path in paths]
    said = zip(paths, making.run(tmp_path, *commands, seconds=10), strict=True)
    wrong = {path.stem: one for path, one in said if not one.refuses(path.name)}
    assert not wrong, sorted(wrong)


def state(**changes: Any) -> dict[str, Any]:
    return {"input_blocks.0.0.weight": torch.ones(4, 3, 3, 3)} | changes


def holding_itself() -> dict[str, Any]:
    content: dict[str, Any] = state()
    content["model"] = content
    return content


def nested() -> dict[str, Any]:
    content = state()
    for _ in range(400):
        content = {"model": content}
    return content


FOREIGN: dict[str, Callable[[], Any]] = {
    "sparse": lambda: state(x=torch.ones(3, 3).to_sparse()),
    "csr": lambda: state(x=torch.ones(3, 3).to_sparse_csr()),
    "quantised": lambda: state(x=torch.quantize_per_tensor(torch.ones(3), 1, 0, torch.qint8)),
    "float8": lambda: state(x=torch.ones(3).to(torch.float8_e4m3fn)),
    "meta": lambda: state(x=torch.ones(3, device="meta")),
    "complex": lambda: state(x=torch.ones(3, dtype=torch.complex64)),
    "itself": holding_itself,
    "nested": nested,
    "nothing": dict,
    "numbers": lambda: {1: torch.ones(1), None: torch.ones(1)},
}


def test_every_unusable_tensor_is_one_refusal_of_the_import(tmp_path: Path) -> None:
    paths = [tmp_path / f"{name}.pt" for name in FOREIGN]
    for path, make in zip(paths, FOREIGN.values(), strict=True):
        torch.save(make(), path)
    os.mkfifo(tmp_path / "pipe.pt")
    (tmp_path / "float8.safetensors").write_bytes(
        making.write_safetensors(
            tmp_path / "f8",
            json.dumps({"x": {"dtype": "F8_E4M3", "shape": [1], "data_offsets": [0, 1]}}),
            b"\x38",
        ).read_bytes()
    )
    paths += [tmp_path / "pipe.pt", tmp_path / "float8.safetensors"]
    said = zip(paths, imported(tmp_path, *paths, seconds=10), strict=True)
    wrong = {path.name: one for path, one in said if not one.refuses(path.name)}
    assert not wrong, wrong
    assert not list(making.library(tmp_path).iterdir())


def test_an_own_checkpoint_is_built_and_evaluated_before_it_is_taken_in(tmp_path: Path) -> None:
    """Facts that fit the weights and an evaluation that does not: sizes that cannot be halved."""
    cases = {"size": {"image_size": 30}, "channels": {"channels": 1}, "odd": {"image_size": 1}}
    paths = [
        making.changed(tmp_path / f"{name}.safetensors", "cmnist-fives", **facts)
        for name, facts in cases.items()
    ]
    for path, said in zip(paths, imported(tmp_path, *paths), strict=True):
        assert said.refuses(path.name), said
    assert not list(making.library(tmp_path).iterdir())


# ---- files that cannot be written


def limited(folder: Path, kilobytes: int, *arguments: str | Path) -> making.Said:
    """A command that may write files of so many kilobytes, as on a disk with so much room."""
    shell = f'ulimit -f {kilobytes}; exec "$@"'
    command = [sys.executable, "-P", "-m", "workbench", *map(str, arguments)]
    done = subprocess.run(
        ["bash", "-c", shell, "bash", *command], check=False, cwd=folder, timeout=120,
        env=making.places(folder), stdin=subprocess.DEVNULL, capture_output=True, text=True,
    )  # fmt: skip
    return making.Said(done.returncode, done.stdout, done.stderr)


def test_an_import_that_does_not_fit_on_the_disk_is_one_line(tmp_path: Path) -> None:
    path = making.ZOO / "cmnist-fives.safetensors"
    said = limited(tmp_path, 64, "checkpoints", "import", path)
    assert said.code == 1
    assert "Traceback" not in said.err
    assert "cmnist-fives.safetensors: file too large" in " ".join(said.err.split())
    assert not list(making.library(tmp_path).iterdir())


def test_a_training_whose_state_does_not_fit_is_refused_before_its_first_step(
    tmp_path: Path,
) -> None:
    train = ("train", "--name", "a", "--dataset", "moons", "--steps", "1", "--out", "made")
    said = limited(tmp_path, 16, *train, "--batch", "2")
    assert said.refuses("made/a.training.pt", "cannot be written"), said
    assert not list((tmp_path / "made").iterdir())


@pytest.mark.parametrize(
    "arguments",
    [
        ("train", "--name", "a", "--dataset", "moons", "--steps", "1", "--out", "file/made"),
        ("replay", "a.yaml", "--out", "file/made"),
    ],
    ids=["train", "replay"],
)
def test_a_folder_below_a_file_is_refused_before_anything_runs(
    tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "a.yaml").write_text(making.session(FIVES))
    (said,) = making.run(tmp_path, arguments, seconds=30)
    assert said.refuses("file/made", "is not a folder"), said
