"""What a session asks for, checked against what is there, before anything runs. Torch-free."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ddib.checkpoints import CheckpointFacts, read_facts
from ddib.datasets import Images, load_images
from ddib.errors import InputError
from ddib.schedules import make_grid, schedule_sigmas
from workbench.library import find_checkpoint
from workbench.session import Session, Variant, error_at, variants, with_absolute_paths


@dataclass(frozen=True)
class End:
    """The source's or the target's checkpoint."""

    path: Path
    facts: CheckpointFacts


@dataclass(frozen=True)
class Plan:
    """A session that can run: everything found, everything fits."""

    name: str  # the session file's stem
    session: Session  # with absolute paths
    source: End
    target: End
    images: Images
    variants: list[Variant]

    @property
    def encodings(self) -> int:
        """How many different encodings the variants need."""
        return len({encoding_key(variant) for variant in self.variants})

    @property
    def evaluations(self) -> int:
        """Network evaluations per image that the session takes with nothing cached."""
        encode = {encoding_key(v): v.solver.evaluations for v in self.variants}
        return sum(encode.values()) + sum(v.solver.evaluations for v in self.variants)

    def is_cycle(self, variant: Variant) -> bool:
        """Whether a variant leads back to its own images, so that the way has an error."""
        source, target = self.source.facts, self.target.facts
        return (
            self.source.path == self.target.path
            and source.check_label(self.session.source.label)
            == target.check_label(variant.target_label)
            and not (variant.solver.start_noise or variant.image or variant.latent)
        )


def encoding_key(variant: Variant) -> str:
    """Equal for variants that share an encoding: all before the latent is the same."""
    solver = variant.solver.model_dump_json(exclude={"clip"})
    return solver + "".join(operation.model_dump_json() for operation in variant.image)


def make_plan(
    session: Session,
    base: Path,
    name: str = "untitled",
    *,
    file: Path | None = None,
    checkpoints: Sequence[Path] = (),
) -> Plan:
    """Check a session; relative paths start from `base`, errors speak of `file`.

    Raises InputError for checkpoints that are missing, damaged, or do not fit together, labels
    and images that do not exist, and solver settings that the schedules cannot have.
    """
    try:
        return _make_plan(session, base, name, checkpoints)
    except InputError as error:
        if file is not None and error.key is not None:
            raise error_at(file, error.key, str(error)) from error
        if error.key is not None:
            raise InputError(f"{error.key}: {error}") from error
        raise


def _make_plan(session: Session, base: Path, name: str, checkpoints: Sequence[Path]) -> Plan:
    source = _end(session.source.checkpoint, "source", base, checkpoints)
    target = _end(session.target.checkpoint, "target", base, checkpoints)
    size, channels = source.facts.image_size, source.facts.channels
    if (target.facts.image_size, target.facts.channels) != (size, channels):
        raise InputError(
            f"{session.target.checkpoint} makes {_shape(target.facts)} and "
            f"{session.source.checkpoint} reads {_shape(source.facts)}; "
            "both ends must have the same size and channels",
            key="target.checkpoint",
        )
    source.facts.check_label(session.source.label, "source.label")
    found = variants(session)
    for variant in found:
        target.facts.check_label(variant.target_label, "target.label")
        for end in (source, target):
            sigmas = schedule_sigmas(end.facts.schedule.name, end.facts.schedule.steps)
            make_grid(variant.solver.grid, sigmas, variant.solver.steps, variant.solver.start_noise)
    images = load_images(session.source.images, size=size, channels=channels, base=base)
    return Plan(name, with_absolute_paths(session, base), source, target, images, found)


def _end(name: str, side: str, base: Path, checkpoints: Sequence[Path]) -> End:
    key = f"{side}.checkpoint"
    try:
        path = find_checkpoint(name, base, checkpoints)
        facts = read_facts(path)
    except InputError as error:
        raise InputError(str(error), key=key) from error
    if facts.kind != "denoiser":
        raise InputError(f"{name} is a {facts.kind}, not a diffusion model", key=key)
    return End(path, facts)


def _shape(facts: CheckpointFacts) -> str:
    return f"{facts.image_size}×{facts.image_size}×{facts.channels}"
