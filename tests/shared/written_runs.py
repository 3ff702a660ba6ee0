"""Run directories written for a test."""

import errno
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from PIL import Image
from safetensors.numpy import save_file

from workbench.runs.manifest import Manifest
from workbench.runs.writing import new_run


def manifest(**changes: Any) -> Manifest:
    known: dict[str, Any] = {
        "session": "noise",
        "status": "done",
        "device": "cpu",
        "threads": 2,
        "chunk_size": 16,
    }
    return Manifest(**known | changes)


def write_run(
    folder: Path,
    name: str = "noise",
    latents: dict[str, np.ndarray] | None = None,
    images: dict[str, np.ndarray] | None = None,
    **changes: Any,
) -> Path:
    """A complete run directory with two images and two tensors."""
    if latents is None:
        latents = {"source": np.zeros((2, 3, 4, 4), np.float32)}
    if images is None:
        images = {"a.png": np.zeros((4, 4, 3), np.uint8), "b.png": np.full((4, 4, 3), 9, np.uint8)}
    with new_run(folder, name) as run:
        (run.path / "images").mkdir()
        for file, pixels in images.items():
            Image.fromarray(pixels).save(run.path / "images" / file)
        save_file(latents, run.path / "latents.safetensors")
        (run.path / "session.yaml").write_text("version: 1\n")
        run.write_manifest(manifest(**changes))
    return run.path


def contents(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def refuse(*_: object, **__: object) -> NoReturn:
    raise OSError(errno.EROFS, "Read-only file system")
