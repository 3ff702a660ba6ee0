"""The session: everything needed to repeat an experiment, as YAML.

One schema serves the file, the JSON Schema for editors and the screen. `load_session` and
`parse_session` raise SessionError, whose text says for each problem where it is (file, line,
key), what was expected and which valid name is nearest.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self, Union, cast

from pydantic import (
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    ValidationError,
    model_validator,
)
from pydantic.json_schema import GenerateJsonSchema

from ddib.data.points import SHAPES, SyntheticPoints
from ddib.data.sources.colored_mnist import ColoredMNIST
from ddib.data.sources.image_files import ImageFiles
from ddib.errors import InputError
from ddib.extensions import load_extensions
from ddib.operations.operation import OPERATIONS, Operation
from ddib.operations.recipe import enabled
from ddib.operations.sweeps import Sweep, Sweepable, SweepOf, count, expand, sweepable
from ddib.solvers.solver import Solver
from workbench.library.library import folders
from workbench.session.errors import Problem, SessionError, explain, not_among, shown
from workbench.support.ranges import is_range, parse_range
from workbench.support.yaml_text import (
    Node,
    Plain,
    YamlProblem,
    block,
    edit,
    flow,
    is_list,
    is_mapping,
    read,
)

__all__ = [
    "End", "Problem", "Recipe", "Session", "SessionError", "Source", "Target", "Variant",
    "dump_session", "ends", "error_at", "load_session", "named_checkpoints",
    "named_classifiers",
    "parse_session", "read_session_text", "save_session", "schema", "set_value", "sweeps",
    "title", "variants", "way", "with_absolute_paths", "without_family",
]  # fmt: skip

MAX_BYTES = 256 * 1024
VERSION = 1
NEEDS = "needs"  # a key of the file only: it follows from the recipe
MAX_VARIANTS = 10_000  # more rows than anybody looks at: a slip in a sweep

MIGRATIONS: dict[int, Callable[[Mapping[str, Plain]], Mapping[str, Plain]]] = {}
"""For each older version, what brings a file's content to the version after it."""


load_extensions(folders().operations.parent, (OPERATIONS,))  # the schema below has them too


class MissingOperations(SessionError):
    """A session that is right, and needs operations that are not here."""


# ---- the schema


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


def _label_kind(value: object) -> str:
    return "own" if value == "own" else "class"


def _image_spec(value: object) -> str | None:
    if isinstance(value, BaseModel):
        return type(value).__name__
    keys = value if isinstance(value, Mapping) else {}
    if "dataset" in keys:
        points = keys["dataset"] in list(SHAPES)  # whatever it is, a list or a mapping
        return SyntheticPoints.__name__ if points else ColoredMNIST.__name__
    return ImageFiles.__name__ if "path" in keys else None


ClassLabel = Annotated[
    Annotated[int, Tag("class")] | Annotated[Literal["own"], Tag("own")],
    Discriminator(_label_kind),
]

if TYPE_CHECKING:
    ImageSpec = ColoredMNIST | SyntheticPoints | ImageFiles
    AnyOperation = Operation
    SweptSolver = Solver
    SweptLabel = int | tuple[int, ...] | Literal["own"]
    SweptScale = float | tuple[float, ...]
else:
    ImageSpec = Annotated[
        Annotated[ColoredMNIST, Tag("ColoredMNIST")]
        | Annotated[SyntheticPoints, Tag("SyntheticPoints")]
        | Annotated[ImageFiles, Tag("ImageFiles")],
        Discriminator(_image_spec),
    ]
    AnyOperation = Annotated[
        Union[tuple(sweepable(operation) for operation in OPERATIONS.values())],  # noqa: UP007
        Discriminator("op"),
    ]
    SweptSolver = sweepable(Solver, ("steps", "start_noise"))
    SweptLabel = SweepOf[ClassLabel, int]
    SweptScale = Sweep[Annotated[float, Field(ge=0)]]


CheckpointName = Annotated[str, Field(min_length=1)]
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

    checkpoint: CheckpointName = Field(description=_CHECKPOINT)
    label: ClassLabel | None = Field(default=None, description=_LABEL)
    guidance: float = Field(default=1.0, ge=0, description=_GUIDANCE)
    classifier: CheckpointName | None = Field(default=None, description=_CLASSIFIER)
    classifier_scale: float = Field(default=1.0, ge=0, description=_CLASSIFIER_SCALE)


class Source(End):
    """Where the images come from, the model that encodes them, and what it is led to."""

    images: tuple[ImageSpec, ...] = Field(
        min_length=1, description="colored MNIST digits, image files, or points"
    )


