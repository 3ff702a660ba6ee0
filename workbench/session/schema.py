"""The schema of a session: one set of models for the file, for editors and for the screen.

What can stand in a recipe follows the registries at the moment the schema is first used, so that
a user's own files are in it when the program has loaded them before.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self, cast

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, model_validator
from pydantic.json_schema import GenerateJsonSchema

from ddib.data.source import IMAGE_SOURCES, VERSION, ImageSource
from ddib.data.sources import source_of
from ddib.guides.guide import GUIDES, Guide
from ddib.operations.operation import OPERATIONS, Operation
from ddib.operations.sweeps import Sweep, Sweepable, SweepOf, count, sweepable
from ddib.paths import PathText
from ddib.solvers.solver import Solver
from workbench.session.registry_field import OneOf

NEEDS = "needs"  # only in the file, not in `Session`: derived from it when saving
MAX_VARIANTS = 10_000  # more rows than anybody looks at: a slip in a sweep


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, defer_build=True)


def _label_kind(value: object) -> str:
    return "own" if value == "own" else "class"


def _image_source(value: object) -> str | None:
    if isinstance(value, ImageSource):
        return type(value).__name__
    source = source_of(value) if isinstance(value, Mapping) else None
    return source.__name__ if source else None


ClassLabel = Annotated[
    Annotated[int, Tag("class")] | Annotated[Literal["own"], Tag("own")],
    Discriminator(_label_kind),
]

if TYPE_CHECKING:
    AnySource = ImageSource
    AnyOperation = Operation
    AnyGuide = Guide
    SweptSolver = Solver
    SweptLabel = int | tuple[int, ...] | Literal["own"]
    SweptScale = float | tuple[float, ...]
else:
    AnySource = Annotated[Any, OneOf(IMAGE_SOURCES.values, _image_source)]
    AnyGuide = Annotated[Any, OneOf(lambda: map(sweepable, GUIDES.values()), "guide")]
    AnyOperation = Annotated[Any, OneOf(lambda: map(sweepable, OPERATIONS.values()), "op")]
    SweptSolver = sweepable(Solver, ("steps", "start_noise"))
    SweptLabel = SweepOf[ClassLabel, int]
    SweptScale = Sweep[Annotated[float, Field(ge=0)]]


_CHECKPOINT = "a name in the library, or a path"
_LABEL = "for class-conditional checkpoints; own: each image under its own, where it is known"
_GUIDANCE = (
    "classifier-free guidance w: 1 is the conditional model as it is, 0 the unconditional one, "
    "above 1 leads further to the label at twice the evaluations"
)
_CLASSIFIER = (
    "a classifier of noisy images in the library, or a path: its gradient leads to the label"
)
_CLASSIFIER_SCALE = "what its gradient is multiplied by; 0 is none"


class End(_Part):
    """A model, and what it is led to; in a chain it encodes what the one before it has decoded,
    and decodes the result."""

    checkpoint: PathText = Field(description=_CHECKPOINT)
    label: ClassLabel | None = Field(default=None, description=_LABEL)
    guidance: float = Field(default=1.0, ge=0, description=_GUIDANCE)
    classifier: PathText | None = Field(default=None, description=_CLASSIFIER)
    classifier_scale: float = Field(default=1.0, ge=0, description=_CLASSIFIER_SCALE)


class Source(End):
    """Where the images come from, the model that encodes them, and what it is led to."""

    images: tuple[AnySource, ...] = Field(
        min_length=1, description="entries of image sources, such as digits or files"
    )


class Target(_Part):
    """The model that decodes, and what it is led to."""

    checkpoint: Sweep[PathText] = Field(description=_CHECKPOINT)
    label: SweptLabel | None = Field(default=None, description=_LABEL)
    guidance: SweptScale = Field(default=1.0, description=_GUIDANCE)
    classifier: PathText | None = Field(default=None, description=_CLASSIFIER)
    classifier_scale: SweptScale = Field(default=1.0, description=_CLASSIFIER_SCALE)


class Recipe(_Part):
    """What is done to the images before the source encodes them, to those latents before the
    target decodes them, and while it does; nothing is done to what a chain passes later."""

    image: tuple[AnyOperation, ...] = Field(default=(), description="operations on the image")
    latent: tuple[AnyOperation, ...] = Field(default=(), description="operations on the latent")
    guide: tuple[AnyGuide, ...] = Field(default=(), description="guides of the target's decoding")


class Session(_Part):
    """A ddib-workbench session."""

    version: Literal[1, 2] = Field(
        default=2, description="what the file leaves unsaid means what it meant then"
    )
    title: str = Field(default="", description="what the experiment shows")
    source: Source = Field(description="a checkpoint and images")
    target: Target = Field(description="a checkpoint")
    chain: tuple[End, ...] = Field(
        default=(),
        description="further ends: each result is encoded again by the model that decoded it, "
        "under the same label, and decoded by the next; the recipe acts on the first image and "
        "the first latent only",
    )
    solver: SweptSolver = Field(default=SweptSolver(), description="how the ODE is solved")
    recipe: Recipe = Field(default=Recipe.model_construct(), description="the operations")

    @model_validator(mode="after")
    def _not_too_many_variants(self) -> Self:
        if (number := count(sweeps(self))) > MAX_VARIANTS:
            raise ValueError(f"the sweeps make {number} variants, more than {MAX_VARIANTS}")
        return self


class SessionFile(Session):
    """A ddib-workbench session as it stands in a file, where the version has to be said."""

    model_config = ConfigDict(title="Session")

    version: Literal[1, 2] = Field(description=f"version: {VERSION}")
    needs: dict[str, str] = Field(
        default={}, description="operations that are not ddib's own, and what they come with"
    )


def schema() -> dict[str, Any]:
    """The JSON Schema of the session file, for editors."""
    return {"$schema": GenerateJsonSchema.schema_dialect, **SessionFile.model_json_schema()}


def sweeps(session: Session) -> dict[str, tuple[Any, ...]]:
    """What is swept and through which values, in the order of the file."""
    target = {f"target.{name}": value for name, value in session.target}
    return {
        **_sweeps_of("solver", session.solver),
        **{path: value for path, value in target.items() if isinstance(value, tuple)},
        **{
            path: values
            for place, part in enabled_parts(session).items()
            for path, values in _sweeps_of(place, part).items()
        },
    }


def enabled_parts(session: Session) -> dict[str, Operation | Guide]:
    """The operations and guides that run, by place: "image.0", "latent.2", "guide.0"."""
    return {
        f"{stage}.{index}": part
        for stage, parts in session.recipe
        for index, part in enumerate(parts)
        if part.enabled
    }


def _sweeps_of(place: str, model: BaseModel) -> dict[str, tuple[Any, ...]]:
    swept = cast(Sweepable, model).sweeps()
    return {f"{place}.{name}": values for name, values in swept.items()}
