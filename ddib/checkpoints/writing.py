"""A checkpoint is written as one file: weights, and the facts about them in its header."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from ddib.checkpoints.header import HEADER_KEY, CheckpointFacts
from ddib.errors import RunError
from ddib.files import replaced

if TYPE_CHECKING:
    from torch import Tensor


def write_checkpoint(
    path: Path, state: Mapping[str, "Tensor"], facts: CheckpointFacts, half: bool = True
) -> None:
    """Weights (in float16 when `half`) and facts as one file, written whole or not at all.

    Raises RunError where the disk is full or the folder read-only.
    """
    import torch
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    dtype = torch.float16 if half else torch.float32
    tensors = {name: t.detach().to("cpu", dtype).contiguous() for name, t in state.items()}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replaced(path) as temporary:
            save_file(tensors, temporary, metadata={HEADER_KEY: facts.model_dump_json()})
            temporary.chmod(0o644)  # safetensors writes for the owner alone
    except (SafetensorError, OSError) as error:
        raise RunError(f"{path}: cannot be written: {error}") from error
