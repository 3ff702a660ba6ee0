"""Makes checkpoints that are damaged, mean harm, or are no checkpoints: one function a kind.

Each writes something to a path, and takes its random numbers from a generator. What would be
executed leaves the file MARK in the folder of the path.
"""

import json
import os
import pickle
import random
import socket
import struct
import zipfile
from collections.abc import Callable
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

import ddib

from support.mutations import VALUES, Tree, mutate_bytes, mutate_tree

MARK = "executed"
SHIPPED = sorted(Path(ddib.__file__).parent.rglob("*.safetensors"), key=lambda p: p.stat().st_size)
POINTS = next(path for path in SHIPPED if path.stem == "synthetic-moons")
PICTURES = next(path for path in SHIPPED if path.stem == "cmnist-fives")
FACTS = "ddib"  # the key of the header's metadata

Maker = Callable[[random.Random, Path], None]
MAKERS: list[Maker] = []


def maker(make: Maker) -> Maker:
    MAKERS.append(make)
    return make


# ---- of this program's own


def split(data: bytes) -> tuple[dict[str, Any], bytes]:
    """The header of a safetensors file, and what follows it."""
    (length,) = struct.unpack("<Q", data[:8])
    return json.loads(data[8 : 8 + length]), data[8 + length :]


def joined(header: str, rest: bytes) -> bytes:
    text = header.encode("utf-8", "surrogatepass")
    return struct.pack("<Q", len(text)) + text + rest


@cache
def shipped(path: Path) -> tuple[dict[str, Any], dict[str, Any], bytes]:
    """A shipped checkpoint: its header, its facts without pictures, and its weights."""
    header, rest = split(path.read_bytes())
    facts = json.loads(header["__metadata__"][FACTS])
    return header, {k: v for k, v in facts.items() if k not in ("thumbnail", "picture")}, rest


def one_of_them(rng: random.Random) -> Path:
    return rng.choice([POINTS, POINTS, POINTS, PICTURES, *SHIPPED])


@maker
def changed_facts(rng: random.Random, path: Path) -> None:
    header, facts, rest = shipped(one_of_them(rng))
    _, other, _ = shipped(one_of_them(rng))
    _write_facts(path, header, mutate_tree(rng, facts, other), rest)


@maker
def changed_architecture(rng: random.Random, path: Path) -> None:
    header, facts, rest = shipped(one_of_them(rng))
    part = rng.choice([key for key in ("architecture", "schedule") if key in facts])
    key = rng.choice(list(facts[part]))
    wrong = rng.choice((*VALUES, *(2**n for n in (7, 15, 20, 31, 62)), [2**31], [1] * 40))
    _write_facts(path, header, facts | {part: facts[part] | {key: wrong}}, rest)


def _write_facts(path: Path, header: dict[str, Any], facts: Tree, rest: bytes) -> None:
    path.write_bytes(
        joined(json.dumps(header | {"__metadata__": {FACTS: json.dumps(facts)}}), rest)
    )


@maker
def facts_that_are_no_text(rng: random.Random, path: Path) -> None:
    header, facts, rest = shipped(POINTS)
    wrong = rng.choice((*VALUES, facts, "[" * 100_000, '{"a":' * 5000, json.dumps(facts)[:-1]))
    metadata = rng.choice(({FACTS: wrong}, wrong, {FACTS: json.dumps(facts), "x": wrong}))
    path.write_bytes(joined(json.dumps(header | {"__metadata__": metadata}), rest))


@maker
def changed_header(rng: random.Random, path: Path) -> None:
    header, facts, rest = shipped(POINTS)
    own = {"__metadata__": {FACTS: json.dumps(facts)}}
    tensors = {name: entry for name, entry in header.items() if name != "__metadata__"}
    changed = mutate_tree(rng, tensors, facts)
    path.write_bytes(
        joined(json.dumps(changed | own if isinstance(changed, dict) else changed), rest)
    )


@maker
def header_text(rng: random.Random, path: Path) -> None:
    header, _, rest = shipped(POINTS)
    text = json.dumps(header)
    wrong = rng.choice(("[" * 100_000, '{"a":' * 100_000, "9" * 5000, "1e999", "\0", '"\\ud800"',
                        '{"a": 1, "a": 2}', " " * 100_000, "\ud800"))  # fmt: skip
    at = rng.choice((0, 1, len(text), rng.randrange(len(text))))
    path.write_bytes(joined(text[:at] + wrong + text[at:], rest))


