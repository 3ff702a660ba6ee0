"""The device that networks are evaluated on: which one, what it is called, how much memory."""

import os
import platform
from pathlib import Path

import torch

from ddib.errors import InputError


def pick_device(name: str) -> torch.device:
    """`auto` is the first GPU there is, else the CPU; raises InputError for one that is not."""
    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError) as error:
        raise InputError(f"--device {name}: {str(error).splitlines()[0]}") from error
    return device


def device_name(device: torch.device) -> str:
    """What the device calls itself: the model of a GPU, else of the processor."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return processor()


def processor() -> str:
    """The processor's model, or its architecture where the system does not say."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        lines = []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.processor() or platform.machine())


def memory_in_use(device: torch.device) -> int | None:
    """Bytes that tensors hold on a GPU, or this process in memory; None where it is unknown."""
    if device.type == "cuda":
        return int(torch.cuda.memory_allocated(device))
    if device.type == "mps":
        return int(torch.mps.current_allocated_memory())
    try:
        resident = Path("/proc/self/statm").read_text("ascii").split()[1]
    except OSError:
        return None
    return int(resident) * os.sysconf("SC_PAGE_SIZE")


def memory(device: torch.device) -> int:
    """The device's memory in bytes, whatever is free of it."""
    if device.type == "cuda":
        return int(torch.cuda.get_device_properties(device).total_memory)
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
