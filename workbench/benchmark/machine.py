"""The machine in a few words, without anything that names it."""

import os
import platform
from importlib.metadata import PackageNotFoundError, version

import torch

import ddib
from ddib.bridge.cache import device_name
from workbench.engine.devices.device import memory, processor

_PEERS = ("diffusers",)


def machine(device: torch.device) -> dict[str, str]:
    """What the figures depend on: processor, cores, threads, memory, GPU, versions."""
    facts = {
        "cpu": processor(),
        "cores": str(_cores()),
        "threads": str(torch.get_num_threads()),
        "memory": f"{memory(torch.device('cpu')) / 2**30:.0f} GB",
        "device": device_name(device),
        "Python": platform.python_version(),
        "torch": torch.__version__,
        "ddib-workbench": ddib.__version__,
    }
    for name in _PEERS:
        try:
            facts[name] = version(name)
        except PackageNotFoundError:
            continue
    return facts


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
