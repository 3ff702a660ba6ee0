"""What a session asks for, checked against what is there, before anything runs. Torch-free."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ddib.adaptation import read_grid
from ddib.architectures import MlpConfig
from ddib.checkpoints import CheckpointFacts, file_sha256, read_facts
from ddib.datasets import Images, load_images
from ddib.errors import InputError
from ddib.points import CHANNELS as POINT_CHANNELS
from ddib.schedules import make_grid, schedule_sigmas
from ddib.solvers import Solver
from workbench.engine.messages import Sample
from workbench.library import find_checkpoint
from workbench.session import Session, Variant, error_at, variants, with_absolute_paths

UNTOLD = 100  # evaluations that a solver which decides for itself is taken to need


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
    def points(self) -> bool:
        """Whether both models read every pixel as a point of its own, rather than a picture."""
        ends = (self.source.facts.architecture, self.target.facts.architecture)
        return all(isinstance(architecture, MlpConfig) for architecture in ends)

    @property
    def encodings(self) -> int:
        """How many different encodings the variants need."""
        return len({encoding_key(variant) for variant in self.variants})

    @property
    def evaluations(self) -> int:
        """Network evaluations per image that the session takes with nothing cached."""
        encode = {encoding_key(v): expected_evaluations(v.solver) for v in self.variants}
        return sum(encode.values()) + sum(expected_evaluations(v.solver) for v in self.variants)

    def same_ends(self, variant: Variant) -> bool:
        """Whether a variant is decoded by the model and under the label that encoded it."""
        source, target = self.source.facts, self.target.facts
        return self.source.path == self.target.path and source.check_label(
            self.session.source.label
        ) == target.check_label(variant.target_label)

    def is_cycle(self, variant: Variant) -> bool:
        """Whether a variant leads back to its own images, so that the way has an error."""
        edited = variant.solver.start_noise or variant.image or variant.latent
        return self.same_ends(variant) and not edited


def expected_evaluations(solver: Solver) -> int:
    """NFE per image one way; a guess where only the run will tell."""
    return solver.evaluations or UNTOLD


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
    sample: Sample | None = None,
) -> Plan:
    """Check a session; relative paths start from `base`, errors speak of `file`.

    With a `sample` the plan has the session's first images and variants only.

    Raises InputError for checkpoints that are missing, damaged, or do not fit together, labels
    and images that do not exist, and solver settings that the schedules cannot have.
    """
    try:
        return _make_plan(session, base, name, checkpoints, sample)
    except InputError as error:
        if file is not None and error.key is not None:
            raise error_at(file, error.key, str(error)) from error
        if error.key is not None:
            raise InputError(f"{error.key}: {error}") from error
        raise


def _make_plan(
    session: Session,
    base: Path,
    name: str,
    checkpoints: Sequence[Path],
    sample: Sample | None,
) -> Plan:
    source = _end(session.source.checkpoint, "source", base, checkpoints)
    target = _end(session.target.checkpoint, "target", base, checkpoints)
    size, channels = source.facts.image_size, source.facts.channels
    if (target.facts.image_size, target.facts.channels) != (size, channels):
        raise InputError(
            f"{session.target.checkpoint} makes {target.facts.form} and "
            f"{session.source.checkpoint} reads {source.facts.form}; "
            "both ends must have the same size and channels",
            key="target.checkpoint",
        )
    source.facts.check_label(session.source.label, "source.label")
    found = variants(session)
    for variant in found:
        target.facts.check_label(variant.target_label, "target.label")
        for end in (source, target):
            _check_grid(end, variant.solver)
    if channels == POINT_CHANNELS:
        _check_operations(session)
    specs, limit = session.source.images, sample.images if sample else None
    images = load_images(specs, size=size, channels=channels, base=base, limit=limit)
    found = found[: sample.variants] if sample else found
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


def _check_grid(end: End, solver: Solver) -> None:
    sigmas = schedule_sigmas(end.facts.schedule.name, end.facts.schedule.steps)
    steps = solver.steps if isinstance(solver.steps, int) else 1
    adapted = solver.grid == "adapted"
    curve = read_grid(end.path, file_sha256(end.path)).curve if adapted else None
    make_grid(solver.grid, sigmas, steps, solver.start_noise, curve)


def _check_operations(session: Session) -> None:
    """Raises InputError for an operation that means nothing for points of a plane."""
    for stage in ("image", "latent"):
        for index, operation in enumerate(getattr(session.recipe, stage)):
            if operation.enabled and operation.pictures_only:
                raise InputError(
                    f"{operation.op} works on pictures, and these are points, whose neighbours "
                    "in the order are not near; remove it or set enabled: false",
                    key=f"recipe.{stage}.{index}",
                )
