"""Files that mean harm: refused by a running engine and by the import, and nothing is executed."""

import json
import os
import pickle
import struct
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from rich.console import Console
from safetensors.torch import save_file
from torch import Tensor

from ddib.checkpoints.header import CheckpointFacts
from ddib.checkpoints.writing import write_checkpoint
from ddib.errors import InputError
from ddib.networks.configurations import UNetConfig
from ddib.networks.unet import UNet
from workbench.cli.import_weights import import_weights
from workbench.engine.protocol.messages import Finished, Ready, RunSession, read_event, to_line
from workbench.session.overrides import set_value
from workbench.session.schema import Session

pytestmark = pytest.mark.slow

SMALL = UNetConfig(model_channels=32, channel_mult=(1,), num_heads=1)
MARK = "executed"


class Bomb:
    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Callable[[str], int], tuple[str]]:
        return os.system, (f"touch {self.mark}",)


def weights(**changes: Tensor) -> dict[str, Tensor]:
    return dict(UNet(SMALL).state_dict()) | {"out.2.weight": torch.ones(3, 32, 3, 3), **changes}


def pickled(folder: Path) -> Path:
    (folder / "network.pkl").write_bytes(pickle.dumps(Bomb(folder / MARK)))
    return folder / "network.pkl"


def pickled_in_an_archive(folder: Path) -> Path:
    torch.save({"model": Bomb(folder / MARK)}, folder / "model.pt")
    return folder / "model.pt"


