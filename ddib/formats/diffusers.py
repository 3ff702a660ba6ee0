"""This format reads folders of diffusers: a `UNet2DModel`, alone or in a pipeline.

The network is built from its config.json; schedule and prediction come from the scheduler's
configuration where there is one. Both are read as data; the weights are safetensors, or a `.bin` of
tensors alone.
"""

import json
import re
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from ddib.checkpoints.header import MAX_EDGE, CheckpointFacts
from ddib.checkpoints.schedule import MAX_TIMESTEPS, Schedule
from ddib.errors import InputError
from ddib.formats.format import (
    Domain,
    Example,
    Flags,
    Format,
    Opened,
    Source,
    check_channels,
    register_format,
)
from ddib.formats.weights import read_weights
from ddib.networks.building import build_network, missing_extra
from ddib.networks.configurations import DiffusersConfig

CONFIG, SCHEDULER = "config.json", "scheduler_config.json"
MAX_CONFIG = 2**20  # bytes

_PARAMETERISATIONS = {"epsilon": "epsilon", "sample": "x0", "v_prediction": "v"}
_BETAS = ("num_train_timesteps", "beta_start", "beta_end", "beta_schedule", "trained_betas")
_ATTENTION = {"query": "to_q", "key": "to_k", "value": "to_v", "proj_attn": "to_out.0"}
_OLD_NAME = re.compile(rf"(attentions\.\d+\.)({'|'.join(_ATTENTION)})\.")  # before diffusers 0.12


class DiffusersFlags(Flags):
    """What a folder may leave open, in the schedulers' words and with their defaults.

    `None` stands for not given: the scheduler's configuration, where there is one, says it.
    """

    image_size: int | None = Field(None, ge=1, le=MAX_EDGE)
    num_train_timesteps: int | None = Field(None, ge=2, le=MAX_TIMESTEPS)
    beta_schedule: str | None = None
    beta_start: float | None = None
    beta_end: float | None = None
    prediction_type: Literal["epsilon", "sample", "v_prediction"] | None = None


def recognises(source: Source) -> bool:
    """Whether a folder, or its `unet/`, is configured to be a `UNet2DModel`."""
    return source.path.is_dir() and _find_unet(source.path) is not None


def open_folder(source: Source, flags: DiffusersFlags, domain: Domain) -> Opened:
    """The network as the workbench keeps it; raises InputError for what cannot be had."""
    folder = _find_unet(source.path)
    assert folder is not None
    written = {k: v for k, v in _read_json(folder / CONFIG).items() if not k.startswith("_")}
    config, weights = DiffusersConfig(config=written), _find_weights(folder)
    entering = written.get("in_channels", 3)
    check_channels(entering, written.get("out_channels", 3))
    schedule, predicts, notes = _read_schedule(source.path, folder, flags)
    size = written.get("sample_size") or flags.image_size
    if isinstance(size, list) and len(set(size)) == 1:
        size = size[0]
    if not isinstance(size, int):
        raise InputError(
            "its config.json has no sample_size: --flags '--image_size N'"
            if size is None
            else f"sample_size {size}: pictures that are not square"
        )
    classes = written.get("num_class_embeds")
    state = {_OLD_NAME.sub(_rename, name): t for name, t in read_weights(weights).items()}
    facts = CheckpointFacts.model_validate({
        "kind": "denoiser",
        "domain": domain.name,
        "labels": domain.of(classes),
        "class_conditional": classes is not None,
        "image_size": size,
        "channels": entering,
        "architecture": config,
        "schedule": schedule,
        "parameterisation": predicts,
        "parameters": sum(tensor.numel() for tensor in state.values()),
    })  # fmt: skip
    return Opened(state, facts, notes)


def write_example(folder: Path) -> Example:
    """Write a tiny `UNet2DModel`; raises InputError where diffusers is missing."""
    from safetensors.torch import save_file

    tiny = {
        "sample_size": 8,
        "block_out_channels": [8, 16],
        "down_block_types": ["DownBlock2D", "AttnDownBlock2D"],
        "up_block_types": ["AttnUpBlock2D", "UpBlock2D"],
        "layers_per_block": 1,
        "norm_num_groups": 4,
    }
    state = build_network(DiffusersConfig(config=tiny)).state_dict()
    (folder / CONFIG).write_text(json.dumps({"_class_name": "UNet2DModel", **tiny}))
    save_file(state, folder / "diffusion_pytorch_model.safetensors")
    return Example(folder)


