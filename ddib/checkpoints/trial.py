"""A network is evaluated once before its checkpoint is taken in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ddib.checkpoints.header import CheckpointFacts
from ddib.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor

MAX_TRIED = 256  # pixels of an edge; of larger images only the shapes are tried, without numbers


def try_network(network: Any, facts: CheckpointFacts) -> None:
    """Evaluate a checkpoint's network on one image of its kind.

    Raises InputError where that fails, where something of another shape comes out, and where the
    output is not finite.
    """
    import torch

    shape = (1, facts.channels, facts.image_size, facts.image_size)
    device = "cpu" if facts.image_size <= MAX_TRIED else "meta"
    try:
        with torch.inference_mode():
            output = _evaluate(network.to(device), facts, torch.zeros(shape, device=device))
    except (RuntimeError, ValueError, TypeError, LookupError, ArithmeticError, AssertionError) as e:
        reason = str(e).partition("\n")[0]
        raise InputError(f"its network cannot be evaluated on {facts.shape}: {reason}") from e
    planes = facts.channels, 2 * facts.channels  # twice: with learned variances
    if facts.kind == "denoiser" and output.shape not in [(1, c, *shape[2:]) for c in planes]:
        raise InputError(f"its network makes {list(output.shape)} of {list(shape)}")
    if device == "cpu" and not bool(output.isfinite().all()):
        raise InputError("its network makes NaN or infinite values of a black image")


def _evaluate(network: Any, facts: CheckpointFacts, images: Tensor) -> Tensor:
    import torch

    level = torch.ones(1, device=images.device)
    if facts.kind == "probe":
        output: Tensor = network(images)
    elif facts.kind == "classifier":
        output = network(images, level)
    else:
        label = facts.labels[0] if facts.class_conditional and facts.labels else None
        labels = None if label is None else torch.tensor([label], device=images.device)
        output = network(images, network.condition(level, labels))
    return output
