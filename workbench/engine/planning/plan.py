"""What a session asks for, checked against what is there, before anything runs. Torch-free."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ddib.checkpoints.files import file_sha256
from ddib.checkpoints.fitted_grid import read_grid
from ddib.checkpoints.header import CheckpointFacts, read_facts
from ddib.data.loading import load_images
from ddib.data.source import Images
from ddib.errors import InputError
from ddib.guides.classifier_free import evaluations
from ddib.guides.guidance import check_guidance
from ddib.guides.guide import Guide
from ddib.networks.configurations import MlpConfig
from ddib.schedules.grids import make_grid
from ddib.solvers.solver import Solver
from workbench.engine.protocol.messages import Sample
from workbench.library.checkpoints import find_checkpoint
from workbench.session.paths import named_checkpoints, named_classifiers, with_absolute_paths
from workbench.session.reading import error_at
from workbench.session.schema import End as SessionEnd
from workbench.session.schema import Session, enabled_parts
from workbench.session.titles import end_title
from workbench.session.variants import Variant, ends, variants

if TYPE_CHECKING:
    from ddib.denoising.label import Label

ADAPTIVE_EVALUATIONS = 100  # assumed of a solver that chooses its own steps


@dataclass(frozen=True)
class Checkpoint:
    """A file that an end of the session names."""

    path: Path
    facts: CheckpointFacts


@dataclass(frozen=True)
class End:
    """One end of the bridge: a model, its label, and its guidance."""

    path: Path
    facts: CheckpointFacts
    label: int | Literal["own"] | None
    guidance: float = 1.0
    classifier: Checkpoint | None = None
    classifier_scale: float = 0.0  # without a classifier

    @property
    def guidance_key(self) -> tuple[object, ...]:
        """Equal for ends with the same guidance."""
        by = self.classifier.path if self.classifier and self.classifier_scale else None
        return self.guidance, by, self.classifier_scale if by else 0.0

    def evaluations(self, solver: Solver) -> int:
        """Network evaluations per image in one direction; an estimate for adaptive solvers."""
        return expected_evaluations(solver, self.guidance)

    @property
    def title(self) -> str:
        """`cmnist-digits (7)`."""
        return end_title(self.path.name, self.label)


@dataclass(frozen=True)
class Plan:
    """A session that can run: everything found, everything fits."""

    name: str  # the session file's stem
    session: Session  # with absolute paths
    checkpoints: dict[str, Checkpoint]  # by the names that the session has for them
    classifiers: dict[str, Checkpoint]  # by the names that the session has for them
    images: Images
    variants: list[Variant]

    @property
    def points(self) -> bool:
        """Whether every model reads each pixel as a point of its own, rather than pictures."""
        found = (checkpoint.facts.architecture for checkpoint in self.checkpoints.values())
        return all(isinstance(architecture, MlpConfig) for architecture in found)

    @property
    def links(self) -> int:
        """How often each variant's pictures are encoded and decoded."""
        return 1 + len(self.session.chain)

    @property
    def encodings(self) -> int:
        """How many different encodings of the sources the variants need."""
        return len({encoding_key(variant) for variant in self.variants})

    @property
    def evaluations(self) -> int:
        """Network evaluations per image that the session takes with nothing cached."""
        return sum(self.evaluations_by_direction.values())

    @property
    def evaluations_by_direction(self) -> dict[Literal["encode", "decode"], int]:
        """Those of `evaluations` that encode, and those that decode."""
        first = {encoding_key(v): self.ends(v)[0].evaluations(v.solver) for v in self.variants}
        passed = [(v.solver, self.ends(v)[1:]) for v in self.variants]
        later = [[end.evaluations(solver) for end in ends] for solver, ends in passed]
        encode = sum(first.values()) + sum(sum(each[:-1]) for each in later)
        return {"encode": encode, "decode": sum(map(sum, later))}

    def ends(self, variant: Variant) -> list[End]:
        """The ends of a variant in order; link i goes from end i to end i + 1."""
        return [
            End(
                self.checkpoints[end.checkpoint].path,
                self.checkpoints[end.checkpoint].facts,
                end.label,
                end.guidance,
                self.classifiers[end.classifier] if end.classifier else None,
                end.classifier_scale if end.classifier else 0.0,
            )
            for end in ends(self.session, variant)
        ]

    def condition(self, end: End, places: Sequence[int]) -> "Label":
        """The label that an end is conditioned on, for some images."""
        label = tuple(self.own_labels(places)) if end.label == "own" else end.label
        by = end.classifier.facts if end.classifier else None
        return check_guidance(end.facts, label, end.guidance, by)

    def wanted(self, end: End, places: Sequence[int]) -> list[int | None]:
        """The classes that an end's pictures should be of."""
        if end.label == "own":
            return list(self.own_labels(places))
        wanted = end.facts.wanted_label(end.label)
        return [wanted if isinstance(wanted, int) else None] * len(places)

    def own_labels(self, places: Sequence[int]) -> list[int]:
        """The classes of source images; only where all have one."""
        return [label for place in places if (label := self.images.labels[place]) is not None]

    def same(self, one: End, other: End) -> bool:
        """Whether two ends have the same model, guidance and label for every image."""
        places = range(len(self.images.names))
        return (one.path, one.guidance_key) == (other.path, other.guidance_key) and (
            one.label == other.label or self.condition(one, places) == self.condition(other, places)
        )

    def is_cycle(self, variant: Variant) -> bool:
        """Whether a variant returns to its own images, so that its round-trip error is defined."""
        edited = variant.solver.start_noise or variant.edited
        first, *_, last = self.ends(variant)
        return self.same(first, last) and not edited


