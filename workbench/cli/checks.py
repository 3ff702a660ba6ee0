"""Whether everything is well here, and what to do where it is not."""

import json
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Literal

from rich.table import Table
from rich.text import Text

from ddib.errors import InputError
from ddib.operations.operation import OPERATIONS
from ddib.tuning.calibration import Calibration, read_calibrations
from workbench.library.checkpoints import list_checkpoints
from workbench.library.configuration import read_config
from workbench.library.folders import folders
from workbench.support.files import check_folder
from workbench.support.processes import child_command
from workbench.support.terminal import (
    Environment,
    ask_tmux,
    image_protocol,
    is_utf8,
    multiplexer,
    shows_true_color,
)
from workbench.support.text import clean

Status = Literal["ok", "warn", "bad"]

_OLDEST_PYTHON = (3, 11)
_PACKAGES = ("ddib-workbench", "textual", "pillow", "pydantic", "safetensors")
_LEAST_SIZE = (80, 24)
_LITTLE_DISK, _NO_DISK = 2 * 2**30, 100 * 2**20  # bytes; a run takes about 1 MB, a model 10
_LITTLE_MEMORY = 2**30  # bytes; the engine with a model takes about 600 MB
_TORCH_SECONDS = 120  # a first import from a network disk is slow

# In a process of its own: importing torch takes seconds and hundreds of megabytes.
_TORCH_PROBE = """
import json, os, torch
facts = {"version": torch.__version__, "threads": torch.get_num_threads(), "device": "cpu"}
if torch.cuda.is_available():
    free, _ = torch.cuda.mem_get_info()
    facts |= {"device": "cuda", "name": torch.cuda.get_device_name(), "free": free}
elif torch.backends.mps.is_available():
    facts |= {"device": "mps", "name": "Apple GPU"}
facts["built_for_cuda"] = torch.version.cuda is not None
torch.zeros(1, device=facts["device"]).add(1).item()
print(json.dumps(facts))
"""


@dataclass(frozen=True)
class Check:
    """One thing that was looked at."""

    name: str
    status: Status
    found: str
    advice: str = ""  # what to do; empty when all is well


def checks(extra: Iterable[Path] = (), runs: Path | None = None) -> list[Check]:
    """Look at everything; takes as long as importing torch.

    `extra`: more folders of checkpoints; `runs`: the folder of runs in place of the user's.
    """
    environment = os.environ
    return [
        check_python(sys.version_info[:2], platform.python_version()),
        check_packages(),
        *check_torch(_torch_facts()),
        check_terminal(environment, sys.stdout.isatty(), shutil.get_terminal_size()),
        check_colors(environment),
        check_images(environment),
        check_unicode(environment),
        check_clipboard(environment),
        check_mouse(environment),
        *check_folders(runs),
        *check_library(extra),
        check_operations(),
        check_precision(),
    ]


