"""`checkpoints import`, as a user runs it."""

import re
import subprocess
import sys
from pathlib import Path

import torch

from ddib.checkpoints import ZOO, load
from workbench.library import Folders

IMPORT = [sys.executable, "-m", "workbench", "checkpoints", "import"]


def test_identify_finds_what_the_zoo_s_digits_are(tmp_path: Path, places: Folders) -> None:
    path = tmp_path / "bare.pt"
    network = load(ZOO / "cmnist-digits.safetensors").denoiser.network
    torch.save(network.state_dict(), path)  # type: ignore[attr-defined]
    done = subprocess.run(
        [*IMPORT, str(path), "--name", "found", "--identify", "--images", "digits"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    facts, true = load(Path(done.stdout.strip())).facts, load("cmnist-digits").facts
    assert facts.architecture == true.architecture
    assert facts.schedule == true.schedule
    assert facts.parameterisation == true.parameterisation
    assert (facts.image_size, facts.labels) == (true.image_size, true.labels)
    assert "v, linear, 4 heads, patches of 2" in done.stderr
    sure = re.search(r"([\d.]+) % certainty", done.stderr)
    assert sure is not None
    assert float(sure[1]) > 99


def test_identify_of_weights_that_leave_nothing_open(tmp_path: Path, places: Folders) -> None:
    from denoising_diffusion_pytorch import Unet

    path = tmp_path / "model.pt"
    torch.save(Unet(8, dim_mults=(1,)).state_dict(), path)
    done = subprocess.run(
        [*IMPORT, str(path), "--identify", "--images", "digits"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert "--identify has nothing to try" in done.stderr
