"""A checkpoint is written as one file: weights, and the facts about them in its header."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from ddib.checkpoints.header import HEADER_KEY, CheckpointFacts

if TYPE_CHECKING:
    from torch import Tensor


def write_checkpoint(
    path: Path, state: Mapping[str, "Tensor"], facts: CheckpointFacts, half: bool = True
) -> None:
    """Weights (in float16 when `half`) and facts as one file, written whole or not at all."""
    import torch
    from safetensors.torch import save_file

    dtype = torch.float16 if half else torch.float32
    tensors = {name: t.detach().to("cpu", dtype).contiguous() for name, t in state.items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.partial")
    save_file(tensors, temporary, metadata={HEADER_KEY: facts.model_dump_json()})
    temporary.chmod(0o644)  # safetensors writes for the owner alone
    temporary.replace(path)
