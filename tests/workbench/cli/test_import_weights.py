"""`checkpoints import`, as a user runs it."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from rich.console import Console

from ddib.checkpoints.files import ZOO
from ddib.checkpoints.loading import load
from ddib.errors import InputError
from ddib.networks.configurations import UNetConfig
from ddib.networks.unet import UNet
from workbench.cli.import_weights import import_weights
from workbench.library.folders import Folders

IMPORT = [sys.executable, "-m", "workbench", "checkpoints", "import"]


@pytest.mark.slow
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


def test_what_is_named_is_a_name_and_a_class_there_is(tmp_path: Path, places: Folders) -> None:
    config = UNetConfig(model_channels=32, channel_mult=(1,), num_classes=3)
    torch.save(UNet(config).state_dict(), tmp_path / "model.pt")

    def wrong(name: str, labels: tuple[int, ...]) -> str:
        with pytest.raises(InputError) as refused:
            import_weights(
                tmp_path / "model.pt", name, "things", labels, None, None, False, Console()
            )
        return str(refused.value)

    assert "not a name" in wrong("../../x", ())
    assert "no class 3 in a network of 3 classes" in wrong("x", (1, 3))


def test_identify_of_weights_that_leave_nothing_open(tmp_path: Path, places: Folders) -> None:
    lucidrains = pytest.importorskip("denoising_diffusion_pytorch")
    path = tmp_path / "model.pt"
    torch.save(lucidrains.Unet(8, dim_mults=(1,)).state_dict(), path)
    done = subprocess.run(
        [*IMPORT, str(path), "--identify", "--images", "digits"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert "--identify has nothing to try" in done.stderr