def zip_bomb(folder: Path) -> Path:
    with zipfile.ZipFile(folder / "bomb.pt", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", b"\0" * 30_000_000)
    return folder / "bomb.pt"


def overlapping_zip(folder: Path) -> Path:
    """A stored archive whose directory claims more than the file holds."""
    path = folder / "claims.pt"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("archive/data.pkl", b"\0" * 1000)
        for info in archive.filelist * 500:
            archive.filelist.append(info)
    return path


def header_of_100_gb(folder: Path) -> Path:
    (folder / "claims.safetensors").write_bytes(struct.pack("<Q", 100 * 2**30) + b"{}")
    return folder / "claims.safetensors"


def tensor_of_100_gb(folder: Path) -> Path:
    header = {"x": {"dtype": "F32", "shape": [25 * 2**30], "data_offsets": [0, 100 * 2**30]}}
    text = json.dumps(header).encode()
    (folder / "large.safetensors").write_bytes(struct.pack("<Q", len(text)) + text)
    return folder / "large.safetensors"


def nan(folder: Path) -> Path:
    torch.save(weights(**{"out.2.bias": torch.full((3,), torch.nan)}), folder / "nan.pt")
    return folder / "nan.pt"


def no_tensors(folder: Path) -> Path:
    torch.save({"a": [1, 2]}, folder / "list.pt")
    return folder / "list.pt"


def another_program_s(folder: Path) -> Path:
    save_file({"down.0.weight": torch.zeros(3)}, folder / "other.safetensors")
    return folder / "other.safetensors"


def leaving_folder(folder: Path) -> Path:
    """A folder of diffusers whose index sends the reader elsewhere."""
    there = folder / "leaving"
    there.mkdir()
    (there / "config.json").write_text('{"_class_name": "UNet2DModel", "sample_size": 8}')
    index = {"weight_map": {"conv_in.weight": "../../secret.safetensors"}}
    (there / "diffusion_pytorch_model.safetensors.index.json").write_text(json.dumps(index))
    return there


def least_seconds(act: Callable[[], None]) -> float:
    """Of at most three times, for other programs only add to it."""
    least = 60.0
    for _ in range(3):
        begun = time.monotonic()
        act()
        least = min(least, time.monotonic() - begun)
        if least < 1:
            break
    return least


def named(parameter: object) -> str:
    return getattr(parameter, "__name__", "")


FOREIGN: dict[Callable[[Path], Path], str] = {
    pickled: "executes code",
    pickled_in_an_archive: "could execute code",
    zip_bomb: "packed archive",
    overlapping_zip: "packed archive",
    header_of_100_gb: "damaged",
    tensor_of_100_gb: "damaged",
    nan: "NaN",
    no_tensors: "no dictionary of tensors",
    another_program_s: "of no known format",
    leaving_folder: "several files",
}


@pytest.mark.parametrize(
    ("make", "said"), FOREIGN.items(), ids=lambda p: getattr(p, "__name__", "")
)
def test_the_import_refuses_it(make: Callable[[Path], Path], said: str, tmp_path: Path) -> None:
    path = make(tmp_path)

    def refuse() -> None:
        with pytest.raises(InputError, match=said) as refused:
            import_weights(path, "x", "things", (), None, None, False, Console())
        assert str(path) in str(refused.value)

    assert least_seconds(refuse) < 1
    assert not (tmp_path / MARK).exists()
    assert not list(Path(os.environ["XDG_DATA_HOME"]).rglob("*.safetensors"))


# ---- a running engine: files that claim to be the workbench's own, and the others


def own(folder: Path, state: dict[str, Tensor], **changes: object) -> Path:
    facts = CheckpointFacts.model_validate(
        {
            "kind": "denoiser",
            "domain": "fives",
            "labels": (5,),
            "image_size": 32,
            "channels": 3,
            "architecture": SMALL,
            "parameters": 1,
            **changes,
        }
    )
    write_checkpoint(folder / "own.safetensors", state, facts)
    return folder / "own.safetensors"


def own_with_nan(folder: Path) -> Path:
    return own(folder, weights(**{"out.2.bias": torch.full((3,), torch.nan)}))


def own_of_wrong_shapes(folder: Path) -> Path:
    return own(folder, weights(**{"out.2.bias": torch.zeros(7)}))


def own_too_wide_for_any_memory(folder: Path) -> Path:
    return own(folder, weights(), architecture=SMALL.model_copy(update={"model_channels": 2**20}))


def leaving_name(folder: Path) -> Path:
    (folder / "inside").mkdir()
    return Path("../" * 20 + "etc/passwd")


OWN: dict[Callable[[Path], Path], str] = {
    own_with_nan: "NaN",
    own_of_wrong_shapes: "do not fit the architecture",
    own_too_wide_for_any_memory: "model_channels: Input should be less",
    leaving_name: "not a safetensors file",
    header_of_100_gb: "not a safetensors file",
    tensor_of_100_gb: "without the workbench's facts",
    pickled: "not a safetensors file",
    pickled_in_an_archive: "not a safetensors file",
    zip_bomb: "not a safetensors file",
    nan: "not a safetensors file",
    leaving_folder: "checkpoints import",
}


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[subprocess.Popen[bytes]]:
    home = tmp_path_factory.mktemp("engine")
    places = {f"XDG_{name}_HOME": str(home) for name in ("DATA", "CACHE", "STATE", "CONFIG")}
    command = [sys.executable, "-m", "workbench.engine", "--device", "cpu", "--no-cache"]
    with subprocess.Popen(
        command, env=os.environ | places, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdin is not None and process.stdout is not None
        assert isinstance(read_event(process.stdout.readline()), Ready)
        yield process
        process.stdin.close()
        process.wait(60)


@pytest.mark.parametrize(("make", "said"), OWN.items(), ids=named)
def test_a_running_engine_refuses_it(
    make: Callable[[Path], Path],
    said: str,
    engine: subprocess.Popen[bytes],
    small: Session,
    tmp_path: Path,
) -> None:
    orders, answers = engine.stdin, engine.stdout
    assert orders is not None and answers is not None
    path = make(tmp_path)
    session = set_value(
        set_value(small, "source.checkpoint", str(path)), "target.checkpoint", str(path)
    )
    request = RunSession(
        id=make.__name__,
        session=session.model_dump(mode="json"),
        base=str(tmp_path / "inside"),
        name="hostile",
        store=str(tmp_path / "runs"),
    )

    def refuse() -> None:
        orders.write(to_line(request))
        orders.flush()
        answer = read_event(answers.readline())
        assert isinstance(answer, Finished)
        assert (answer.id, answer.status) == (make.__name__, "failed")
        assert said in str(answer.error)
        assert "details are in" not in str(answer.error)  # which an unforeseen error would say

    assert least_seconds(refuse) < 1
    assert engine.poll() is None
    assert not (tmp_path / MARK).exists()
    assert not (tmp_path / "runs").exists()