class Target(_Part):
    """The model that decodes, and what it is led to."""

    checkpoint: Sweep[CheckpointName] = Field(description=_CHECKPOINT)
    label: SweptLabel | None = Field(default=None, description=_LABEL)
    guidance: SweptScale = Field(default=1.0, description=_GUIDANCE)
    classifier: CheckpointName | None = Field(default=None, description=_CLASSIFIER)
    classifier_scale: SweptScale = Field(default=1.0, description=_CLASSIFIER_SCALE)


class Recipe(_Part):
    """What is done to the images before the source encodes them, and to those latents before the
    target decodes them; nothing is done to what a chain passes later."""

    image: tuple[AnyOperation, ...] = Field(default=(), description="operations on the image")
    latent: tuple[AnyOperation, ...] = Field(default=(), description="operations on the latent")


class Session(_Part):
    """A ddib-workbench session."""

    version: Literal[1] = Field(default=1, description="of the file format")
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
    recipe: Recipe = Field(default=Recipe(), description="the operations")

    @model_validator(mode="after")
    def _not_too_many_variants(self) -> Self:
        if (number := count(sweeps(self))) > MAX_VARIANTS:
            raise ValueError(f"the sweeps make {number} variants, more than {MAX_VARIANTS}")
        return self


class _SessionFile(Session):
    """A ddib-workbench session as it stands in a file, where the version has to be said."""

    model_config = ConfigDict(title="Session")

    version: Literal[1] = Field(description=f"version: {VERSION}")
    needs: dict[str, str] = Field(
        default={}, description="operations that are not ddib's own, and what they come with"
    )


def schema() -> dict[str, Any]:
    """The JSON Schema of the session file, for editors."""
    return {"$schema": GenerateJsonSchema.schema_dialect, **_SessionFile.model_json_schema()}


# ---- variants


@dataclass(frozen=True)
class Variant:
    """One combination of sweep values, and what it makes of the session.

    values: by the path under recipe, or from the root: "latent.1.coefficient", "solver.steps";
    image, latent: the enabled operations, without sweeps.
    """

    values: dict[str, Any]
    label: str
    solver: Solver
    target: End
    image: tuple[Operation, ...]
    latent: tuple[Operation, ...]


def sweeps(session: Session) -> dict[str, tuple[Any, ...]]:
    """What is swept and through which values: solver, target, image, latent, in file order."""
    target = {f"target.{name}": value for name, value in session.target}
    return {
        **_sweeps_of("solver", session.solver),
        **{path: value for path, value in target.items() if isinstance(value, tuple)},
        **{
            path: values
            for place, operation in _enabled(session).items()
            for path, values in _sweeps_of(place, operation).items()
        },
    }


def variants(session: Session) -> list[Variant]:
    """Every combination of the swept values, the last one varying fastest; at least one."""
    symbols = _symbols(session)
    return [_variant(session, symbols, values) for values in expand(sweeps(session))]


def _variant(session: Session, symbols: Mapping[str, str], values: dict[str, Any]) -> Variant:
    return Variant(
        values=values,
        label=", ".join(f"{symbols[p]} = {_shown(v)}" for p, v in values.items()) or "result",
        solver=cast(Solver, _at("solver", session.solver, values)),
        target=End(**{n: values.get(f"target.{n}", value) for n, value in session.target}),
        image=_running("image", session.recipe.image, values),
        latent=_running("latent", session.recipe.latent, values),
    )


def _running(
    stage: str, operations: Sequence[Operation], values: Mapping[str, Any]
) -> tuple[Operation, ...]:
    """The enabled operations of a stage, without sweeps."""
    return enabled(
        [
            cast(Operation, _at(f"{stage}.{index}", one, values)) if one.enabled else one
            for index, one in enumerate(operations)
        ]
    )


def _enabled(session: Session) -> dict[str, Operation]:
    """The operations that run, by place: "image.0", "latent.2"."""
    stages = {"image": session.recipe.image, "latent": session.recipe.latent}
    return {
        f"{stage}.{index}": operation
        for stage, operations in stages.items()
        for index, operation in enumerate(operations)
        if operation.enabled
    }


def _sweeps_of(place: str, model: BaseModel) -> dict[str, tuple[Any, ...]]:
    swept = cast(Sweepable, model).sweeps()
    return {f"{place}.{name}": values for name, values in swept.items()}


def _at(place: str, model: BaseModel, values: Mapping[str, Any]) -> BaseModel:
    prefix = f"{place}."
    own = {path.removeprefix(prefix): v for path, v in values.items() if path.startswith(prefix)}
    return cast(Sweepable, model).at(own)


