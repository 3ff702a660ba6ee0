"""Networks are built from their configurations, with random weights."""

from typing import TYPE_CHECKING

from ddib.errors import InputError
from ddib.networks.configurations import (
    Architecture,
    ClassifierConfig,
    DiffusersConfig,
    LucidrainsConfig,
    MlpConfig,
    ProbeConfig,
    UNetConfig,
)

if TYPE_CHECKING:
    from torch import nn


def build_network(architecture: Architecture) -> "nn.Module":
    """The network of a configuration, with random weights.

    Raises InputError where the library that it comes from is missing or refuses.
    """
    match architecture:
        case UNetConfig():
            from ddib.networks.unet import UNet

            return UNet(architecture)
        case MlpConfig():
            from ddib.networks.mlp import Mlp

            return Mlp(architecture)
        case ProbeConfig():
            from ddib.networks.probe import Probe

            return Probe(architecture)
        case ClassifierConfig():
            from ddib.networks.classifier import NoisyClassifier

            return NoisyClassifier(architecture)
        case DiffusersConfig():
            return _build_diffusers(architecture)
        case LucidrainsConfig():
            return _build_lucidrains(architecture)


def _build_diffusers(architecture: DiffusersConfig) -> "nn.Module":
    try:
        from ddib.networks.diffusers_unet import DiffusersUNet
    except ImportError as error:
        raise missing_extra("diffusers", error) from error
    try:
        return DiffusersUNet(**architecture.config)
    except Exception as error:  # the library's own, for whatever a file may claim
        raise InputError(f"diffusers makes no UNet2DModel of its config: {error}") from error


def _build_lucidrains(architecture: LucidrainsConfig) -> "nn.Module":
    try:
        from ddib.networks.lucidrains_unet import LucidrainsUNet
    except ImportError as error:
        raise missing_extra("lucidrains", error) from error
    return LucidrainsUNet(architecture)


def missing_extra(extra: str, error: ImportError) -> InputError:
    """What to say where the library behind an optional extra cannot be imported."""
    return InputError(
        f"this network needs an optional extra: pip install 'ddib-workbench[{extra}]' ({error})"
    )