def short_titles(passed: Sequence[End]) -> list[str]:
    """The ends' shortest distinct titles: labels only, where all ends have the same model."""
    one_model = len({end.path for end in passed}) == 1
    return [str(end.label) if one_model and end.label is not None else end.title for end in passed]


def expected_evaluations(solver: Solver, guidance: float) -> int:
    """Network evaluations per image in one direction; an estimate for adaptive solvers."""
    return evaluations(guidance) * (solver.evaluations or ADAPTIVE_EVALUATIONS)


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
    folders: Sequence[Path],
    sample: Sample | None,
) -> Plan:
    session = with_absolute_paths(session, base)
    names = named_checkpoints(session)
    found = {named: _checkpoint(named, key, base, folders) for key, named in names.items()}
    classifiers = {
        named: _checkpoint(named, key, base, folders, kind="classifier")
        for key, named in named_classifiers(session).items()
    }
    source = session.source.checkpoint
    facts = found[source].facts
    for key, named in names.items():
        other = found[named].facts
        if (other.image_size, other.channels) != (facts.image_size, facts.channels):
            raise InputError(
                f"{named} makes {other.shape} and {source} reads {facts.shape}; "
                "both ends must have the same size and channels",
                key=key,
            )
    all_variants = variants(session)
    if facts.of_points:
        _check_recipe(session)
    specs, limit = session.source.images, sample.images if sample else None
    for place, end, solver in _ends_used(session, all_variants):
        _check_grid(found[end.checkpoint], solver)
        if end.label != "own":
            _check_condition(end, end.label, found, classifiers, place)
    images = load_images(
        specs,
        size=facts.image_size,
        channels=facts.channels,
        base=base,
        limit=limit,
        version=session.version,
    )
    for place, end, _ in _ends_used(session, all_variants):
        if end.label == "own":
            labels = _own_labels(images, f"{place}.label")
            _check_condition(end, labels, found, classifiers, place)
    chosen = all_variants[: sample.variants] if sample else all_variants
    return Plan(name, session, found, classifiers, images, chosen)


def _ends_used(
    session: Session, found: Sequence[Variant]
) -> Iterator[tuple[str, SessionEnd, Solver]]:
    """Every end with its key in the session and the solver that it is used with, each once."""
    places = ["source", "target", *(f"chain.{index}" for index in range(len(session.chain)))]
    yield from dict.fromkeys(
        (place, end, variant.solver)
        for variant in found
        for place, end in zip(places, ends(session, variant), strict=True)
    )


def _checkpoint(
    name: str, key: str, base: Path, folders: Sequence[Path], kind: str = "denoiser"
) -> Checkpoint:
    try:
        path = find_checkpoint(name, base, folders)
        facts = read_facts(path)
    except InputError as error:
        raise InputError(str(error), key=key) from error
    if facts.kind != kind:
        wanted = {"denoiser": "diffusion model", "classifier": "classifier of noisy images"}[kind]
        raise InputError(f"{name} is a {facts.kind}, not a {wanted}", key=key)
    return Checkpoint(path, facts)


def _check_condition(
    end: SessionEnd,
    label: "Label",
    found: dict[str, Checkpoint],
    classifiers: dict[str, Checkpoint],
    place: str,
) -> None:
    by = classifiers[end.classifier].facts if end.classifier else None
    check_guidance(found[end.checkpoint].facts, label, end.guidance, by, f"{place}.")


def _own_labels(images: Images, key: str) -> tuple[int, ...]:
    """The label of every image; raises InputError when one has none."""
    for name, label in zip(images.names, images.labels, strict=True):
        if label is None:
            raise InputError(
                f"own: the class of {name} is unknown; give a number, or images of known class", key
            )
    return tuple(label for label in images.labels if label is not None)


def _check_grid(checkpoint: Checkpoint, solver: Solver) -> None:
    schedule, path = checkpoint.facts.schedule, checkpoint.path
    steps = solver.steps if isinstance(solver.steps, int) else 1
    adapted = solver.grid == "adapted"
    curve = read_grid(path, file_sha256(path)).curve if adapted else None
    make_grid(solver.grid, schedule.sigmas, steps, solver.start_noise, curve)


def _check_recipe(session: Session) -> None:
    """Raise InputError for an operation or a guide that means nothing for points of a plane."""
    for place, part in enabled_parts(session).items():
        if part.pictures_only:
            name = part.guide if isinstance(part, Guide) else part.op
            raise InputError(
                f"{name} works on pictures, and these are points, whose neighbours "
                "in the order are not near; remove it or set enabled: false",
                key=f"recipe.{place}",
            )