def _symbols(session: Session) -> dict[str, str]:
    """A name for each sweep, as short as it can be told from the others: `c`, `blend p`."""
    names = {path: _names(session, path) for path in sweeps(session)}
    taken = Counter(name for candidates in names.values() for name in candidates)
    return {
        path: next((name for name in candidates if taken[name] == 1), path)
        for path, candidates in names.items()
    }


def _names(session: Session, path: str) -> tuple[str, str, str]:
    """Names of a swept parameter, all different, from the shortest to the clearest."""
    place, _, name = path.rpartition(".")
    if place == "target":
        short = name.replace("checkpoint", "target").replace("_", " ")
        return short, f"target {short}", path
    model = session.solver if place == "solver" else _enabled(session)[place]
    extra = type(model).model_fields[name].json_schema_extra
    symbol = extra.get("symbol", name) if isinstance(extra, dict) else name
    short = str(symbol).replace("_", " ")
    kind = model.op if isinstance(model, Operation) else place
    return short, f"{kind.replace('_', ' ')} {short}", f"{place.replace('.', ' ')} {short}"


def _shown(value: float | str) -> str:
    """The shortest text that is exactly this number, without `.0`, or a checkpoint's name."""
    if isinstance(value, str):
        return _stem(value)
    return repr(value).removesuffix(".0")


# ---- ends


def named_checkpoints(session: Session) -> dict[str, str]:
    """Every checkpoint by its key: source.checkpoint, target.checkpoint.1, chain.0.checkpoint."""
    target = session.target.checkpoint
    several = target if isinstance(target, tuple) else ()
    return {
        "source.checkpoint": session.source.checkpoint,
        **({} if isinstance(target, tuple) else {"target.checkpoint": target}),
        **{f"target.checkpoint.{index}": name for index, name in enumerate(several)},
        **{f"chain.{index}.checkpoint": end.checkpoint for index, end in enumerate(session.chain)},
    }


def ends(session: Session, variant: Variant) -> tuple[End, ...]:
    """What a variant passes, from the source to the last of the chain; at least two."""
    source = End(**{name: getattr(session.source, name) for name in End.model_fields})
    return source, variant.target, *session.chain


def named_classifiers(session: Session) -> dict[str, str]:
    """Every classifier that leads by its key: target.classifier, chain.0.classifier."""
    places = {f"chain.{index}": end for index, end in enumerate(session.chain)}
    ends: dict[str, End | Target] = {"source": session.source, "target": session.target, **places}
    return {f"{key}.classifier": end.classifier for key, end in ends.items() if end.classifier}


def way(session: Session) -> list[str]:
    """The ends in words, from the source's to the last: `cmnist-digits (5, guidance 2)`, values
    that are swept together."""
    passed: tuple[End | Target, ...] = (session.source, session.target, *session.chain)
    return [title(end.checkpoint, end.label, *strength(end)) for end in passed]


def without_family(names: Sequence[str]) -> list[str]:
    """Names without what stands before the first hyphen of all: `sevens` for `cmnist-sevens`."""
    families = {name.partition("-")[0] for name in names}
    family = families.pop() if len(families) == 1 else ""
    return [name.removeprefix(f"{family}-") for name in names]


def strength(end: End | Target) -> list[str]:
    """How an end is led, in words: `guidance 1 2`, `cmnist-classifier × 4`; empty when plainly."""
    words = [] if end.guidance == 1 else [f"guidance {_listed(end.guidance)}"]
    if end.classifier is not None:
        words.append(f"{_stem(end.classifier)} × {_listed(end.classifier_scale)}")
    return words


def title(checkpoint: str | tuple[str, ...], label: Any = None, *more: str) -> str:
    """An end in words: `cmnist-digits (5)`; values that are swept side by side."""
    names = checkpoint if isinstance(checkpoint, tuple) else (checkpoint,)
    text = ", ".join(map(_stem, names))
    facts = [*([] if label is None else [_listed(label)]), *more]
    return f"{text} ({', '.join(facts)})" if facts else text


def _listed(value: Any) -> str:
    values = value if isinstance(value, tuple) else (value,)
    return " ".join(str(each).removesuffix(".0") for each in values)


def _stem(checkpoint: str) -> str:
    return Path(checkpoint).name.removesuffix(".safetensors")


# ---- reading


def load_session(path: str | Path) -> Session:
    """The session in a file; raises SessionError."""
    return parse_session(read_session_text(path), file=str(path))