@maker
def length_of_header(rng: random.Random, path: Path) -> None:
    data = PICTURES.read_bytes() if rng.random() < 0.2 else POINTS.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    wrong = rng.choice((0, 1, 2, length - 1, length + 1, 2**31, 2**63, 2**64 - 1, 2**24,
                        len(data), len(data) - 8, rng.randrange(2**64)))  # fmt: skip
    path.write_bytes(struct.pack("<Q", wrong) + data[8:])


@maker
def padded_header(rng: random.Random, path: Path) -> None:
    """A good file, whose header's length has any low byte: spaces may follow a header."""
    header, _, rest = shipped(POINTS)
    text = json.dumps(header)
    padding = (rng.choice((0x80, 0x50, 0x0A, 0x7B, rng.randrange(256))) - len(text)) % 256
    path.write_bytes(joined(text + " " * padding, rest))


@maker
def changed_bytes(rng: random.Random, path: Path) -> None:
    path.write_bytes(mutate_bytes(rng, one_of_them(rng).read_bytes()))


@maker
def cut(rng: random.Random, path: Path) -> None:
    data = one_of_them(rng).read_bytes()
    path.write_bytes(
        data[: rng.choice((0, 1, 7, 8, 9, 100, rng.randrange(len(data)), len(data) - 1))]
    )


# ---- tensors


DTYPES = (
    torch.float8_e4m3fn, torch.float8_e5m2, torch.complex64, torch.bool, torch.int32, torch.uint8,
    torch.uint16, torch.bfloat16, torch.float64,
)  # fmt: skip


def strange_tensors(rng: random.Random) -> Tensor:
    size = rng.choice((1, 8, 64))
    plain = torch.full((size, size), 0.5)
    kinds: tuple[Callable[[], Tensor], ...] = (
        plain.to_sparse,
        plain.to_sparse_csr,
        lambda: torch.quantize_per_tensor(plain, 0.1, 0, torch.qint8),
        lambda: plain * torch.nan,
        lambda: plain / 0,
        lambda: torch.empty(rng.choice(((0,), (0, 2**40), (), (1,) * 40))),
        lambda: torch.zeros(1).as_strided((10**12,), (0,)),
        lambda: plain.to("meta"),
        plain.requires_grad_,
        lambda: plain.t()[1:],
        lambda: plain.to(rng.choice(DTYPES)),
    )
    return rng.choice(kinds)()


@cache
def weights(path: Path) -> dict[str, Tensor]:
    return load_file(path)


def changed_weights(rng: random.Random, path: Path) -> dict[Any, Any]:
    """A shipped network's tensors, some of them strange."""
    state: dict[Any, Any] = dict(weights(path))
    for name in rng.sample(list(state), rng.choice((1, 1, 3))):
        match rng.randrange(6):
            case 0:
                del state[name]
            case 1:
                state[rng.choice((f"{name}\x1b[31m", "", name.upper(), "x" * 5000))] = state.pop(
                    name
                )
            case 2:
                state[rng.choice((0, None, (1, 2), b"x"))] = state.pop(name)
            case 3:
                state[name] = rng.choice((None, 1, "x", [1], {}, {"a": 1}))
            case _:
                state[name] = strange_tensors(rng)
    return state


@maker
def strange_in_safetensors(rng: random.Random, path: Path) -> None:
    source = rng.choice((POINTS, PICTURES))
    state = {str(k): v for k, v in changed_weights(rng, source).items() if isinstance(v, Tensor)}
    kept = {}
    for name, tensor in state.items():
        try:
            save_file({name: tensor.contiguous()}, path)
            kept[name] = tensor.contiguous()
        except Exception:  # what safetensors does not write cannot be met in one
            kept[name] = torch.zeros(rng.choice((1, 7)))
    _, facts, _ = shipped(source)
    save_file(kept, path, rng.choice((None, {FACTS: json.dumps(facts)}, {"format": "pt"})))


@maker
def strange_in_torch_s(rng: random.Random, path: Path) -> None:
    state = changed_weights(rng, rng.choice((POINTS, PICTURES, PICTURES)))
    wrapped = rng.choice(
        (state, {"model": state}, {"ema": {"model": state}}, {"state_dict": [state]})
    )
    torch.save(wrapped, path, _use_new_zipfile_serialization=rng.random() < 0.8)


@maker
def no_dictionary(rng: random.Random, path: Path) -> None:
    endless: dict[str, Any] = {"a": torch.zeros(1)}
    endless[rng.choice(("model", "ema", "x", "state_dict"))] = endless
    deep: Any = torch.zeros(1)
    for _ in range(rng.choice((10, 300))):
        deep = {"model": deep}
    looped: list[Any] = []
    looped.append(looped)
    torch.save(
        rng.choice((endless, endless, deep, looped, [], {}, None, 1, "x", torch.zeros(3))), path
    )


