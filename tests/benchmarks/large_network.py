"""A 256×256 network of ADM's size there and back: python tests/benchmarks/large_network.py.

553 million random weights, saved as guided-diffusion saves them and imported, take `--images`
through `--steps` each way within `--memory`; a second run is interrupted during an evaluation.
"""

import argparse
import json
import os
import pty
import re
import signal
import sys
import tempfile
import time
from pathlib import Path

import torch

from ddib.networks.configurations import UNetConfig
from ddib.networks.unet import UNet

FLAGS = (
    "--image_size 256 --num_channels 256 --num_res_blocks 2 --attention_resolutions 32,16,8 "
    "--learn_sigma True --resblock_updown True --use_scale_shift_norm True --num_head_channels 64"
)  # of guided-diffusion's 256×256 models, README of openai/guided-diffusion
ADM = UNetConfig(
    out_channels=6,
    model_channels=256,
    num_res_blocks=2,
    channel_mult=(1, 1, 2, 2, 4, 4),
    attention_factors=(8, 16, 32),
    num_head_channels=64,
    resblock_updown=True,
)
SESSION = """\
version: 1
source: {{checkpoint: adm, images: [{{dataset: colored-mnist, digit: 5, count: {images}}}]}}
target: {{checkpoint: adm}}
solver: {{steps: {steps}}}
"""
PROGRAM = [sys.executable, "-m", "workbench"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=2)
    parser.add_argument("--steps", type=int, default=2)
    parser.add_argument("--memory", default="4G")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for name in ("DATA", "CACHE", "STATE", "CONFIG"):
            os.environ[f"XDG_{name}_HOME"] = str(folder / name.lower())
        weights = folder / "model.pt"
        save(weights)
        took, peak, _ = run(
            "checkpoints", "import", str(weights), "--name", "adm", "--flags", FLAGS
        )
        print(f"import: {took:.0f} s, peak {peak:.1f} GiB", flush=True)
        weights.unlink()
        session = folder / "large.yaml"
        session.write_text(SESSION.format(images=options.images, steps=options.steps))
        replay = ["replay", str(session), "--no-cache", "--memory", options.memory]
        took, peak, said = run(*replay, "--json", "--out", str(folder / "runs"))
        result = json.loads(re.search(r'\{"session".*\}', said)[0])  # type: ignore[index]
        seconds, evaluations = result["seconds"], options.images * sum(result["nfe"].values())
        each = (seconds["encode"] + seconds["decode"]) / evaluations
        batches = re.findall(r"batches of \d+", said) or ["one batch"]
        states = set(re.findall(r"(\d+) of \d+ evaluations", said))
        print(
            f"{result['status']}: {evaluations} evaluations of an image, {each:.1f} s each; "
            f"{took:.0f} s in all, peak {peak:.1f} GiB; "
            f"{batches[0]}; {len(states)} states of progress",
            flush=True,
        )
        took, peak, said = run(*replay, stop=r"[1-9]\d* of \d+ evaluations")
        print(f"cancelled during an evaluation: it ended {took:.1f} s later")


def save(path: Path) -> None:
    """Every weight from a seeded generator, at a scale that keeps activations tame."""
    with torch.device("meta"):
        empty = UNet(ADM).state_dict()
    generator, state = torch.Generator().manual_seed(0), {}
    for name, tensor in empty.items():
        drawn = torch.randn(tensor.shape, generator=generator)
        if tensor.ndim > 1:
            state[name] = drawn / tensor[0].numel() ** 0.5
        else:
            state[name] = name.endswith("weight") + 0.1 * drawn
    print(f"{sum(t.numel() for t in state.values()) / 1e6:.0f} million weights", flush=True)
    torch.save(state, path)


def run(*arguments: str, stop: str | None = None) -> tuple[float, float, str]:
    """A command on a terminal of its own: seconds, peak GiB, and what it wrote.

    With `stop`, it is interrupted when it has written that, and the seconds are from there.
    """
    begun = time.monotonic()
    child, terminal = pty.fork()
    if child == 0:
        os.environ["COLUMNS"] = "200"
        os.execv(PROGRAM[0], [*PROGRAM, *arguments])
    said, stopped = "", False
    while True:
        try:
            said += os.read(terminal, 65536).decode("utf-8", "replace")
        except OSError:  # it has closed its terminal
            break
        if stop is not None and not stopped and re.search(stop, said):
            os.kill(child, signal.SIGINT)
            begun, stopped = time.monotonic(), True
    _, status, usage = os.wait4(child, 0)
    code = os.waitstatus_to_exitcode(status)
    if code != (130 if stopped else 0):
        raise SystemExit(f"{' '.join(arguments)} ended with {code}:\n{said}")
    return time.monotonic() - begun, usage.ru_maxrss / 2**20, said


if __name__ == "__main__":
    main()