def read_session_text(path: str | Path) -> str:
    """The text of a session file, as `dump_session` wants its original; raises SessionError."""
    path = Path(path)
    try:
        with path.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise _file_error(path, None, "no such file") from None
    except OSError as error:
        raise _file_error(path, None, f"cannot be read: {error.strerror or error}") from None
    if len(data) > MAX_BYTES:
        raise _file_error(path, None, f"is larger than {MAX_BYTES // 1024} KiB: no session is")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise _file_error(path, line, "is not UTF-8 text") from None


def parse_session(text: str, file: str = "<text>") -> Session:
    """The session in a text; `file` is what errors call it. Raises SessionError."""
    root = _read(text, file)
    if root.value is None:
        raise SessionError(Problem(file, 1, "", "is empty; expected a session"))
    if not is_mapping(root.value):
        message = f"is {shown(root.value)}; expected keys and values, such as version: {VERSION}"
        raise SessionError(Problem(file, 1, "", message))
    return _validated(_migrated(root, file), root, file)


def error_at(path: Path, key: str, message: str) -> SessionError:
    """An error found after loading, such as a count beyond what is there, with its line."""
    keys = [int(part) if part.isdecimal() else part for part in key.split(".")]
    line = _read(read_session_text(path), str(path)).nearest(keys).line
    return SessionError(Problem(str(path), line, key, message))


def _file_error(path: Path, line: int | None, message: str) -> SessionError:
    return SessionError(Problem(str(path), line, "", message))


def _read(text: str, file: str) -> Node:
    try:
        return read(text)
    except YamlProblem as problem:
        raise SessionError(Problem(file, problem.line, "", str(problem))) from None


def _migrated(root: Node, file: str) -> Mapping[str, Plain]:
    """The content in the present version; raises SessionError for one that nobody knows."""
    data = root.value if is_mapping(root.value) else {}
    version, line = data.get("version", VERSION), root.nearest(["version"]).line
    if not isinstance(version, int) or isinstance(version, bool):
        message = f"is {shown(version)}; expected a whole number up to {VERSION}"
        raise SessionError(Problem(file, line, "version", message))
    if version > VERSION:
        message = f"{version} is newer than {VERSION}, the newest known here; update ddib-workbench"
        raise SessionError(Problem(file, line, "version", message))
    for older in range(version, VERSION):
        if older not in MIGRATIONS:
            message = f"there was no version {older}; expected {VERSION}"
            raise SessionError(Problem(file, line, "version", message))
        data = {**MIGRATIONS[older](data), "version": older + 1}
    return data


def _validated(data: Mapping[str, Plain], root: Node, file: str) -> Session:
    """`data` as a session; positions come from `root`. Raises SessionError."""
    model = Session if "version" in data else _SessionFile
    if missing := _missing_operations(data, root, file):
        raise MissingOperations(*missing)
    content = {key: value for key, value in data.items() if key != NEEDS}
    try:
        return model.model_validate(content, strict=True)
    except ValidationError as invalid:
        raise explain(invalid, model, root, file) from None


def _missing_operations(data: Mapping[str, Plain], root: Node, file: str) -> list[Problem]:
    """What a session needs that is not here, and what to do; `needs` itself if it is malformed."""
    needs = data.get(NEEDS, {})
    if not is_mapping(needs) or not all(isinstance(origin, str) for origin in needs.values()):
        message = f"is {shown(needs)}; expected names of operations and what they come with"
        return [Problem(file, root.nearest([NEEDS]).line, NEEDS, message)]
    return [
        Problem(file, node.line, ".".join(map(str, keys)), _how_to_get(name, str(needs[name])))
        for keys, node in _operation_names(root)
        if isinstance(name := node.value, str) and name in needs and name not in OPERATIONS
    ]


def _operation_names(root: Node) -> Iterator[tuple[tuple[str | int, ...], Node]]:
    """Where the recipe names an operation."""
    recipe = root.children.get("recipe")
    for stage, operations in (recipe.children if recipe else {}).items():
        for index, operation in operations.children.items():
            if "op" in operation.children:
                yield ("recipe", stage, index, "op"), operation.children["op"]


def _how_to_get(name: str, origin: str) -> str:
    """What to do about an operation that is not here."""
    if skipped := next((one for one in OPERATIONS.skipped if one.name == origin), None):
        return f"{name} comes with {origin}, which cannot be loaded: {skipped.problem}"
    if origin.endswith(".py"):
        remedy = f"put that file, if you trust it, into {folders().operations}"
    else:
        package, _, version = origin.partition(" ")
        wanted = f"{package}=={version}" if version else package
        remedy = f"pip install '{wanted}', if you trust it"
    return f"{name} is not ddib's own operation, it comes with {origin}; {remedy}"


# ---- writing