def _read_schedule(
    path: Path, unet: Path, flags: DiffusersFlags
) -> tuple[Schedule, str, tuple[str, ...]]:
    places = (
        path / SCHEDULER,
        path / "scheduler" / SCHEDULER,
        unet.parent / "scheduler" / SCHEDULER,
    )
    found = next((place for place in places if place.is_file()), None)
    said = flags.model_dump(exclude={"image_size"}, exclude_none=True)
    if found is None:
        schedule, predicts = _make_schedule(said), said.get("prediction_type", "epsilon")
        note = (
            f"no {SCHEDULER} beside it: assumed are {schedule.name}, {schedule.steps} timesteps "
            f"and {predicts}; --flags '--beta_schedule … --prediction_type …' changes them"
        )
        return schedule, _PARAMETERISATIONS[predicts], (note,)
    if said:
        raise InputError(f"--{next(iter(said))} is stated in {found.name} too; leave out the flag")
    config = _read_json(found)
    name, predicts = config.get("_class_name"), config.get("prediction_type", "epsilon")
    if not {"beta_schedule", "trained_betas"} & config.keys():
        raise InputError(
            f"its scheduler, {name}, has no betas: not a variance-preserving diffusion"
        )
    if predicts not in _PARAMETERISATIONS:
        raise InputError(
            f"prediction_type {predicts!r} in {found.name}; known: {', '.join(_PARAMETERISATIONS)}"
        )
    if config.get("rescale_betas_zero_snr"):
        raise InputError(
            f"rescale_betas_zero_snr in {found.name}: its last timestep has zero SNR, where σ is "
            "infinite and the ODE cannot begin"
        )
    return _make_schedule(config), _PARAMETERISATIONS[predicts], ()


def _make_schedule(config: dict[str, Any]) -> Schedule:
    """The library's own betas; raises InputError where it has none of that name."""
    try:
        from diffusers.schedulers.scheduling_ddpm import DDPMScheduler
    except ImportError as error:
        raise missing_extra("diffusers", error) from error
    given = {key: config[key] for key in _BETAS if config.get(key) is not None}
    if given.get("num_train_timesteps", 2) > MAX_TIMESTEPS:
        raise InputError(f"num_train_timesteps {given['num_train_timesteps']}: too many")
    try:
        betas = DDPMScheduler(**given).betas
    except (NotImplementedError, TypeError, ValueError, RuntimeError) as error:
        raise InputError(f"diffusers makes no betas of {given}: {error}") from error
    return Schedule.of_betas(betas.double().tolist())


def _find_unet(folder: Path) -> Path | None:
    for place in (folder, folder / "unet"):
        if (place / CONFIG).is_file() and _read_json(place / CONFIG).get(
            "_class_name"
        ) == "UNet2DModel":
            return place
    return None


def _find_weights(folder: Path) -> Path:
    """The one file of weights; a safetensors one before a `.bin`, the plain name before others."""
    if index := next(folder.glob("*.index.json"), None):
        raise InputError(
            f"{index.name}: weights in several files are not put together; "
            "save_pretrained(…, max_shard_size='100GB') writes one"
        )
    for suffix in ("safetensors", "bin"):
        named = sorted(folder.glob(f"*.{suffix}"), key=lambda path: (len(path.name), path.name))
        if named:
            return named[0]
    raise InputError(f"no file of weights in {folder}")


def _rename(name: re.Match[str]) -> str:
    return f"{name[1]}{_ATTENTION[name[2]]}."


def _read_json(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > MAX_CONFIG:
            raise InputError(f"{path}: too large for a configuration")
        content = json.loads(path.read_bytes())
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: not JSON: {error}") from error
    if not isinstance(content, dict):
        raise InputError(f"{path}: not a configuration")
    return content


FORMAT = register_format(
    Format(
        name="diffusers",
        sign=f"a folder whose {CONFIG}, or whose unet/{CONFIG}, says UNet2DModel",
        flags=DiffusersFlags,
        recognises=recognises,
        open=open_folder,
        example=write_example,
    )
)
