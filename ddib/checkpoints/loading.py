"""A checkpoint is loaded as what it holds: a denoiser's model, a classifier or a probe."""

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from ddib.checkpoints.files import file_sha256, resolve
from ddib.checkpoints.header import read_facts
from ddib.checkpoints.model import Classifier, Model
from ddib.checkpoints.weights import load_network
from ddib.denoising.evaluation import FLOAT32, Evaluation, prepare_network
from ddib.errors import InputError
from ddib.networks.configurations import ClassifierConfig, ProbeConfig

if TYPE_CHECKING:
    from ddib.networks.probe import Probe


def load(
    name_or_path: str | Path,
    device: str = "cpu",
    evaluation: Evaluation = FLOAT32,
    compiled_folder: Path | None = None,
) -> Model:
    """A denoiser's checkpoint, ready to use on a device.

    `compiled_folder`: where compiled code is kept between programs, for a compiled evaluation.
    Raises InputError for a file that is missing, damaged, or no denoiser's.
    """
    from ddib.denoising.denoiser import Denoiser

    path = resolve(name_or_path)
    facts = read_facts(path)
    if isinstance(facts.architecture, ProbeConfig | ClassifierConfig):
        raise InputError(f"{path}: a {facts.kind}, not a denoiser")
    network = load_network(facts.architecture, path, device)
    prepare_network(network, evaluation, device, compiled_folder)
    scale = 1000 / facts.schedule.steps if facts.schedule.rescale_timesteps else 1.0
    denoiser = Denoiser(network, facts.schedule.sigmas, facts.parameterisation, scale)
    return Model(path.stem, path, facts, file_sha256(path), denoiser, evaluation)


def load_probe(name_or_path: str | Path, device: str = "cpu") -> "Probe":
    """The checkpoint of a probe, ready to use; raises InputError as `load` does."""
    path = resolve(name_or_path)
    facts = read_facts(path)
    if not isinstance(facts.architecture, ProbeConfig):
        raise InputError(f"{path}: a {facts.kind}, not a probe")
    probe: Probe = load_network(facts.architecture, path, device)
    return probe


def load_classifier(name_or_path: str | Path, device: str = "cpu") -> Classifier:
    """A classifier of noisy images, ready to guide, loaded once for as long as its file stays the
    same; raises InputError as `load` does."""
    path = resolve(name_or_path)
    return _loaded_classifier(path, path.stat().st_mtime_ns, device)


@lru_cache(maxsize=8)
def _loaded_classifier(path: Path, modified: int, device: str) -> Classifier:
    facts = read_facts(path)
    if not isinstance(facts.architecture, ClassifierConfig):
        raise InputError(f"{path}: a {facts.kind}, not a classifier of noisy images")
    return Classifier(facts, file_sha256(path), load_network(facts.architecture, path, device))
