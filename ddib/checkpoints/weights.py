"""A checkpoint's weights are read, and put into the network of its architecture."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ddib.errors import InputError
from ddib.networks.building import build_network
from ddib.networks.configurations import Architecture

if TYPE_CHECKING:
    from torch import Tensor


def read_tensors(path: Path) -> dict[str, "Tensor"]:
    """Names and tensors of a safetensors file; raises InputError when it is damaged."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(path)
    except (SafetensorError, OSError, RuntimeError, ValueError) as error:
        raise InputError(f"{path}: damaged: {error}") from error


def assemble(architecture: Architecture, state: Mapping[str, "Tensor"]) -> Any:
    """The network of an architecture with copies of weights in float32, and nothing else.

    Raises InputError when they do not fit.
    """
    import torch

    try:
        with torch.device("meta"):
            network = build_network(architecture)
    except (RuntimeError, ValueError, TypeError, LookupError, ArithmeticError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"no network can be built of its architecture: {error}") from error
    copied = {name: tensor.to(torch.float32, copy=True) for name, tensor in state.items()}
    try:
        network.load_state_dict(copied, assign=True)
    except RuntimeError as error:
        reason = str(error).split("\n")[1].strip() if "\n" in str(error) else str(error)
        raise InputError(f"its weights do not fit the architecture: {reason}") from error
    return network.eval().requires_grad_(False)


def load_network(architecture: Architecture, path: Path, device: str) -> Any:
    """The network with the weights of a checkpoint's file, on a device.

    Raises InputError for a file that is damaged or of another architecture.
    """
    state = read_tensors(path)
    try:
        network = assemble(architecture, state)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    if not all(bool(tensor.isfinite().all()) for tensor in state.values()):
        raise InputError(f"{path}: damaged: its weights hold NaN or infinite values")
    return network.to(device)