@maker
def changed_archive(rng: random.Random, path: Path) -> None:
    buffer = BytesIO()
    torch.save(weights(POINTS), buffer, _use_new_zipfile_serialization=rng.random() < 0.8)
    path.write_bytes(mutate_bytes(rng, buffer.getvalue()))


# ---- what means harm


class Bomb:
    def __init__(self, mark: Path, call: Callable[..., object]) -> None:
        self.mark, self.call = mark, call

    def __reduce__(self) -> tuple[Callable[..., object], tuple[str]]:
        if self.call is exec:
            return exec, (f"open({str(self.mark)!r}, 'w').close()",)
        return self.call, (f"touch '{self.mark}'",)


@maker
def bomb(rng: random.Random, path: Path) -> None:
    harm = Bomb(path.with_name(MARK), rng.choice((os.system, os.popen, exec)))
    content = rng.choice((harm, {"model": harm}, {"a": torch.zeros(1), "b": harm}, [harm]))
    if rng.random() < 0.5:
        path.write_bytes(pickle.dumps(content, rng.randrange(6)))
    else:
        torch.save(content, path, _use_new_zipfile_serialization=rng.random() < 0.6)


@maker
def packed(rng: random.Random, path: Path) -> None:
    how = rng.choice(
        (zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA, zipfile.ZIP_STORED)
    )
    with zipfile.ZipFile(path, "w", how) as archive:
        for name in rng.sample(("a/data.pkl", "a/version", "a/byteorder", "a/data/0", "../../up",
                                "/etc/x", "x" * 60_000, "a/\x1b[31m"), 3):  # fmt: skip
            archive.writestr(name, b"\0" * rng.choice((0, 10, 20_000_000)))
        if rng.random() < 0.3:
            archive.filelist *= rng.choice((2, 5000))


# ---- what is no checkpoint


@maker
def another_kind(rng: random.Random, path: Path) -> None:
    pointer = (
        "version https://git-lfs.github.com/spec/v1\noid sha256:" + "0" * 64 + "\nsize 12345\n"
    )
    page = "<!DOCTYPE html>\n<html><head><title>404 \x1b[31m</title></head></html>\n"
    kinds = (pointer, page, "", "\n", "{}", "[]", "null", "\x7fELF", "\x89PNG\r\n\x1a\n", "GGUF",
             "PK\x05\x06" + "\0" * 18, "PK\x03\x04", "\x80", "\x80\x02.", "\x80\x04N.", "(dp0\n.",
             "\x93NUMPY\x01\0", "\x89HDF\r\n\x1a\n", "\x1f\x8b\x08", "#!/bin/sh\ntouch executed\n",
             "error: \x1b]0;title\x07", "x" * 100_000)  # fmt: skip
    path.write_bytes(rng.choice(kinds).encode("latin-1"))


@maker
def no_file(rng: random.Random, path: Path) -> None:
    match rng.randrange(8):
        case 0 | 1:
            os.mkfifo(path)
        case 2:
            path.mkdir()
        case 3:
            path.symlink_to(path.name)
        case 4:
            path.symlink_to("nowhere")
        case 5:
            path.symlink_to(rng.choice(("/dev/zero", "/dev/null", "/proc/self/mem", "/dev/tty")))
        case 6:
            with socket.socket(socket.AF_UNIX) as one:
                one.bind("s")  # a socket's path may be no longer than 107 bytes
            Path("s").rename(path)
        case 7:
            with path.open("wb") as file:
                file.truncate(rng.choice((10, 2**36)))  # sparse: it takes no room


@maker
def folder_of_diffusers(rng: random.Random, path: Path) -> None:
    path.mkdir()
    config = {"_class_name": "UNet2DModel", "sample_size": 8, "in_channels": 3, "out_channels": 3,
              "block_out_channels": [32], "layers_per_block": 1, "norm_num_groups": 8,
              "down_block_types": ["DownBlock2D"], "up_block_types": ["UpBlock2D"]}  # fmt: skip
    text = json.dumps(mutate_tree(rng, config, config)) if rng.random() < 0.8 else "{" * 50_000
    (path / "config.json").write_text(text)
    if rng.random() < 0.5:
        (path / "scheduler").mkdir()
        scheduler = {"_class_name": "DDPMScheduler", "num_train_timesteps": rng.choice(VALUES)}
        (path / "scheduler" / "scheduler_config.json").write_text(json.dumps(scheduler))
    inside = path / "diffusion_pytorch_model.safetensors"
    rng.choice((changed_header, strange_in_safetensors, another_kind, cut, no_file))(rng, inside)
