"""The flags of `train` are checked before anything is loaded: what does nothing is refused."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from ddib.data.source import ImageSource
from ddib.errors import InputError, first_problem
from ddib.networks.configurations import UNetConfig
from ddib.training.configuration import TrainingConfig, choose_config

REQUESTED = {"labels": "--digit", "root": "--root", "size": "--size"}
"""The flags by what they are in a `TrainingRequest`."""

_OF_DENOISERS = (
    "--class-conditional", "--width", "--patch-size", "--parameterisation", "--noise-levels",
)  # fmt: skip


def check_useful(
    source: type[ImageSource], dataset: str, judge: str | None, given: Mapping[str, object]
) -> None:
    """Raise InputError for a flag that would do nothing.

    judge: `--probe` or `--classifier` where one is trained; given: values by flag, empty or None
    or False where not given.
    """
    for key, flag in REQUESTED.items():
        if given[flag] and key not in source.training_keys:
            raise InputError(f"{flag} does nothing for --dataset {dataset}; leave it out")
    labelled = judge or ("--class-conditional" if given["--class-conditional"] else None)
    if labelled and not source.class_labels:
        raise InputError(f"{labelled} needs images with labels, and {dataset} has none")
    if judge and (useless := [flag for flag in _OF_DENOISERS if given[flag]]):
        raise InputError(
            f"{useless[0]} does nothing with {judge}, whose network is always the same"
        )
    if source.pointwise and given["--patch-size"]:
        raise InputError(
            f"--patch-size does nothing for --dataset {dataset}: points have no patches"
        )


def check_patches(size: int, patch: int) -> None:
    """Raise InputError for a size of images that the U-Net cannot halve as often as it does."""
    halvings: int = len(UNetConfig().channel_mult) - 1
    unit = patch * 2**halvings
    if size % unit:
        possible = [n for n in range(1, 9) if size % (n * 2**halvings) == 0]
        of_this = f"; that may be {' or '.join(map(str, possible))} here" if possible else ""
        raise InputError(
            f"--size {size} with --patch-size {patch}: the size has to be a multiple of {unit}, "
            f"{2**halvings} times the patch size{of_this}"
        )


def training_config(pointwise: bool, **settings: Any) -> TrainingConfig:
    """`ddib.training.configuration.choose_config`; its InputError names the flag."""
    try:
        return choose_config(pointwise, **settings)
    except ValidationError as error:
        setting, _, problem = first_problem(error).partition(": ")
        flag = f"--{setting.replace('_', '-')}"
        raise InputError(f"{flag} {settings[setting]}: {problem}") from None