def dump_session(session: Session, original: str | None = None) -> str:
    """The session as YAML.

    original: a text that holds an earlier state of it. Its comments, order of keys and way of
    writing stay; what it left out stays out as long as it has its default value.
    """
    data, needs = _dumped(session), _needs(session)
    if original is not None:
        with suppress(SessionError, YamlProblem):
            essential = session.model_dump(mode="json", exclude_defaults=True)
            if needs:
                essential[NEEDS] = needs
            text = edit(original, {**data, NEEDS: needs}, essential)
            if parse_session(text) == session:
                return text
    first = ("version", "title")
    head = {key: data[key] for key in first} | ({NEEDS: needs} if needs else {})
    return block(head | {key: value for key, value in data.items() if key not in first})


def _needs(session: Session) -> dict[str, str]:
    """The operations of the recipe that are not ddib's own, and what they come with."""
    used = {operation.op for operation in (*session.recipe.image, *session.recipe.latent)}
    origins = OPERATIONS.origins
    return {name: origins[name].name for name in sorted(used & origins.keys())}


def save_session(session: Session, path: str | Path, original: str | None = None) -> None:
    """Write the session to a file, whole or not at all; raises SessionError."""
    path = Path(path)
    text = dump_session(session, original)
    target = path.resolve()  # through a link, so that the link stays one
    temporary = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        temporary.write_bytes(text.encode())
        if target.exists():
            temporary.chmod(target.stat().st_mode)
        temporary.replace(target)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise _file_error(path, None, f"cannot be written: {error.strerror or error}") from None


def with_absolute_paths(session: Session, base: str | Path) -> Session:
    """The session with paths that hold anywhere; relative ones start from the folder `base`.

    A checkpoint is a path when it has a folder or a suffix in it, otherwise a name.
    """

    def absolute(path: str) -> str:
        return os.path.abspath(Path(base) / Path(path).expanduser())  # noqa: PTH100 no links resolved

    def checkpoint(name: str) -> str:
        return absolute(name) if "/" in name or Path(name).suffix else name

    def spec(images: ImageSpec) -> ImageSpec:
        key = "path" if isinstance(images, ImageFiles) else "root"
        path = getattr(images, key, None)
        return images.model_copy(update={key: absolute(path)}) if path else images

    def located(part: End | Target | Source) -> Any:
        name = part.checkpoint
        found = tuple(map(checkpoint, name)) if isinstance(name, tuple) else checkpoint(name)
        classifier = part.classifier and checkpoint(part.classifier)
        return part.model_copy(update={"checkpoint": found, "classifier": classifier})

    images = tuple(map(spec, session.source.images))
    return session.model_copy(
        update={
            "source": located(session.source.model_copy(update={"images": images})),
            "target": located(session.target),
            "chain": tuple(map(located, session.chain)),
        }
    )


def _dumped(session: Session) -> dict[str, Plain]:
    return session.model_dump(mode="json")


# ---- changing one value


def set_value(session: Session, path: str, yaml_text: str) -> Session:
    """The session with one value changed: `recipe.latent.0.factor`, `1.5`.

    yaml_text is any YAML value, a list or a range such as 0.1..0.9/5 for a sweep; lists are entered
    by index, from 0. Raises SessionError, which names the path.
    """
    try:
        value = parse_range(yaml_text) if is_range(yaml_text) else read(yaml_text).value
        changed = _changed(_dumped(session), path.split("."), value)
        root = read(flow(changed))
        return _validated(_migrated(root, ""), root, "")
    except ValueError as error:  # YamlProblem and InputError are such
        problems = error.problems if isinstance(error, SessionError) else ()
        found = [(p.key if p.key.startswith(path) else path, p.message) for p in problems]
        named = found or [(path, str(error))]
        raise SessionError(*(Problem("", None, *problem) for problem in named)) from None


def _changed(data: Plain, keys: Sequence[str], value: Plain) -> Plain:
    """`data` with `value` where the keys lead; raises InputError when they lead nowhere."""
    if not keys:
        return value
    key, rest = keys[0], keys[1:]
    if is_mapping(data):
        if key not in data:
            raise InputError(f"unknown key {key}{not_among(key, data)}")
        return {**data, key: _changed(data[key], rest, value)}
    if not is_list(data):
        raise InputError(f"{shown(data)} has no part {key}")
    if not key.isdecimal() or int(key) >= len(data):
        there = f"expected an index from 0 to {len(data) - 1}" if data else "the list is empty"
        raise InputError(f"there is no {key}; {there}")
    index = int(key)
    return (*data[:index], _changed(data[index], rest, value), *data[index + 1 :])