def render(found: Sequence[Check]) -> Table:
    """The checks as a table in ASCII; advice stands, coloured, under what it is about."""
    colors = {"ok": "green", "warn": "yellow", "bad": "bold red"}
    table = Table(box=None, pad_edge=False, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for check in found:
        says = Text(clean(check.found))
        if check.advice:
            says.append(f"\n{clean(check.advice)}", style=colors[check.status])
        table.add_row(Text(check.status, style=colors[check.status]), Text(check.name), says)
    return table


# ---- Python and torch


def check_python(number: tuple[int, ...], full: str) -> Check:
    """The interpreter's version."""
    if number >= _OLDEST_PYTHON:
        return Check("Python", "ok", full)
    return Check("Python", "bad", full, f"use Python {'.'.join(map(str, _OLDEST_PYTHON))} or later")


def check_packages() -> Check:
    """The versions of what the program is made of."""
    found, missing = [], []
    for name in _PACKAGES:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            missing.append(name)
    if missing:
        advice = f"{', '.join(missing)}: not installed here; pip install ddib-workbench"
        return Check("packages", "warn", ", ".join(found), advice)
    return Check("packages", "ok", ", ".join(found))


def check_torch(facts: Mapping[str, Any] | str) -> list[Check]:
    """torch and the device it computes on; `facts` is the error when it could not be asked."""
    if isinstance(facts, str):
        advice = "pip install torch, in the environment of this program; see https://pytorch.org"
        return [Check("torch", "bad", f"cannot be used: {facts}", advice)]
    device = facts["device"]
    if device == "cpu":
        free, found = _available_memory(), f"cpu, {facts['threads']} thread(s)"
        advice = _unused_card(facts["built_for_cuda"])
    else:
        free, found, advice = facts.get("free"), f"{device}, {facts['name']}", ""
    if free is not None:
        found += f", {_size(free)} of memory free"
        if free < _LITTLE_MEMORY:
            advice = "little memory: run with a lower --memory, or end other programs"
    warns: Status = "warn" if advice else "ok"
    return [Check("torch", "ok", facts["version"]), Check("device", warns, found, advice)]


def _torch_facts() -> dict[str, Any] | str:
    """What a fresh interpreter says about torch, or why it cannot."""
    try:
        done = subprocess.run(
            child_command("-c", _TORCH_PROBE),
            capture_output=True,
            text=True,
            timeout=_TORCH_SECONDS,
            check=False,
        )
        if done.returncode == 0:
            facts: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
            return facts
    except subprocess.TimeoutExpired:
        return f"importing it took more than {_TORCH_SECONDS} s"
    except (OSError, ValueError, IndexError) as error:
        return str(error)
    last = done.stderr.strip().splitlines()[-1:]
    return last[0] if last else f"the interpreter ended with {done.returncode}"


def _unused_card(built_for_cuda: bool) -> str:
    """What to do about an NVIDIA card that torch does not use; empty when there is none."""
    if not Path("/proc/driver/nvidia").exists() and not shutil.which("nvidia-smi"):
        return ""
    if built_for_cuda:
        return (
            "torch cannot use the NVIDIA card here: see that nvidia-smi works, and that "
            "CUDA_VISIBLE_DEVICES does not hide it"
        )
    return "this torch was built without CUDA and leaves the NVIDIA card unused: see pytorch.org"


def _available_memory() -> int | None:
    """Bytes that programs can still take, where Linux says so."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return None
    found = (line.split()[1] for line in lines if line.startswith("MemAvailable:"))
    return next((int(kilobytes) * 1024 for kilobytes in found), None)


# ---- the terminal


def check_terminal(environment: Environment, is_tty: bool, size: tuple[int, int]) -> Check:
    """What kind of terminal this is, and how large."""
    if not is_tty:
        advice = "the screen needs one (ssh -t); replay and the other commands do not"
        return Check("terminal", "warn", "the output is no terminal", advice)
    term = environment.get("TERM", "")
    found = [term or "TERM is not set", f"{size[0]}x{size[1]}"]
    if between := multiplexer(environment):
        found.append(f"in {between}")
    if term in ("", "dumb"):
        advice = "set TERM, for example to xterm-256color"
        return Check("terminal", "bad", ", ".join(found), advice)
    if size[0] < _LEAST_SIZE[0] or size[1] < _LEAST_SIZE[1]:
        return Check("terminal", "warn", ", ".join(found), "make it at least 80x24")
    return Check("terminal", "ok", ", ".join(found))


def check_colors(environment: Environment) -> Check:
    """Whether pictures are shown in their own colours."""
    if "NO_COLOR" in environment:
        advice = "NO_COLOR is set: pictures are drawn as characters; unset it"
        return Check("colours", "warn", "none", advice)
    if not shows_true_color(environment):
        depth = "256" if "256color" in environment.get("TERM", "") else "few"
        advice = "export COLORTERM=truecolor, if the terminal shows 24-bit colours (most do)"
        if multiplexer(environment) == "screen":
            advice = "use tmux: GNU screen does not pass on 24-bit colours"
        return Check("colours", "warn", depth, advice)
    if multiplexer(environment) == "tmux":
        features = ask_tmux("display-message", "-p", "#{client_termfeatures}")
        if features is None or "RGB" not in features.split(","):
            return Check(
                "colours",
                "warn",
                "24 bits, which tmux may reduce to 256",
                "in ~/.tmux.conf: set -as terminal-features ',*:RGB'; then detach and attach",
            )
    return Check("colours", "ok", "24 bits")


def check_images(environment: Environment) -> Check:
    """How images are drawn at full resolution."""
    protocol = image_protocol(environment)
    between = multiplexer(environment)
    why = f" (graphics do not pass through {between})" if between else ""
    return Check("images", "ok", protocol + why)


def check_unicode(environment: Environment) -> Check:
    """Whether frames and half blocks arrive as they are."""
    if is_utf8(environment):
        return Check("characters", "ok", "UTF-8")
    names = ("LC_ALL", "LC_CTYPE", "LANG")
    locale = next((environment[name] for name in names if environment.get(name)), "not set")
    advice = "export LC_ALL=C.UTF-8; inside tmux, start it as tmux -u"
    return Check("characters", "warn", f"the locale is {locale}", advice)


def check_clipboard(environment: Environment) -> Check:
    """Whether what is copied arrives outside; the terminal must allow OSC 52 too."""
    between = multiplexer(environment)
    if between == "screen":
        advice = "use tmux: GNU screen drops what is copied; it is also written to a file"
        return Check("clipboard", "warn", "none through screen", advice)
    if between == "tmux" and ask_tmux("show-options", "-gv", "set-clipboard") != "on":
        advice = "in ~/.tmux.conf: set -g set-clipboard on"
        return Check("clipboard", "warn", "tmux does not pass it on", advice)
    return Check("clipboard", "ok", "OSC 52, where the terminal allows it")


def check_mouse(environment: Environment) -> Check:
    """Whether clicks and the wheel arrive; tmux hands them on even with `mouse off`."""
    if multiplexer(environment) == "tmux":
        return Check("mouse", "ok", "tmux passes it on, with `set -g mouse on` and without")
    return Check("mouse", "ok", "clicks and the wheel, where the terminal sends them")


# ---- the files


def check_folders(runs: Path | None = None) -> list[Check]:
    """The configuration, and the folders that are written to."""
    places = folders()
    try:
        read_config(places.config)
        there = places.config.exists()
        config = Check("configuration", "ok", str(places.config) if there else "none, defaults")
    except InputError as error:
        config = Check("configuration", "bad", str(error), "correct it, or move it away")
    written = {
        "data": places.data,
        "runs": runs or places.runs,
        "cache": places.cache,
        "log": places.log.parent,
    }
    return [config, *(_check_folder(name, folder) for name, folder in written.items())]


def _check_folder(name: str, folder: Path) -> Check:
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    try:
        check_folder(folder, name)
        free = shutil.disk_usage(existing).free
    except (InputError, OSError) as error:
        variable = {"cache": "XDG_CACHE_HOME", "log": "XDG_STATE_HOME"}.get(name, "XDG_DATA_HOME")
        advice = f"make it writable, or point {variable} to a folder that is"
        return Check(name, "bad", str(error), advice)
    found = f"{folder}, {_size(free)} free"
    if free < _LITTLE_DISK:
        status: Status = "bad" if free < _NO_DISK else "warn"
        return Check(name, status, found, "little space: ddib-workbench runs delete, or clear it")
    return Check(name, "ok", found)


def check_library(extra: Iterable[Path] = ()) -> list[Check]:
    """The checkpoints, and the probe that says what a picture shows."""
    try:
        listed = list_checkpoints(extra)
    except InputError as error:
        return [Check("checkpoints", "bad", str(error), "correct the folder or the configuration")]
    usable = [item for item in listed if item.facts and not item.problem]
    names = [item.name for item in usable if item.facts and item.facts.kind == "denoiser"]
    probes = [item.name for item in usable if item.facts and item.facts.kind == "probe"]
    broken = [f"{item.path}: {item.problem}" for item in listed if item.problem]
    if not names:
        advice = "train one (ddib-workbench train) or name a folder with --checkpoints"
        checkpoints = Check("checkpoints", "bad", "none", advice)
    elif broken:
        checkpoints = Check("checkpoints", "warn", ", ".join(names), "; ".join(broken))
    else:
        checkpoints = Check("checkpoints", "ok", ", ".join(names))
    if probes:
        return [checkpoints, Check("probe", "ok", ", ".join(probes))]
    advice = "without one target_accuracy is not measured; put one beside the checkpoints"
    return [checkpoints, Check("probe", "warn", "none", advice)]


def check_operations() -> Check:
    """The operations of the user's own files and of installed packages."""
    folder = folders().operations
    own = [f"{name} ({origin.name})" for name, origin in OPERATIONS.origins.items()]
    found = ", ".join(own) or f"none of your own; Python files in {folder} would be"
    problems = [f"{one.name} is left out: {one.problem}" for one in OPERATIONS.skipped]
    return Check("operations", "warn" if problems else "ok", found, "\n".join(problems))


def check_precision() -> Check:
    """What `--precision auto` goes by: the calibrations that are stored."""
    found = [_calibrated(one) for one in read_calibrations(folders().cache / "calibration")]
    how = "measure with: ddib-workbench checkpoints calibrate NAME"
    return Check("precision", "ok", "\n".join(found) or f"not measured yet; {how}")


def _calibrated(found: Calibration) -> str:
    """One calibration in words: the choice, then each candidate's speed-up and error."""
    here = found.surroundings
    others = [
        f"{one.evaluation} {found.speedup(one):.2f}x, error {one.error:.4f}"
        for one in found.measurements[1:]
        if one.error is not None
    ]
    where = f"{found.checkpoint} on {here.device}, {here.threads} thread(s), torch {here.torch}"
    return f"{where}: auto is {found.choice} ({'; '.join(others) or 'nothing else to choose'})"


def _size(count: int) -> str:
    """Bytes in a readable unit."""
    return f"{count / 2**30:.1f} GB" if count >= 2**30 else f"{count / 2**20:.0f} MB"
